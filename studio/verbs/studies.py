"""The verbs `studies` and `study`: what is judged and how far it is; studies are made, changed, closed, opened."""

import argparse
import json
from pathlib import Path
from typing import Any

from storage.errors import BadInput, NotFound
from studio.feedback.study_settings import read_settings
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, key_value, no_flags, table, visible

_COLUMNS = ("name", "state", "layout", "filled", "wanted", "ahead", "votes", "people", "contestants")


def _studies(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.studies()
    lines = [{**one, **_short(one)} for one in data["studies"]]
    return Outcome(data, table(lines, _COLUMNS) if lines else "there is no study yet; make one with `ratchet compare`")


def _short(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "ahead": _ahead(one["ahead"]),
        "people": len(one["people"]),
        "contestants": ", ".join(one["names"]) or (f"answers of {one['answers']}" if one["answers"] else "-"),
    }


def _ahead(ahead: dict[str, Any]) -> str:
    """What is answered ahead of those who judge, and how long the rest takes."""
    coming = ahead["waiting"] + ahead["answering"]
    eta = f", {ahead['eta_seconds']:.0f} s" if ahead["eta_seconds"] is not None else ""
    failed = f", {ahead['failed']} failed" if ahead["failed"] else ""
    return f"{ahead['ready']} ready{f', {coming} to come{eta}' if coming else ''}{failed}"


def _study_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--create", action="store_true", help="make it, with --models, --contestant, --answers, --set")
    what.add_argument("--close", action="store_true", help="nobody is given anything more of it")
    what.add_argument("--open", action="store_true", help="let people judge in it again")
    what.add_argument("--find", metavar="TEXT", help="list its comparisons whose prompt holds TEXT, with their ids")
    what.add_argument("--choice", action="store_true", help="what active choice of the next comparison saved")
    known = "a known answer: a, b, tie or both_bad, a rating, or a ranking as JSON"
    what.add_argument("--gold", type=key_value, metavar="COMPARISON=ANSWER", help=known)
    what.add_argument("--lift-gold", metavar="COMPARISON", help="let a comparison be like the others again")
    parser.add_argument("--note", default="", metavar="TEXT", help="with --gold: why it is certain")
    setting = "a setting, such as overlap=3, layout=rank, people=ann,bob; lists and objects as JSON"
    parser.add_argument("--set", action="append", type=key_value, default=[], metavar="K=V", help=setting)
    parser.add_argument("--guidelines", type=Path, metavar="FILE", help="Markdown; becomes their next version")
    parser.add_argument("--models", default="", metavar="A,B", help="of a new study: contestants as they stand")
    contestant = 'of a new study: {"model", "name", "system", "temperature", "top_p", "max_tokens"}'
    parser.add_argument("--contestant", action="append", default=[], metavar="JSON", help=contestant)
    parser.add_argument("--prompts", metavar="DATASET", help="of a new study: what the contestants answer")
    parser.add_argument("--answers", metavar="DATASET", help="of a new study: answers that exist already")
    parser.add_argument("--n", type=int, metavar="K", help="of a new study: comparisons to begin with")


def _study(studio: Studio, args: argparse.Namespace) -> Outcome:
    settings = read_settings(args.set)
    if args.create:
        models = [name.strip() for name in args.models.split(",") if name.strip()]
        data = studio.create_study(
            args.name, models, args.prompts, contestants=args.contestant, answers=args.answers, settings=settings,
            count=args.n, guidelines=_read(args.guidelines),
        )  # fmt: skip
        return Outcome(data, _told(data))
    if args.models or args.contestant or args.prompts or args.answers or args.n:
        raise BadInput("Contestants, prompts and answers are those of a new study: add --create.")
    if args.find is not None or args.choice or args.gold or args.lift_gold:
        return _looked_up(studio, args)
    before = studio.set_study(args.name, settings) if settings else {}
    if args.guidelines:
        studio.write_guidelines(args.name, _read(args.guidelines))
    if args.close or args.open:
        studio.turn_study(args.name, open=args.open)
    data = studio.study(args.name) | ({"before": before} if settings else {})
    return Outcome(data, _told(data))


def _looked_up(studio: Studio, args: argparse.Namespace) -> Outcome:
    """Comparisons, known answers, and what choice saved."""
    if args.find is not None:
        data = studio.study_comparisons(args.name, args.find)
        rows = [
            {"id": one["comparison"], "votes": one["given"], "known": one["expected"], "prompt": _last(one["prompt"])}
            for one in data["comparisons"]
        ]
        return Outcome(data, table(rows, ("id", "votes", "known", "prompt")) if rows else "no comparison has that")
    if args.choice:
        data = studio.choice_saved(args.name)
        return Outcome(data, data["sentence"])
    if args.gold:
        comparison, answer = args.gold
        data = studio.mark_gold(args.name, comparison, _expected(answer), args.note)
        return Outcome(data, f"The answer to {visible(comparison)} is known from now on")
    return Outcome(studio.lift_gold(args.name, args.lift_gold), f"{visible(args.lift_gold)} is like the others again")


def _last(prompt: list[dict[str, Any]]) -> str:
    return str(prompt[-1]["content"]) if prompt else ""


def _expected(answer: str) -> dict[str, Any]:
    """A known answer from a word: a list is a ranking, a number a rating, anything else a choice."""
    try:
        value = json.loads(answer)
    except json.JSONDecodeError:
        return {"choice": answer}
    return {"ranking": value} if isinstance(value, list) else {"rating": value}


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f'There is no file "{path}".') from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f'"{path}" cannot be read as UTF-8 text ({error}).') from error


def _told(data: dict[str, Any]) -> str:
    """One study for people."""
    lines = [
        f"{data['name']}: {data['state']}, {data['filled']} of {data['wanted']} slots filled, {data['votes']} votes",
        f"answered ahead: {_ahead(data['ahead'])}",
        f"contestants: {_short(data)['contestants']}",
        *(f"{name} = {_plain(value)}" for name, value in data["settings"].items()),
    ]
    return visible("\n".join(lines))


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


VERBS = (
    Verb("studies", "the studies, with what is judged and how far each is", no_flags, _studies),
    Verb("study", "show, make, change, close or open a study", _study_flags, _study),
)
