"""Verbs about what a training would be like and what to do where one failed: preflight, retry."""

import argparse

from studio.studio import Studio
from studio.verbs.training import job_id, request_flags, wish
from studio.verbs.verb import Outcome, Verb, key_value


def _preflight(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.preflight(**wish(args))
    lines = [f"cannot start: {sentence}" for sentence in data["refusals"]]
    lines += [f"note: {sentence}" for sentence in data["warnings"]]
    if data["tokens"]:
        learnt = f"{data['trained_tokens']:,} of {data['tokens']:,} tokens are learnt"
        lines.append(f"{data['rows']:,} rows, {learnt}; {data['price'] or 'time and memory were not measured'}")
    return Outcome(data, "\n".join(lines), 1 if data["refusals"] else 0)


def _retry_flags(parser: argparse.ArgumentParser) -> None:
    job_id(parser)
    parser.add_argument("--set", action="append", type=key_value, default=[], metavar="K=V", help="another option")
    parser.add_argument("--wait", action="store_true", help="return when the job has ended")


def _retry(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.retry(args.id, options=dict(args.set) or None, wait=args.wait)
    return Outcome(data, f"job {data['number']} is {data['status']}", 1 if data["status"] == "failed" else 0)


VERBS = (
    Verb("preflight", "say what a training would be like, without starting it", request_flags, _preflight),
    Verb("retry", "start a failed job again, with the option that its failure asks for", _retry_flags, _retry),
)
