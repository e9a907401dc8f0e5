"""The verb that runs the project's measurements: bench."""

import argparse

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, table


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="measurement, such as effects, train, import, vote (see bench/README.md)"
    )
    parser.add_argument("--small", action="store_true", help="a trial run of seconds, to see that it works")
    parser.add_argument("words", nargs="*", metavar="WORD", help="what the measurement itself can be told")


def _bench(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.bench(args.name, ["--small", *args.words] if args.small else args.words)
    lines = table(data.get("ratios", []), ("against", "value", "goal", "better"))
    return Outcome(data, f"{lines}\n{data['name']}: {'met' if data.get('met') else 'not met'}")


VERBS = (Verb("bench", "run one of the project's measurements, with its baselines", _flags, _bench),)
