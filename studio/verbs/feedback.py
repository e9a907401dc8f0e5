"""Verbs about answers and votes: generate, compare, votes, leaderboard."""

import argparse
import sys
from pathlib import Path
from typing import Any

from studio.feedback.agreement import LEVELS
from studio.feedback.exclusions import KINDS, notes
from studio.feedback.study_settings import read_settings
from studio.studio import Studio
from studio.training.shaped import counted
from studio.verbs.verb import Outcome, Verb, key_value, table, visible


def _generate_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", action="append", required=True, metavar="M", help="model; may be given again")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prompt", metavar="P", help="one prompt")
    what.add_argument("--prompts", type=Path, metavar="FILE", help='JSONL, one {"prompt": …} a line')
    parser.add_argument("--max-new-tokens", type=int, default=256, metavar="N")
    parser.add_argument("--temperature", type=float, default=1.0, metavar="T", help="0 takes the likeliest token")
    parser.add_argument("--top-p", type=float, default=1.0, metavar="P")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="the same seed gives the same answer")
    parser.add_argument(
        "--exact", action="store_true", help="in float32 and by itself: the same answer whatever else is answered"
    )


def _generate(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.generate(
        args.model,
        prompt=args.prompt,
        prompts=args.prompts,
        max_new_tokens=args.max_new_tokens,
        temperature=args.temperature,
        top_p=args.top_p,
        seed=args.seed,
        exact=args.exact,
    )
    lines = [f"[{answer['model']}] {answer['text']}" for answer in data["answers"]]
    return Outcome(data, visible("\n".join(lines)))


def _compare_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--study", required=True, metavar="S", help="study; made if absent")
    parser.add_argument("--models", default="", metavar="A,B", help="contestants as they stand, by comma")
    parser.add_argument(
        "--contestant",
        action="append",
        default=[],
        metavar="JSON",
        help='{"model", "name", "system", "temperature", "top_p", "max_tokens"}; may be given again',
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prompts", metavar="DATASET", help="dataset of prompts, which the contestants answer")
    what.add_argument("--answers", metavar="DATASET", help="dataset whose rows hold several answers; needs no model")
    parser.add_argument("--n", type=int, default=None, metavar="K", help="comparisons (default: one a prompt)")
    parser.add_argument(
        "--set",
        action="append",
        type=key_value,
        default=[],
        metavar="K=V",
        help="a setting of a new study (layout=rank, sides=4, overlap=2)",
    )


def _compare(studio: Studio, args: argparse.Namespace) -> Outcome:
    models = [name.strip() for name in args.models.split(",") if name.strip()]
    settings = read_settings(args.set)
    data = studio.compare(
        args.study, models, args.prompts, args.n, args.contestant, settings=settings, answers=args.answers
    )
    return Outcome(data, f'{data["comparisons"]} comparisons are ready for voting in study "{args.study}"')


def _votes_flags(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    bring = actions.add_parser("import", help="read votes or labels: ours, the Arena's, LLMBar's, PandaLM's")
    bring.add_argument("file", type=Path, metavar="FILE")
    take = actions.add_parser("export", help="write votes as JSONL")
    take.add_argument("--out", type=Path, metavar="FILE", help="file (default: standard output)")
    take.add_argument("--with-skips", action="store_true", help="skips with their reasons as well")
    leave = actions.add_parser("exclude", help="leave votes out of the numbers, with a reason; nothing is deleted")
    count = actions.add_parser("include", help="count votes again that were excluded")
    leave.add_argument("--reason", required=True, metavar="TEXT", help="stands beside the numbers")
    for action in (leave, count):
        which = action.add_mutually_exclusive_group(required=True)
        for kind, meaning in (("annotator", "one person"), ("day", "one day, 2026-01-31"), ("source", "e.g. import")):
            which.add_argument(f"--{kind}", metavar=kind[0].upper(), help=f"the votes of {meaning}")
    for action in (bring, take, leave, count):
        action.add_argument("--study", required=True, metavar="S")
        action.add_argument("--home", default=argparse.SUPPRESS, metavar="DIR", help=argparse.SUPPRESS)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _votes(studio: Studio, args: argparse.Namespace) -> Outcome:
    if args.action == "import":
        data = studio.import_votes(args.file, args.study)
        code = 1 if data["rejected"] and not data["imported"] and not data["duplicates"] else 0
        errors = "".join(f"\n  line {error['line']}: {error['message']}" for error in data.get("errors", [])[:5])
        text = f"{data['imported']} imported, {data['duplicates']} known, {data['rejected']} rejected{errors}"
        return Outcome(data, visible(text), code)
    if args.action in ("exclude", "include"):
        return _excluding(studio, args)
    data = studio.export_votes(args.study, args.out, args.with_skips)
    lines = data.pop("lines", [])
    if args.out is None and not args.json:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return Outcome(data, "")
    return Outcome(data, f"{counted(data['votes'], 'vote')} written to {args.out}")


def _excluding(studio: Studio, args: argparse.Namespace) -> Outcome:
    kind, value = next((kind, getattr(args, kind)) for kind in KINDS if getattr(args, kind) is not None)
    if args.action == "exclude":
        data = studio.exclude_votes(args.study, kind, value, args.reason)
        return Outcome(data, visible(f'The votes of the {kind} "{value}" do not count in "{args.study}" any more'))
    data = studio.include_votes(args.study, kind, value)
    return Outcome(data, visible(f'The votes of the {kind} "{value}" count in "{args.study}" again'))


def _with_excluded(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--with-excluded", action="store_true", help="count excluded votes as well")


def _leaderboard_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--study", required=True, metavar="S")
    _with_excluded(parser)
    parser.add_argument("--ties", choices=("model", "half", "drop"), default="model", help="what a tie counts")


def _leaderboard(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.leaderboard(args.study, ties=args.ties, with_excluded=args.with_excluded)
    models = table(data["models"], ("name", "rating", "low", "high", "votes"))
    pairs = table(
        data["pairs"], ("a", "b", "wins_a", "wins_b", "ties", "both_bad", "win_rate", "verdict", "votes_needed")
    )
    rated = table(data["ratings"], ("name", "mean", "low", "high", "ratings", "prompts")) if data["ratings"] else ""
    said = "".join(f"\n{note}" for note in [*data["notes"], *notes(data["excluded"])])
    parts = [part for part in (models, pairs, rated) if part]
    return Outcome(data, visible("\n\n".join(parts) + said))


def _agreement_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--study", required=True, metavar="S")
    _with_excluded(parser)
    parser.add_argument("--level", choices=LEVELS, help="what the labels are (default: nominal; ratings: ordinal)")
    parser.add_argument("--criterion", metavar="KEY", help="on the ratings of one criterion")


def _agreement(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.agreement(args.study, args.level, args.with_excluded, args.criterion)
    names = ("percent", "cohen_kappa", "fleiss_kappa", "krippendorff_alpha", "low", "high")
    lines = [f"{name.replace('_', ' '):20} {_digits(data[name])}" for name in names]
    lines.append(f"{data['disputed_count']} of {data['items']} items are disputed")
    lines += _shares(data)
    return Outcome(data, visible("\n".join([*lines, *data["notes"], *notes(data["excluded"])])))


def _shares(data: dict[str, Any]) -> list[str]:
    """How right people are where the answer is known, and how like themselves."""
    found = (("right on known answers", data["gold"]), ("the same at a second look", data["oneself"]))
    return [
        f"{share['rate']:.0%} of {share['n']} {words} ({share['low']:.0%} to {share['high']:.0%})"
        for words, share in found
        if share["n"]
    ]


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


VERBS = (
    Verb("generate", "answer prompts", _generate_flags, _generate),
    Verb("compare", "make comparisons ready for voting", _compare_flags, _compare),
    Verb("votes", "import, export, exclude or include votes", _votes_flags, _votes),
    Verb("leaderboard", "who wins, and how sure that is", _leaderboard_flags, _leaderboard),
    Verb("agreement", "how well people agree", _agreement_flags, _agreement),
)
