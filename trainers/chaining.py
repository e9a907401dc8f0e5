"""What a job waited for is there: the promised model's weights go into its `spec.json`, before it starts.

Taken twice it does the same, so that a worker may be killed on the way.
"""

import shutil
from dataclasses import replace
from typing import Any

from storage import jobs
from storage.errors import BadInput
from storage.models import base_of, get_model
from storage.rows_training import Job, Model
from storage.specs.run import Helper, RunSpec
from storage.store import Store

EARLIER = "earlier"


def fill(store: Store, job: Job) -> Job:
    """Put what the job before has made in the places that were left open; returns the job as it is then.

    Raises BadInput where that job has made no model.
    """
    if job.after_id is None:
        return job
    folder = store.home.run(job.id)
    spec = RunSpec.read(folder)
    before = jobs.get_job(store, job.after_id)
    if before.model_id is None:
        raise BadInput(f"Job {before.number} ({before.name}) has made no model to go on from; start it again.")
    model = get_model(store, before.model_id)
    if spec.awaits_base:
        store.execute("update jobs set base_id = ? where id = ?", [model.id, job.id])
        spec = replace(spec, **_origin(store, model, spec.start))
    helper = _helper(store, model)
    rewards = [one if one["base_path"] else helper for one in spec.rewards]
    teacher = helper if spec.teacher and not spec.teacher["base_path"] else spec.teacher
    replace(spec, rewards=rewards, teacher=teacher, extras=_extras(store, job, before, spec)).write(folder)
    return jobs.get_job(store, job.id)


def _origin(store: Store, model: Model, start: str) -> dict[str, Any]:
    """The fields of a spec that say where it starts: at an adapter, or at a model of its own."""
    base = base_of(store, model)
    origin = {"base_path": base.path, "base_sha256": base.base_sha256, "awaits_base": False}
    if model.base_id is None or start == "fresh":
        return {**origin, "adapter_path": None, "start": "fresh", "reference": "base"}
    return {**origin, "adapter_path": model.path, "start": start, "reference": "previous"}


def _helper(store: Store, model: Model) -> dict[str, Any]:
    base = base_of(store, model)
    return Helper(model.name, model.kind, str(base.path), model.path if model.base_id else None)._asdict()


def _extras(store: Store, job: Job, before: Job, spec: RunSpec) -> dict[str, str]:
    """The rows of the phase before, so that the evaluation tells what this one does to what that one learnt."""
    rows = store.home.run(before.id) / "data.parquet"
    if EARLIER in spec.extras or not rows.is_file():
        return spec.extras
    shutil.copyfile(rows, store.home.run(job.id) / f"{EARLIER}.parquet")
    return {**spec.extras, EARLIER: RunSpec.read(rows.parent).data_sha256}
