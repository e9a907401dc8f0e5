"""The command line: `ratchet VERB`, also `python -m studio VERB`.

Every verb has `--home` and `--json`. Exit codes: 0 done, 1 failed (one sentence on standard error), 2 wrong use.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from storage.errors import RatchetError
from studio.settings import Settings
from studio.studio import Studio
from studio.verbs import (
    answering,
    canaries,
    checking,
    data,
    demos,
    exports,
    feedback,
    keeping,
    keys,
    labelling,
    measuring,
    models,
    packing,
    people,
    preflight,
    queue,
    rounds,
    scoring,
    searching,
    serving,
    studies,
    tools,
    training,
    weights,
)
from studio.verbs.verb import Outcome, Verb

VERBS: tuple[Verb, ...] = (
    *serving.VERBS,
    *data.VERBS,
    *checking.VERBS,
    *exports.VERBS,
    *models.VERBS,
    *training.VERBS,
    *preflight.VERBS,
    *queue.VERBS,
    *keeping.VERBS,
    *weights.VERBS,
    *scoring.VERBS,
    *searching.VERBS,
    *labelling.VERBS,
    *feedback.VERBS,
    *answering.VERBS,
    *studies.VERBS,
    *rounds.VERBS,
    *canaries.VERBS,
    *packing.VERBS,
    *demos.VERBS,
    *people.VERBS,
    *keys.VERBS,
    *tools.VERBS,
    *measuring.VERBS,
)


def parser(kind: type[argparse.ArgumentParser] = argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser of all verbs; `kind`: one that complains in its own way."""
    top = kind(prog="ratchet", description="Improve a language model by hand, round by round.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        sub = verbs.add_parser(verb.name, help=verb.help, description=verb.help)
        sub.add_argument("--home", metavar="DIR", help="project folder (default: RATCHET_HOME, else ~/.ratchet)")
        sub.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        verb.flags(sub)
        sub.set_defaults(run=verb.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    args = parser().parse_args(argv)
    try:
        outcome: Outcome = args.run(open_studio(args), args)
        show(outcome, args.json)
        sys.stdout.flush()
    except RatchetError as error:
        print(str(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `ratchet logs 1 | head` closed its end; there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return outcome.code


def open_studio(args: argparse.Namespace) -> Studio:
    """The studio that a verb works on."""
    names = ("home", "host", "port", "allow_folder", "allow_host", "root_path")
    given = {name: getattr(args, name, None) for name in names}
    settings = Settings.from_env(os.environ, **given)
    return Studio(settings=settings)


def show(outcome: Outcome, as_json: bool) -> None:
    """Print an outcome for programs or for people."""
    if as_json:
        print(json.dumps(outcome.data))
    elif outcome.text:
        print(outcome.text)


if __name__ == "__main__":
    sys.exit(main())
