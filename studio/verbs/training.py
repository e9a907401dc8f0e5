"""Verbs about jobs: train, jobs, job, stop, resume, logs."""

import argparse
from typing import Any

from storage.specs.options import OptionField, option_fields
from storage.specs.presets import PRESETS
from storage.specs.registry import METHODS
from studio.studio import Studio
from studio.training.request import STARTS
from studio.verbs.verb import Outcome, Verb, count, key_value, no_flags, table, visible

_VOTES = (
    "train on the votes of --study: majority, each, unanimous or weighted; options behind commas, as in "
    "weighted,ties=keep,ranking=best,margin=none,edited=drop"
)
_COLUMNS = ("number", "name", "method", "status", "step", "total_steps", "eta_seconds")


def _train_flags(parser: argparse.ArgumentParser) -> None:
    request_flags(parser)
    parser.add_argument("--wait", action="store_true", help="return when the job has ended")


def request_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of a training, for whoever starts one or thinks about it."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _methods_help()
    parser.add_argument("method", choices=tuple(METHODS), metavar="METHOD", help=", ".join(METHODS))
    parser.add_argument("--base", required=True, metavar="M", help="model to start from: a base or an earlier model")
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--dataset", metavar="NAME", help="dataset to train on")
    data.add_argument("--votes", metavar="POLICY", help=_VOTES)
    parser.add_argument("--study", metavar="S", help="study whose votes are meant")
    parser.add_argument("--name", metavar="N", help="name of the new model")
    parser.add_argument("--start", choices=STARTS, help="from an adapter: continue it, stack a fresh one, or its base")
    parser.add_argument("--replay", metavar="DATASET", help="dataset of which some is mixed in, against forgetting")
    parser.add_argument("--eval", metavar="DATASET", help="dataset to measure on (default: rows held out)")
    parser.add_argument("--teacher", metavar="M", help="model to distil from")
    parser.add_argument("--reward", action="append", default=[], metavar="M", help="reward model (may be repeated)")
    parser.add_argument("--set", action="append", type=key_value, default=[], metavar="K=V", help="option (see below)")
    parser.add_argument("--after", metavar="ID", help="job that must be done first; --base may be its name")
    parser.add_argument("--when-idle", action="store_true", help="wait until nobody works here")
    parser.add_argument("--devices", type=count, default=1, metavar="N", help="accelerators to train on (default: 1)")
    parser.add_argument("--preset", choices=PRESETS, help="options for a purpose (default: balanced)")


def _methods_help() -> str:
    """Every method's options with default, range and help."""
    parts = []
    for method in METHODS.values():
        parts.append(f"{method.name}: {method.summary}")
        parts += [
            f"  {item.name}={item.default}  {item.limits.help}{_range(item)}" for item in option_fields(method.options)
        ]
    return "\n".join(parts).replace("%", "%%")


def _range(item: OptionField) -> str:
    limits = item.limits
    if limits.choices:
        return f" ({' | '.join(limits.choices)})"
    return "" if limits.minimum is None else f" ({limits.minimum} to {limits.maximum})"


def wish(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a request from the flags of `request_flags`."""
    names = ("method", "base", "dataset", "votes", "study", "name", "preset", "start", "replay", "eval", "teacher",
             "after", "when_idle", "devices")  # fmt: skip
    return {name: getattr(args, name) for name in names} | {"options": dict(args.set), "rewards": tuple(args.reward)}


def _train(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.train(**wish(args), wait=args.wait)
    failed = data["status"] == "failed"
    end = f": {data['error']['sentence']}" if data.get("error") else ""
    return Outcome(data, f"job {data['number']} ({data['name']}) is {data['status']}{end}", 1 if failed else 0)


def _jobs(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.jobs()
    return Outcome(data, table(data["jobs"], _COLUMNS))


def job_id(parser: argparse.ArgumentParser) -> None:
    """The flag that names a job."""
    parser.add_argument("id", metavar="ID", help="job, by id or number")


def _job(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.job(args.id)
    error = f"\n{data['error']['sentence']} {data['error'].get('fix', '')}" if data.get("error") else ""
    seen = "".join(f"\n{one['sentence']} {one['evidence']} {one['fix']}".rstrip() for one in data["symptoms"])
    return Outcome(data, table([data], _COLUMNS) + error + seen)


def _stop_flags(parser: argparse.ArgumentParser) -> None:
    job_id(parser)
    parser.add_argument("--now", action="store_true", help="do not save first")


def _stop(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.stop(args.id, now=args.now)
    asked = "stopped" if data["status"] == "stopped" else "asked to stop"
    return Outcome(data, f"job {data['number']} is {asked}")


def _resume_flags(parser: argparse.ArgumentParser) -> None:
    job_id(parser)
    parser.add_argument("--wait", action="store_true", help="return when the job has ended")


def _resume(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.resume(args.id, wait=args.wait)
    return Outcome(data, f"job {data['number']} is {data['status']}", 1 if data["status"] == "failed" else 0)


def _logs(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.logs(args.id)
    return Outcome(data, visible(data["log"]))


VERBS = (
    Verb("train", "train an adapter", _train_flags, _train),
    Verb("jobs", "list the training jobs", no_flags, _jobs),
    Verb("job", "show one job", job_id, _job),
    Verb("stop", "stop a job, saving first", _stop_flags, _stop),
    Verb("resume", "go on with a job that failed or was stopped", _resume_flags, _resume),
    Verb("logs", "print the end of a job's log", job_id, _logs),
)
