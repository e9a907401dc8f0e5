"""Verbs about this machine: serve, doctor."""

import argparse

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, no_flags


def _serve_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", metavar="H", help="address to listen on (default 127.0.0.1; others need an account)")
    parser.add_argument("--port", metavar="P", help="port to listen on (default 7860; 0 takes a free one)")
    parser.add_argument("--allow-folder", action="append", metavar="DIR",
                        help="a folder whose files the page may import (again for more)")  # fmt: skip
    parser.add_argument("--allow-host", action="append", metavar="NAME",
                        help="a name under which people open the studio (again for more)")  # fmt: skip
    parser.add_argument(
        "--root-path",
        metavar="PATH",
        help="path under which a proxy shows the studio, such as /ratchet; needs an account",
    )


def _serve(studio: Studio, args: argparse.Namespace) -> Outcome:
    from studio.serve import serve

    studio.settings.check_folders()
    return Outcome(*serve(studio, as_json=args.json))


def _doctor(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.doctor()
    return Outcome(data, "\n".join(_finding(**finding) for finding in data["findings"]))


def _finding(name: str, level: str, value: str, sentence: str) -> str:
    """One thing that was looked at, with its sentence on a line of its own."""
    sign = {"good": "ok", "warning": "warning", "bad": "missing"}[level]
    more = f"\n{'':24}{sentence}" if sentence else ""
    return f"{sign:<8} {name:<15} {value}{more}"


VERBS = (
    Verb("serve", "run the studio: web, engine and worker", _serve_flags, _serve),
    Verb("doctor", "say what this machine has and what is missing", no_flags, _doctor),
)
