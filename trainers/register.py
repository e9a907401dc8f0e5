"""What a run made becomes a model: files first, row last, and every step can be taken twice.

Its method says what it does (`Method.makes`), the run says what it is (`artefact` of its last event): an adapter on
the base, or a model of its own, whose row is a base's with a parent.
"""

import shutil
from pathlib import Path
from typing import Any

from storage.clock import now
from storage.errors import BadInput, Conflict, NotFound
from storage.jobs import finish
from storage.models import add_model, base_of, checked_name, get_model, taken_names
from storage.rows_training import Job, Model
from storage.specs.registry import method_named
from storage.store import Store
from storage.weights import count_weights, hash_files, read_header, safetensors_files
from trainers.adapter import sync_folder
from trainers.engine.adapters import adapter_weights
from trainers.tunings import ADAPTER, MODEL


def register(store: Store, job: Job, run: Path, done: dict[str, Any]) -> Model:
    """Copy what the run made to the models, add its row and finish the job, both in one transaction.

    `done`: the run's last event: `adapter_sha256`, `probe`, and where they apply `artefact` ("adapter" or "model") and
    `labels` of a classifier. Raises BadInput where the weights are torn or not those that the run announced. A worker
    killed on the way leaves at most a folder without a row, which the next one takes over or passes by.
    """
    made = run / str(done.get("artefact") or ADAPTER)
    sha256 = verify(made, done.get("adapter_sha256"))
    while True:
        name = _free_name(store, _wish(job), sha256)
        target = _copy(made, store.home.model(name), job.id)
        try:
            with store.write():
                model = _add(store, job, name, target, sha256, done)
                finish(store, job.id, "done", model_id=model.id)
            return model
        except Conflict:  # somebody took the name in this moment
            continue


def verify(made: Path, announced: str | None) -> str:
    """The hash of a folder's weights, which must be whole and the announced ones."""
    files = [adapter_weights(made)] if (made / "adapter_config.json").exists() else safetensors_files(made)
    for file in files:
        read_header(file)
    sha256 = hash_files(files)
    if sha256 != announced:
        raise BadInput(
            f"The weights in {made} are not those that the run announced: their hash is {sha256[:12]}…, announced "
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
    """The wish, or the wish with a number: no model has it, and no folder unless it holds this very adapter."""
    taken = taken_names(store)
    number = 1
    while True:
        name = wish if number == 1 else f"{wish}-{number}"
        folder = store.home.model(name)
        if name not in taken and (not folder.exists() or _holds(folder, sha256)):
            return name
        number += 1


def _holds(folder: Path, sha256: str) -> bool:
    files = sorted(folder.glob("*.safetensors"))
    return bool(files) and hash_files(files) == sha256


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


def _add(store: Store, job: Job, name: str, path: Path, sha256: str, done: dict[str, Any]) -> Model:
    origin = get_model(store, job.base_id)
    base = base_of(store, origin)
    values: dict[str, Any] = {
        "parent_id": _parent(store, job, origin).id,
        "path": str(path),
        "template_sha256": base.template_sha256,
        "job_id": job.id,
        "labels": done.get("labels"),
        "probe": {**(done.get("probe") or {}), "at": now()},
    }
    if done.get("artefact") == MODEL:
        values |= {"base_sha256": sha256, "parameters": count_weights(path)}
    else:
        values |= {"base_id": base.id, "base_sha256": base.base_sha256, "adapter_sha256": sha256}
    return add_model(store, name, _kind(job, done), **values)


def _kind(job: Job, done: dict[str, Any]) -> str:
    """The kind of model that the job's method makes."""
    judges = {"scores": "reward", "labels": "classifier"}
    answering = "base" if done.get("artefact") == MODEL else "adapter"
    return judges.get(method_named(job.method).makes, answering)


def _parent(store: Store, job: Job, origin: Model) -> Model:
    """The model that the job trained from, as the request names it or as the job's row does."""
    try:
        return get_model(store, str(job.request.get("from_model") or origin.id))
    except NotFound:
        return origin
