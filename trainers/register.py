"""A finished adapter becomes a model: files first, row last, and every step can be taken twice."""

import shutil
from pathlib import Path
from typing import Any

from storage.clock import now
from storage.errors import BadInput, Conflict, NotFound
from storage.jobs import finish
from storage.models import add_model, base_of, checked_name, get_model
from storage.rows_training import Job, Model
from storage.store import Store
from storage.weights import hash_files, read_header
from trainers.adapter import sync_folder
from trainers.engine.adapters import WEIGHTS, adapter_weights


def register(store: Store, job: Job, run: Path, done: dict[str, Any]) -> Model:
    """Copy the run's adapter to the models, add its row and finish the job, both in one transaction.

    Raises BadInput where the adapter is torn or is not the one that the run announced. A worker killed on the way
    leaves at most a folder without a row, which the next one takes over or passes by.
    """
    sha256 = verify(run / "adapter", done.get("adapter_sha256"))
    while True:
        name = _free_name(store, _wish(job), sha256)
        target = _copy(run / "adapter", store.home.model(name), job.id)
        try:
            with store.write():
                model = _add(store, job, name, target, sha256, done.get("probe"))
                finish(store, job.id, "done", model_id=model.id)
            return model
        except Conflict:  # somebody took the name in this moment
            continue


def verify(adapter: Path, announced: str | None) -> str:
    """The hash of an adapter's weights, which must be whole and the announced ones."""
    weights = adapter_weights(adapter)
    read_header(weights)
    sha256 = hash_files([weights])
    if sha256 != announced:
        raise BadInput(
            f"The adapter in {adapter} is not the one that the run announced: its hash is {sha256[:12]}…, announced "
            f"was {str(announced)[:12]}…. Start the job again."
        )
    return sha256


def _wish(job: Job) -> str:
    """The name that was asked for, or the job's own where that is no name."""
    for wish in (job.request.get("name"), job.name):
        try:
            return checked_name(str(wish or ""))
        except BadInput:
            continue
    return f"job-{job.number}"


def _free_name(store: Store, wish: str, sha256: str) -> str:
    """The wish, or the wish with a number: no row has it, and no folder unless it holds this very adapter."""
    taken = {row["name"] for row in store.rows("select name from models")}
    number = 1
    while True:
        name = wish if number == 1 else f"{wish}-{number}"
        folder = store.home.model(name)
        if name not in taken and (not folder.exists() or _holds(folder, sha256)):
            return name
        number += 1


def _holds(folder: Path, sha256: str) -> bool:
    return (folder / WEIGHTS).is_file() and hash_files([folder / WEIGHTS]) == sha256


def _copy(adapter: Path, target: Path, job_id: str) -> Path:
    """Copy beside the target first, so that a folder under a model's name is always whole."""
    if target.exists():
        return target
    fresh = target.with_name(f".{job_id}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(adapter, fresh)
    sync_folder(fresh)
    fresh.replace(target)
    sync_folder(target.parent)
    return target


def _add(store: Store, job: Job, name: str, path: Path, sha256: str, probe: dict[str, Any] | None) -> Model:
    origin = get_model(store, job.base_id)
    base = base_of(store, origin)
    return add_model(
        store,
        name,
        "adapter",
        base_id=base.id,
        parent_id=_parent(store, job, origin).id,
        path=str(path),
        base_sha256=base.base_sha256,
        adapter_sha256=sha256,
        template_sha256=base.template_sha256,
        job_id=job.id,
        probe={**(probe or {}), "at": now()},
    )


def _parent(store: Store, job: Job, origin: Model) -> Model:
    """The model that the job trained from, as the request names it or as the job's row does."""
    try:
        return get_model(store, str(job.request.get("from_model") or origin.id))
    except NotFound:
        return origin
