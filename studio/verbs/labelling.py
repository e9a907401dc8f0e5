"""The verb about classifiers at work: label."""

import argparse

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, table


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a classifier, made with `ratchet train classify`")
    parser.add_argument("--dataset", required=True, metavar="D", help="dataset whose rows are labelled")
    parser.add_argument(
        "--tag-above", type=float, metavar="P",
        help="tag rows with their label where the classifier is at least so sure (0 to 1), or where its number is at "
        "least P; one change, which can be undone",
    )  # fmt: skip


def _label(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.label(args.model, args.dataset, tag_above=args.tag_above)
    told = f"{data['labelled']} of {data['rows']} rows labelled, {data['tagged']} tagged"
    if data["labels"]:
        return Outcome(data, f"{told}\n{table(data['labels'], ('name', 'rows', 'sure'))}")
    return Outcome(data, f"{told}; mean {data['mean']:g} ({data['minimum']:g} to {data['maximum']:g})")


VERBS = (Verb("label", "let a classifier label and tag a dataset", _flags, _label),)
