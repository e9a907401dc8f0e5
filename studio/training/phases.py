"""A plan: phases that are queued at once, each a job of its own that builds on the one before.

Either all of them are queued or none: they are put down held back, and let go together when the last one stands.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from storage import queueing
from storage.clock import new_id, now
from storage.errors import BadInput, RatchetError
from storage.rows_training import Job
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request

_MOST = 20


class Queued(NamedTuple):
    """The plan's id and its jobs in order."""

    plan: str
    jobs: list[Job]


def launch_plan(store: Store, settings: Settings, phases: Sequence[Mapping[str, Any]]) -> Queued:
    """Queue phases that follow one another; one without base starts from the model of the phase before.

    Raises BadInput where there is nothing to do or a phase cannot be; the sentence names the phase. Nothing is queued
    then.
    """
    if not 1 <= len(phases) <= _MOST:
        raise BadInput(f"A plan has 1 to {_MOST} phases, not {len(phases)}.")
    plan_id, made = new_id(), list[Job]()
    try:
        for number, phase in enumerate(phases, 1):
            made.append(_phase(store, settings, phase, number, plan_id, made))
    except BaseException:
        queueing.withdraw(store, [job.id for job in made])
        for job in made:
            shutil.rmtree(store.home.run(job.id), ignore_errors=True)
        raise
    with store.write():
        return Queued(plan_id, [queueing.release(store, job.id) for job in made])


def _phase(
    store: Store, settings: Settings, phase: Mapping[str, Any], number: int, plan_id: str, before: Sequence[Job]
) -> Job:
    request = Request.from_json(phase)
    if before:
        # Named by id: another job may have the name by the time that somebody reads the request.
        request = replace(request, after=before[-1].id, base=request.base or before[-1].name)
    try:
        return launch(store, settings, request, plan_id=plan_id, held_at=now())
    except RatchetError as error:
        raise BadInput(f"Phase {number}: {error} Nothing was queued.") from error
