"""The verb about reward models at work: score."""

import argparse

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, table

_CONTESTANTS = ("name", "mean", "low", "high", "count")
_ROWS = ("id", "score")


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a reward model, made with `ratchet train reward`")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--dataset", metavar="D", help="score the answers in a dataset's rows")
    what.add_argument("--study", metavar="S", help="score the answers of a study, by contestant")


def _score(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.score(args.model, dataset=args.dataset, study=args.study)
    if "contestants" in data:
        agreed = "" if data["agreement"] is None else f"\nagrees with {data['agreement']:.0%} of {data['votes']} votes"
        return Outcome(data, table(data["contestants"], _CONTESTANTS) + agreed)
    told = f"{data['scored']} of {data['rows']} rows scored, mean {data['mean']:g} ({data['minimum']:g} to "
    told += f"{data['maximum']:g})\nlowest:\n{table(data['lowest'], _ROWS)}\nhighest:\n{table(data['highest'], _ROWS)}"
    return Outcome(data, told)


VERBS = (Verb("score", "let a reward model score a dataset or a study", _flags, _score),)
