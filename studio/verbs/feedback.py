"""Verbs about answers and votes: generate, compare, votes, leaderboard."""

import argparse
import sys
from pathlib import Path

from studio.feedback.agreement import LEVELS
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, table, visible


def _generate_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", action="append", required=True, metavar="M", help="model; may be given again")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prompt", metavar="P", help="one prompt")
    what.add_argument("--prompts", type=Path, metavar="FILE", help='JSONL, one {"prompt": …} a line')
    parser.add_argument("--max-new-tokens", type=int, default=256, metavar="N")
    parser.add_argument("--temperature", type=float, default=1.0, metavar="T", help="0 takes the likeliest token")
    parser.add_argument("--top-p", type=float, default=1.0, metavar="P")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="the same seed gives the same answer")


def _generate(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.generate(
        args.model,
        prompt=args.prompt,
        prompts=args.prompts,
        max_new_tokens=args.max_new_tokens,
        temperature=args.temperature,
        top_p=args.top_p,
        seed=args.seed,
    )
    lines = [f"[{answer['model']}] {answer['text']}" for answer in data["answers"]]
    return Outcome(data, visible("\n".join(lines)))


def _compare_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--study", required=True, metavar="S", help="study; made if absent")
    parser.add_argument("--models", required=True, metavar="A,B", help="contestants, by comma")
    parser.add_argument("--prompts", required=True, metavar="DATASET", help="dataset of prompts")
    parser.add_argument("--n", type=int, default=None, metavar="K", help="comparisons (default: one a prompt)")


def _compare(studio: Studio, args: argparse.Namespace) -> Outcome:
    models = [name.strip() for name in args.models.split(",") if name.strip()]
    data = studio.compare(args.study, models, args.prompts, count=args.n)
    return Outcome(data, f'{data["comparisons"]} comparisons are ready for voting in study "{args.study}"')


def _votes_flags(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="import|export")
    bring = actions.add_parser("import", help="read votes or labels from JSONL")
    bring.add_argument("file", type=Path, metavar="FILE")
    take = actions.add_parser("export", help="write votes as JSONL")
    take.add_argument("--out", type=Path, metavar="FILE", help="file (default: standard output)")
    for action in (bring, take):
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
    data = studio.export_votes(args.study, args.out)
    lines = data.pop("lines", [])
    if args.out is None and not args.json:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return Outcome(data, "")
    return Outcome(data, f"{data['votes']} votes written to {args.out}")


def _leaderboard_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--study", required=True, metavar="S")
    parser.add_argument("--ties", choices=("model", "half", "drop"), default="model", help="what a tie counts")


def _leaderboard(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.leaderboard(args.study, ties=args.ties)
    models = table(data["models"], ("name", "rating", "low", "high", "votes"))
    pairs = table(
        data["pairs"], ("a", "b", "wins_a", "wins_b", "ties", "both_bad", "win_rate", "verdict", "votes_needed")
    )
    return Outcome(data, f"{models}\n\n{pairs}")


def _agreement_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--study", required=True, metavar="S")
    parser.add_argument("--level", choices=LEVELS, default="nominal", help="what the labels are")


def _agreement(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.agreement(args.study, level=args.level)
    names = ("percent", "cohen_kappa", "fleiss_kappa", "krippendorff_alpha", "low", "high")
    lines = [f"{name.replace('_', ' '):20} {_digits(data[name])}" for name in names]
    lines.append(f"{data['disputed_count']} of {data['items']} items are disputed")
    return Outcome(data, visible("\n".join([*lines, *data["notes"]])))


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


VERBS = (
    Verb("generate", "answer prompts", _generate_flags, _generate),
    Verb("compare", "make comparisons ready for voting", _compare_flags, _compare),
    Verb("votes", "import or export votes", _votes_flags, _votes),
    Verb("leaderboard", "who wins, and how sure that is", _leaderboard_flags, _leaderboard),
    Verb("agreement", "how well people agree", _agreement_flags, _agreement),
)
