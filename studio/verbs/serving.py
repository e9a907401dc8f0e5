"""Verbs about this machine: serve, doctor."""

import argparse

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, no_flags


def _serve_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", metavar="H", help="address to listen on (default 127.0.0.1; only loopback)")
    parser.add_argument("--port", metavar="P", help="port to listen on (default 7860; 0 takes a free one)")


def _serve(studio: Studio, args: argparse.Namespace) -> Outcome:
    from studio.serve import serve

    return Outcome(*serve(studio, as_json=args.json))


def _doctor(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.doctor()
    return Outcome(data, "\n".join(_lines(data)))


def _lines(value: object, indent: str = "") -> list[str]:
    """A nested object as indented lines."""
    lines = []
    for key, inner in value.items() if isinstance(value, dict) else []:
        if isinstance(inner, dict):
            lines += [f"{indent}{key}:", *_lines(inner, indent + "  ")]
        elif isinstance(inner, list):
            lines += [f"{indent}{key}:{'' if inner else ' none'}", *(f"{indent}  - {_plain(item)}" for item in inner)]
        else:
            lines.append(f"{indent}{key}: {_plain(inner)}")
    return lines


def _plain(value: object) -> str:
    return ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)


VERBS = (
    Verb("serve", "run the studio: web, engine and worker", _serve_flags, _serve),
    Verb("doctor", "say what this machine has and what is missing", no_flags, _doctor),
)
