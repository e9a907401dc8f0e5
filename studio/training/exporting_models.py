"""Models on their way out: a process of its own writes and tests them, because the studio itself holds no torch."""

import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import tasks
from storage.clock import new_id
from storage.errors import BadInput, Refused
from storage.leaving import FORMS, OF_ADAPTERS
from storage.models import base_of, get_model
from storage.rows_training import ANSWERING, Model, Task
from storage.store import Store
from studio.curation.export_tasks import PREFIX
from studio.settings import Settings
from studio.training.model_card import model_card
from studio.training.wishing import granted


@dataclass(frozen=True)
class Leaving:
    """How a model leaves: its form, the licence that its card says, and where llama.cpp's converter is."""

    form: str
    licence: str = ""
    llama_cpp: Path | None = None


def export_model(store: Store, reference: str, leaving: Leaving, out: Path) -> dict[str, Any]:
    """Write a model to a folder that does not exist yet, and test it there.

    Returns `model, as, path, bytes, sha256, self_test{prompts, same_answers, tokens, agreement, tensors}`. Raises
    BadInput, Refused or NotFound with what stands against it.
    """
    model = exportable(store, reference, leaving.form)
    return granted("trainers.export", wish_of(store, model, leaving, out), store.home.logs / "tasks.log")


def exportable(store: Store, reference: str, form: str) -> Model:
    """The model, if it can be exported in that form."""
    model = get_model(store, reference)
    if form not in FORMS:
        raise BadInput(f'A model is exported as {", ".join(FORMS)}, not as "{form}".')
    if model.kind == "endpoint":
        raise Refused(f'"{model.name}" answers from {model.url}: its weights are not on this machine.')
    if model.gone_at is not None:
        raise Refused(f'The weights of "{model.name}" were deleted, so it cannot be exported.')
    if model.kind not in ANSWERING:
        raise Refused(f'"{model.name}" judges answers and gives none; its folder is {model.path}.')
    if form in OF_ADAPTERS and model.kind != "adapter":
        raise BadInput(f'"{model.name}" is a whole model and no adapter; export it as merged or full.')
    return model


def wish_of(store: Store, model: Model, leaving: Leaving, out: Path) -> dict[str, Any]:
    """What `trainers.export` is told."""
    base = base_of(store, model)
    return {
        "name": model.name,
        "base": str(base.path),
        "adapter": str(model.path) if model.kind == "adapter" else None,
        "form": leaving.form,
        "out": str(out.expanduser().resolve()),
        "card": model_card(store, model, leaving.form, leaving.licence),
        "hub_id": base.hub_id,
        "llama_cpp": str(leaving.llama_cpp) if leaving.llama_cpp else None,
    }


def run_export_model(store: Store, task: Task) -> dict[str, Any]:
    """The task "export-model": into the home's folder for exports, as a zip file that the page offers."""
    said = task.payload
    tasks.advance(store, task.id, 0.1, "Writing the model and testing what was written.")
    folder = store.home.exports / f".download-{new_id()}"  # a name that `export_tasks.sweep` clears after a crash
    settings = Settings.from_env(os.environ, home=store.home.path)
    leaving = Leaving(said["as"], said.get("licence", ""), settings.llama_cpp)
    try:
        found = export_model(store, said["model"], leaving, folder)
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
