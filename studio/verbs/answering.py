"""Verbs about whole datasets answered by models: answer, answerings."""

import argparse
from typing import Any

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, count, table, visible

_COLUMNS = ("answering", "dataset", "models", "into", "state", "done", "eta")


def _answer_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar="DATASET", help="dataset whose prompts are answered")
    parser.add_argument("--model", action="append", required=True, metavar="M", help="model; may be given again")
    parser.add_argument("--into", required=True, metavar="NAME", help="name of the new dataset")
    parser.add_argument("--system", default="", metavar="TEXT", help="system prompt, which becomes part of the rows")
    parser.add_argument("--max-new-tokens", type=int, default=256, metavar="N")
    parser.add_argument("--temperature", type=float, default=1.0, metavar="T", help="0 takes the likeliest token")
    parser.add_argument("--top-p", type=float, default=1.0, metavar="P")
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same answers")
    parser.add_argument("--n", type=count, metavar="K", help="at most so many prompts (default: all)")
    parser.add_argument("--wait", action="store_true", help="return when it has ended")


def _answer(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.answer(
        args.dataset, args.model, args.into, args.system, args.max_new_tokens, args.temperature, args.top_p,
        args.seed, args.n, args.wait,
    )  # fmt: skip
    return _told(data)


def _answerings_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("answering", nargs="?", metavar="ID", help="one of them, by id or by its new dataset's name")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--stop", action="store_true", help="stop it; what has been answered is kept")
    what.add_argument("--resume", action="store_true", help="go on with it; what failed is asked again")
    what.add_argument("--undo", action="store_true", help="move the dataset that it made to the deleted ones")
    parser.add_argument("--wait", action="store_true", help="with --resume: return when it has ended")


def _answerings(studio: Studio, args: argparse.Namespace) -> Outcome:
    if args.answering is None:
        if args.stop or args.resume or args.undo:
            return Outcome({"error": "name an answering"}, "name the answering that is meant: ratchet answerings ID", 2)
        data = studio.answerings()
        rows = [_line(one) for one in data["answerings"]]
        return Outcome(data, table(rows, _COLUMNS) if rows else "nothing was answered yet; begin with `ratchet answer`")
    if args.stop:
        return _told(studio.stop_answering(args.answering))
    if args.resume:
        return _told(studio.resume_answering(args.answering, args.wait))
    return _told(studio.undo_answering(args.answering) if args.undo else studio.answerings(args.answering))


def _line(one: dict[str, Any]) -> dict[str, Any]:
    eta = one["eta_seconds"]
    return {
        **one,
        "models": ", ".join(one["models"]),
        "done": f"{one['answered']} of {one['total']}",
        "eta": f"{eta:.0f} s" if eta is not None else None,
    }


def _told(data: dict[str, Any]) -> Outcome:
    """One answering for people."""
    lines = [f'{data["answered"]} of {data["total"]} answers into "{data["into"]}": {data["state"]}']
    if data["failed"]:
        lines.append(f"{data['failed']} could not be given")
    if data["reused"]:
        lines.append(f"{data['reused']} stood already")
    if data["eta_seconds"] is not None:
        lines.append(f"{data['per_minute']:.0f} a minute, {data['eta_seconds']:.0f} s to go")
    if data["result"]:
        left = "".join(f"; {n} left out: {reason}" for reason, n in data["result"]["left_out"].items())
        lines.append(f"{data['result']['rows']} rows{left}")
    if data["error"]:
        lines.append(data["error"]["sentence"])
    lines.append(f"ratchet answerings {data['answering']}")
    return Outcome(data, visible("\n".join(lines)), 1 if data["state"] == "failed" else 0)


VERBS = (
    Verb("answer", "answer a dataset's prompts into a new dataset", _answer_flags, _answer),
    Verb("answerings", "list what is answered, show one, stop, resume or undo it", _answerings_flags, _answerings),
)
