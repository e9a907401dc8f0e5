"""Verbs about searches over a method's options: search, searches."""

import argparse
from collections.abc import Mapping

from storage.specs.registry import METHODS
from storage.specs.search import FEWEST, MOST, OBJECTIVES, SAMPLERS
from studio.studio import Studio
from studio.training.request import STARTS
from studio.training.searching import USUAL_TRIALS
from studio.verbs.verb import Outcome, Verb, count, key_value, table

_COLUMNS = ("name", "method", "state", "sampler", "done", "best")
_TRIALS = ("number", "state", "options", "held_out_loss", "forgetting", "seconds", "pareto")


def _search_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", choices=tuple(METHODS), metavar="METHOD", help=", ".join(METHODS))
    parser.add_argument("--base", required=True, metavar="M", help="model that every trial starts from")
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--dataset", metavar="NAME", help="dataset to train on")
    data.add_argument("--votes", metavar="POLICY", help="train on the votes of --study, as in `ratchet train`")
    parser.add_argument("--study", metavar="S", help="study whose votes are meant")
    parser.add_argument("--name", metavar="N", help="name of the search; its trials are N-1, N-2, …")
    parser.add_argument("--start", choices=STARTS, help="from an adapter: continue it, stack a fresh one, or its base")
    parser.add_argument("--replay", metavar="DATASET", help="dataset of which some is mixed in, against forgetting")
    parser.add_argument("--eval", metavar="DATASET", help="dataset to measure on (default: rows held out)")
    parser.add_argument("--teacher", metavar="M", help="model to distil from")
    parser.add_argument("--set", action="append", type=key_value, default=[], metavar="K=V", help="for all trials")
    parser.add_argument(
        "--space", default="", metavar="SPACE",
        help="what to search over, such as learning_rate=1e-4..1e-2,lora_r=8|16|32 (default: around what is advised)",
    )  # fmt: skip
    parser.add_argument("--sampler", choices=tuple(SAMPLERS), default="tpe", help=_explained(SAMPLERS))
    parser.add_argument(
        "--trials", type=count, default=USUAL_TRIALS, metavar="N", help=f"trials, {FEWEST} to {MOST} (default: 20)"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="start no trial after this long, end the last one")
    parser.add_argument("--goal", action="append", default=[], choices=tuple(OBJECTIVES), help=_explained(OBJECTIVES))
    parser.add_argument("--wait", action="store_true", help="return when the search has ended")


def _explained(words: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {text}" for name, text in words.items())


def _search(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.search(
        args.method, args.base, trials=args.trials, sampler=args.sampler, space=args.space, seconds=args.seconds,
        goals=tuple(args.goal), name=args.name, wait=args.wait, dataset=args.dataset, votes=args.votes,
        study=args.study, start=args.start, replay=args.replay, eval=args.eval, teacher=args.teacher,
        options=dict(args.set),
    )  # fmt: skip
    return _shown(data)


def _searches_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="one search with its trials, by name or id")
    parser.add_argument("--stop", action="store_true", help="stop it, and its running trial")


def _searches(studio: Studio, args: argparse.Namespace) -> Outcome:
    if args.name is None:
        data = studio.searches()
        return Outcome(data, table(data["searches"], _COLUMNS))
    return _shown(studio.stop_search(args.name) if args.stop else studio.searches(args.name))


def _shown(data: dict[str, object]) -> Outcome:
    """A search with its trials as a table."""
    trials = data["trials"]
    assert isinstance(trials, list)
    rows = [{**trial, **trial["values"], "options": _words(trial["options"])} for trial in trials]
    best, error = data["best"], data["error"]
    lines = [table(rows, _TRIALS), f"search {data['name']} is {data['state']}"]
    if isinstance(best, dict):
        lines.append(f"best: trial {best['number']}; the same again: {best['command']}")
    if isinstance(error, dict):
        lines.append(f"{error['sentence']} {error.get('fix', '')}".rstrip())
    return Outcome(data, "\n".join(lines), 1 if data["state"] == "failed" else 0)


def _words(options: dict[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in options.items())


VERBS = (
    Verb("search", "try options of a method and keep the best", _search_flags, _search),
    Verb("searches", "list searches, show one, stop one", _searches_flags, _searches),
)
