"""The verb `canaries`: prompts that every model answers, as a test suite for models."""

import argparse
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from studio.rounds.expectations import KINDS
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, table, visible

_SIGNS = {"passed": "pass", "failed": "FAIL", "answered": "yes", "unknown": "?", "missing": "-"}


def _flags(parser: argparse.ArgumentParser) -> None:
    _strict_flag(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", help="nothing shows the table of all models")
    show = actions.add_parser("show", help="the table, or what a model answers otherwise than the champion")
    show.add_argument("names", nargs="*", metavar="MODEL", help="the model, and the earlier one if not the champion")
    ask = actions.add_parser("run", help="let models answer every canary")
    ask.add_argument("--again", action="store_true", help="ask also what has been answered")
    ask.add_argument("names", nargs="*", metavar="MODEL", help="models (default: all that answer)")
    expect = actions.add_parser("expect", help="expect something of the answers to a prompt")
    expect.add_argument("names", nargs="*", metavar="PROMPT", help="the prompt by its number, or how it begins")
    for kind in KINDS:
        what = {"json-schema": "FILE|JSON", "words": "N", "characters": "N", "score": "MODEL>=X"}.get(kind, "TEXT")
        expect.add_argument(f"--{kind}", metavar=what, action="append", default=[], help=f"the answer must fit: {kind}")
    lift = actions.add_parser("lift", help="expect something no longer")
    lift.add_argument("names", nargs="*", metavar="ID", help="expectations by their ids (--json shows them)")
    begin = actions.add_parser("begin", help="make the dataset canaries of the starter set")
    for action in (show, ask):
        _strict_flag(action, default=argparse.SUPPRESS)  # `canaries --strict run` holds as well
    for action in (show, ask, expect, lift, begin):
        action.add_argument("--home", default=argparse.SUPPRESS, metavar="DIR", help=argparse.SUPPRESS)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _strict_flag(parser: argparse.ArgumentParser, default: Any = False) -> None:
    said = "exit with 1 where an expectation is not met, or no longer met"
    parser.add_argument("--strict", action="store_true", default=default, help=said)


def _canaries(studio: Studio, args: argparse.Namespace) -> Outcome:
    if args.action == "run":
        data = studio.run_canaries(args.names, args.again)
        failed = [f"{one['model']}: {one['error']}" for one in data["asked"] if one["error"]]
        return _strict(Outcome(data, "\n".join([_table(data), *failed]), 1 if failed else 0), args)
    if args.action == "expect":
        return _expect(studio, args)
    if args.action == "lift":
        done = [studio.lift_expectation(name) for name in _some(args, "the id of an expectation (--json shows them)")]
        return Outcome({"lifted": done}, "\n".join(f"No longer expected: {one['says']}" for one in done))
    if args.action == "begin":
        data = studio.begin_canaries()
        return Outcome(
            data, f'The dataset "canaries" holds {len(data["prompts"])} prompts now; edit it like any other.'
        )
    if args.action == "show" and args.names:
        return _changes(studio.canary_changes(*_two(args.names)), args)
    data = studio.canaries()
    return _strict(Outcome(data, _table(data)), args)


def _two(names: list[str]) -> list[str]:
    """The model, and the one that it is held against, if named."""
    if len(names) > 2:
        raise BadInput(f"Name one model, or two: the later and the earlier one; not {len(names)}.")
    return names


def _some(args: argparse.Namespace, what: str) -> list[str]:
    names: list[str] = args.names
    if not names:
        raise BadInput(f"Name {what}.")
    return names


def _expect(studio: Studio, args: argparse.Namespace) -> Outcome:
    prompt = " ".join(_some(args, "the prompt by its number or how it begins"))
    wanted = [(kind, value) for kind in KINDS for value in getattr(args, kind.replace("-", "_"))]
    if not wanted:
        raise BadInput(f"Say what is expected: one of {', '.join(f'--{kind}' for kind in KINDS)}.")
    made = [studio.expect(prompt, kind, _schema(value) if kind == "json-schema" else value) for kind, value in wanted]
    return Outcome({"expected": made}, visible("\n".join(f"{one['prompt']}: {one['says']}" for one in made)))


def _schema(value: str) -> str:
    """A JSON Schema as it is written, or the file that holds it."""
    if value.lstrip().startswith("{"):
        return value
    try:
        return Path(value).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f'The JSON Schema "{value[:80]}" cannot be read: {error}.') from None


def _table(data: dict[str, Any]) -> str:
    """Prompts by models."""
    rows = []
    for at, prompt in enumerate(data["prompts"]):
        cells = {one["model"]: _SIGNS[one["cells"][at]["state"]] for one in data["models"]}
        rows.append({"number": prompt["number"], "prompt": prompt["prompt"][:40], **cells})
    told = table(rows, ("number", "prompt", *(one["model"] for one in data["models"])))
    met = [f"{one['model']}: {one['met']} of {one['expected']} expectations" for one in data["models"]
           if one["expected"] and one["answered"]]  # fmt: skip
    return "\n".join([told, *met])


def _strict(outcome: Outcome, args: argparse.Namespace) -> Outcome:
    """With --strict, the exit code says whether everything that was named meets what is expected."""
    unmet = any(one["met"] < one["expected"] for one in outcome.data["models"])
    return outcome._replace(code=1) if args.strict and unmet else outcome


def _changes(data: dict[str, Any], args: argparse.Namespace) -> Outcome:
    """What one model answers otherwise than another; with --strict, the exit code says whether it lost anything."""
    lines = [f"{data['before']} -> {data['after']}"]
    for row in data["rows"]:
        before, after = ((row[side] or {}).get("text", "(not answered)") for side in ("before", "after"))
        lines.append(f"\n{row['number']}. {row['prompt']}")
        lines += [f"  = {after}"] if row["same"] else [f"  - {before}", f"  + {after}"]
        lines += [f"  no longer: {one}" for one in row["lost"]]
    lost = any(row["lost"] for row in data["rows"])
    return Outcome(data, visible("\n".join(lines)), 1 if args.strict and lost else 0)


VERBS = (Verb("canaries", "let every model answer the same prompts, and say what is expected", _flags, _canaries),)
