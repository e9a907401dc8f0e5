"""Starting a job: refuse what cannot work, freeze what it needs, files first and the job's row last.

A folder is written under a passing name and renamed into place inside the transaction that inserts the row, so a
crash leaves no job without files, and a repeated start (double click, retry after a lost answer) finds the job
that it made. Whoever starts a job also sees to it that a worker runs: `studio.clients.processes.start_worker`.
"""

import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from storage import jobs, queueing
from storage.clock import new_id
from storage.datasets import get_dataset
from storage.errors import BadInput
from storage.freezing import Sample, freeze_apart
from storage.home import Home
from storage.rows_training import Job
from storage.specs.registry import method_named
from storage.specs.run import RunSpec
from storage.store import Store
from storage.versions import freeze
from studio.rounds import ledger
from studio.settings import Settings
from studio.training.material import Extras, Frozen, gather, gather_extras
from studio.training.planning import Plan, plan, taken_names
from studio.training.request import REPLAYED, Request
from studio.training.rewarding import programs_of
from studio.training.yardsticks import Rows, yardsticks

# What may change the result of a run; noted so that a replay can say what differs.
_LIBRARIES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "safetensors", "numpy")
_START_ID = re.compile(r"[0-9a-z]{20,40}")


def launch(store: Store, settings: Settings, request: Request, **part_of: Any) -> Job:
    """Put a training into the queue and return its job; the same `start_id` returns the same job.

    `part_of`: `search_id` of the search that it is a trial of (trials belong to no round), `plan_id` of the plan that
    it is a phase of, `held_at` where it is to be held back at first.
    Raises BadInput, Refused, Conflict or NotFound with the first thing that stands against it.
    """
    ledger.catch_up(store)  # so that the job gets its place in the ledger, and its name the right number
    job_id = _job_id(request)
    while True:
        if existing := _existing(store, job_id):
            return existing
        thought = plan(store, request)
        if thought.refusals:
            raise BadInput(thought.refusals[0])
        if job := _attempt(store, settings, job_id, thought, part_of):
            return job


def _attempt(store: Store, settings: Settings, job_id: str, thought: Plan, part_of: Mapping[str, Any]) -> Job | None:
    """Write the folder and enqueue the job; None where another start took its name in this moment."""
    from studio.training.preflighting import memory_of  # which builds on this module

    method = method_named(thought.request.method)
    memory = memory_of(store, settings, thought)
    frozen = gather(store, method, thought.request)
    beside = gather_extras(store, method, thought.request)
    extras = beside.rows | _yardsticks(store, thought, frozen)
    folder = store.home.runs / f".new-{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    try:
        files = freeze_apart(folder, {"data": frozen.rows, **extras})
        hashes = {name: files[name].sha256 for name in extras}
        spec = spec_of(job_id, thought, files["data"].sha256, files["data"].rows, settings)
        replace(spec, extras=hashes, memory_gb=memory, **thought.helpers).write(folder)
        asked = {**thought.request.to_json(), **_mixed_in(beside)}
        return _enqueue(store, folder, job_id, thought, frozen, {**part_of, "request": asked})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mixed_in(beside: Extras) -> dict[str, str]:
    """The version that is mixed in, noted with the request, so that who learnt from it can be told later."""
    return {REPLAYED: beside.versions["replay"].id} if "replay" in beside.versions else {}


def _yardsticks(store: Store, thought: Plan, frozen: Frozen) -> dict[str, Rows | Sample]:
    """What the run is measured against at its end."""
    assert thought.origin is not None, "a plan without refusals has an origin"
    measured = freeze(store, get_dataset(store, thought.request.eval)) if thought.request.eval else frozen.version
    return yardsticks(store, measured, thought.origin.model)


def again(store: Store, settings: Settings, job: Job, start_id: str | None = None) -> Job:
    """Start what an ended job was asked to do once more, under a new job; its name is kept where it is free."""
    return instead_of(store, settings, job, Request.from_json({**job.request, "start_id": start_id}))


def instead_of(store: Store, settings: Settings, job: Job, request: Request) -> Job:
    """Start a training that takes an ended job's place: in its plan, and for those who wait for what it was to make."""
    fresh = launch(store, settings, request, **({"plan_id": job.plan_id} if job.plan_id else {}))
    queueing.follow_instead(store, job, fresh)
    return fresh


def threads_of(settings: Settings, cores: int) -> int:
    """Threads of a run: as set, or all cores but one, so that voting stays quick."""
    return settings.threads or max(1, cores - 1)


def _job_id(request: Request) -> str:
    """The client's id where there is one, else a fresh one."""
    if request.start_id is None:
        return new_id()
    if not _START_ID.fullmatch(request.start_id):
        raise BadInput(
            f'"{request.start_id[:50]}" cannot be the id of a start: 20 to 40 lower-case letters and digits.'
        )
    return request.start_id


def _existing(store: Store, job_id: str) -> Job | None:
    """The job of that id, if it has been started before."""
    return jobs.get_job(store, job_id) if store.value("select 1 from jobs where id = ?", [job_id]) else None


def spec_of(job_id: str, thought: Plan, data_sha256: str, rows: int, settings: Settings) -> RunSpec:
    """Everything that the run needs, frozen; the plan has no refusals."""
    import psutil

    cores = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else psutil.cpu_count()
    origin = thought.origin
    assert origin is not None and origin.base.path is not None, "an origin's weights were checked"
    return RunSpec(
        job=job_id,
        method=thought.request.method,
        name=thought.name,
        base_path=str(Path(origin.base.path).resolve()),
        base_sha256=origin.base.base_sha256,
        adapter_path=str(Path(origin.adapter_path).resolve()) if origin.adapter_path else None,
        awaits_base=origin.model.path is None,
        start=origin.start,
        reference=origin.reference,
        options=thought.options,
        programs=programs_of(settings, thought.options),
        data_sha256=data_sha256,
        rows=rows,
        seed=int(thought.options.get("seed", 0)),
        threads=threads_of(settings, cores or 1),
        libraries=_libraries(),
    )


def _libraries() -> dict[str, str]:
    """Versions of the libraries that a run uses, read without importing them."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # an optional one that is not installed cannot change the result
    return found


def _enqueue(
    store: Store, folder: Path, job_id: str, thought: Plan, frozen: Frozen, part_of: Mapping[str, Any]
) -> Job | None:
    """Move the folder into place, insert the row and note the round, together or not at all.

    None where the name that was promised is taken by now.
    """
    assert thought.origin is not None, "a plan without refusals has an origin"
    new = jobs.NewJob(
        id=job_id,
        name=thought.name,
        method=thought.request.method,
        base_id=thought.origin.model.id,
        version_id=frozen.version.id if frozen.version else None,
        study_id=frozen.study.id if frozen.study else None,
        policy=frozen.policy,
        when_idle=thought.request.when_idle,
        devices=thought.request.devices,
        after_id=jobs.get_job(store, thought.request.after).id if thought.request.after else None,
        **part_of,
    )
    with store.write():
        if existing := _existing(store, job_id):
            return existing
        if thought.name in taken_names(store):
            return None
        _move(store.home, folder, job_id)
        job = jobs.enqueue(store, new, frozen.prompts)
        if new.search_id is None and ledger.has_round(job.method):
            ledger.begin(store, job)
    return job


def _move(home: Home, folder: Path, job_id: str) -> None:
    """Rename the finished folder to the run's; one without a row is what a crash left."""
    target = home.run(job_id)
    if target.exists():
        shutil.rmtree(target)
    folder.rename(target)
