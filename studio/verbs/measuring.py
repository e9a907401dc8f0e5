"""The verb that runs the project's measurements: bench."""

import argparse

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, table


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="measurement, such as effects, sft, import, vote (see bench/README.md)"
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="what the measurement itself can be told")


def _bench(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.bench(args.name, args.words)
    lines = table(data.get("ratios", []), ("against", "value", "goal", "better"))
    return Outcome(data, f"{lines}\n{data['name']}: {'met' if data.get('met') else 'not met'}")


VERBS = (Verb("bench", "run one of the project's measurements, with its baselines", _flags, _bench),)
