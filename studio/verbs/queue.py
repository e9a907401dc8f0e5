"""Verbs about the queue of trainings: queue, hold, release, move, plan."""

import argparse
import json
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, no_flags, table

_COLUMNS = ("position", "number", "name", "method", "reason")


def _shown(data: dict[str, Any]) -> str:
    """The queue for people: what runs, then what waits."""
    running = [f"job {slot['job']['number']} ({slot['job']['name']}) runs on {slot['device']}"
               for slot in data["slots"] if slot["job"]]  # fmt: skip
    waiting = table(data["waiting"], _COLUMNS) if data["waiting"] else "nothing waits"
    return "\n".join([*(running or ["nothing runs"]), waiting])


def _queue(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.queue()
    return Outcome(data, _shown(data))


def _job_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="job, by id or number")


def _hold(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.hold(args.id)
    return Outcome(data, _shown(data))


def _release(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.release(args.id)
    return Outcome(data, _shown(data))


def _move_flags(parser: argparse.ArgumentParser) -> None:
    _job_id(parser)
    parser.add_argument("--before", metavar="ID", help="job that it is to come before (default: to the end)")


def _move(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.move(args.id, args.before)
    return Outcome(data, _shown(data))


def _plan_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help='JSON: {"phases": [{"method": …, "base": …}, …]}')


def _plan(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.plan(_phases(args.file))
    return Outcome(data, table(data["jobs"], ("number", "name", "method", "status")))


def _phases(path: Path) -> list[dict[str, Any]]:
    """The phases of a plan's file; raises BadInput where it holds none."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f'The plan "{path}" cannot be read ({error}); write JSON such as {{"phases": […]}}.') from error
    phases = said.get("phases") if isinstance(said, dict) else said
    if not isinstance(phases, list) or not all(isinstance(phase, dict) for phase in phases):
        raise BadInput(f'The plan "{path}" holds no list of phases; write JSON such as {{"phases": [{{…}}, {{…}}]}}.')
    return phases


VERBS = (
    Verb("queue", "show what runs and what waits, in order and why", no_flags, _queue),
    Verb("hold", "hold a waiting job back", _job_id, _hold),
    Verb("release", "let a job that was held back go on", _job_id, _release),
    Verb("move", "put a waiting job before another one, or at the end", _move_flags, _move),
    Verb("plan", "queue trainings that build on one another, all or none", _plan_flags, _plan),
)
