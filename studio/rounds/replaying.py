"""A round run again from its frozen inputs: are the weights and the figures the same?

A process of its own does it (`trainers.rerun`), because the studio holds no torch, in a folder that is removed
afterwards: a replay makes no model and no job.
"""

import shutil
from typing import Any

from storage import rounds
from storage.blends import blend_of
from storage.clock import new_id
from storage.errors import Refused
from storage.jobs import get_job
from storage.models import get_model
from storage.rows_training import Job, Round, Task
from storage.store import Store
from studio.training.wishing import last_word


def replay(store: Store, number: int) -> dict[str, Any]:
    """Run a round's training again and compare.

    Returns `round, job, model` and what `trainers.rerun` found: `identical`, `sha256`, `replayed_sha256`, `steps`,
    `figures_same`, `largest_differences`, `libraries` that have changed, `seconds`. Raises NotFound, Refused where
    there is nothing to replay, BadInput where the replay fails.
    """
    turn = rounds.get_round(store, number)
    if turn.job_id is None:
        raise Refused(_untrained(store, turn))
    job = get_job(store, turn.job_id)
    if job.status != "done":
        raise Refused(f"The training of round {number} is {job.status}; only one that ended well can be replayed.")
    scratch = store.home.runs / f".replay-{new_id()}"
    try:
        found = last_word("trainers.rerun", [store.home.run(job.id), scratch], store.home.logs / "tasks.log")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {"round": number, "job": job.number, "model": _name(store, job), **found}


def _untrained(store: Store, turn: Round) -> str:
    """Why a round without a job cannot be replayed."""
    if turn.model_id is None:
        return f"Round {turn.number} has no training yet, so there is nothing to replay."
    model = get_model(store, turn.model_id)
    if blend_of(store, model.id):
        return f'"{model.name}", the candidate of round {turn.number}, was mixed and not trained; mix it again instead.'
    made = next((one for one in rounds.list_rounds(store) if one.job_id and one.job_id == model.job_id), None)
    if made is not None:
        return f'"{model.name}" was trained in round {made.number}; replay that one (`ratchet replay {made.number}`).'
    return f'"{model.name}" was not trained here, so there is nothing to replay.'


def _name(store: Store, job: Job) -> str:
    """The name that the job's model has now."""
    return get_model(store, job.model_id).name if job.model_id else job.name


def run_task(store: Store, task: Task) -> dict[str, Any]:
    """The task "replay"."""
    return replay(store, int(task.payload["round"]))
