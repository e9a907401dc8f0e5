"""Models on their way out: a process of its own writes and tests them, because the studio itself holds no torch."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

from storage import tasks
from storage.clock import new_id
from storage.errors import BadInput, Refused
from storage.models import base_of, get_model
from storage.rows_training import ANSWERING, Model, Task
from storage.store import Store
from studio.curation.export_tasks import PREFIX
from studio.training.wishing import granted

FORMS = ("adapter", "merged", "full")
"""As it is; merged into its base, in the base's number format; merged and written in float32."""


def export_model(store: Store, reference: str, form: str, out: Path) -> dict[str, Any]:
    """Write a model to a folder that does not exist yet, and test it there.

    Returns `model, as, path, bytes, sha256, self_test{prompts, same_answers, tokens, agreement}`. Raises BadInput,
    Refused or NotFound with what stands against it.
    """
    model = exportable(store, reference, form)
    return granted("trainers.export", wish_of(store, model, form, out), store.home.logs / "tasks.log")


def exportable(store: Store, reference: str, form: str) -> Model:
    """The model, if it can be exported in that form."""
    model = get_model(store, reference)
    if form not in FORMS:
        raise BadInput(f'A model is exported as {", ".join(FORMS)}, not as "{form}".')
    if model.kind == "endpoint":
        raise Refused(f'"{model.name}" answers from {model.url}: its weights are not on this machine.')
    if model.kind not in ANSWERING:
        raise Refused(f'"{model.name}" judges answers and gives none; its folder is {model.path}.')
    if form == "adapter" and model.kind != "adapter":
        raise BadInput(f'"{model.name}" is a whole model and no adapter; export it as merged or full.')
    return model


def wish_of(store: Store, model: Model, form: str, out: Path) -> dict[str, Any]:
    """What `trainers.export` is told."""
    base = base_of(store, model)
    return {
        "name": model.name,
        "base": str(base.path),
        "adapter": str(model.path) if model.kind == "adapter" else None,
        "form": form,
        "out": str(out.expanduser().resolve()),
    }


def run_export_model(store: Store, task: Task) -> dict[str, Any]:
    """The task "export-model": into the home's folder for exports, as a zip file that the page offers."""
    said = task.payload
    tasks.advance(store, task.id, 0.1, "Writing the model and testing what was written.")
    folder = store.home.exports / f".download-{new_id()}"  # a name that `export_tasks.sweep` clears after a crash
    try:
        found = export_model(store, said["model"], said["as"], folder)
        tasks.advance(store, task.id, 0.8, "Packing it.")
        path = _pack(folder, store.home.exports / f"{PREFIX}{new_id()}-{found['model']}-{found['as']}.zip")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {**found, "path": str(path), "file": path.name, "bytes": path.stat().st_size}


def _pack(folder: Path, target: Path) -> Path:
    """The folder's files in a zip file, stored as they are: weights do not get smaller."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return target
