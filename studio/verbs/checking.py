"""Verbs about what is wrong with data: check, mend."""

import argparse

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, count, table, visible


def _check_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="dataset")
    parser.add_argument("--model", metavar="M", help="model whose tokenizer says what is too long")
    parser.add_argument("--max-tokens", type=count, metavar="N", help="longest row wanted (default: all it reads)")
    parser.add_argument("--against", metavar="NAME", help="dataset that tests: its prompts must not be trained on")


def _check(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.check(args.name, model=args.model, most_tokens=args.max_tokens, against=args.against)
    found = data["findings"]
    text = table(found, ("check", "severity", "count", "title")) if found else "nothing found"
    return Outcome(data, visible(text))


def _mend_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="dataset")
    parser.add_argument("check", metavar="CHECK", help="check whose findings are to be mended, such as personal-data")


def _mend(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.mend(args.name, args.check)
    return Outcome(data, f"{data['mended']} rows mended, {data['left']} left; undo takes it back")


VERBS = (
    Verb("check", "look for what is wrong with a dataset", _check_flags, _check),
    Verb("mend", "mend what a check found, where that is safe", _mend_flags, _mend),
)
