"""The finished adapter on the disk: whole or not at all, without TRL's reference copy."""

import shutil
from pathlib import Path
from typing import Any

from storage.weights import hash_files
from trainers.card import write_card
from trainers.checkpoints import sync
from trainers.engine.adapters import WEIGHTS
from trainers.run import Run, Stopped


def save_adapter(run: Run, trainer: Any, metrics: dict[str, float], rows: int) -> str:
    """Write weights, configuration and model card to the run's `adapter/`; returns the SHA-256 of the weights.

    Raises Stopped afterwards where the run was asked to stop: what was learnt so far is kept, and nothing follows.
    """
    run.phase("saving", trainer.state.global_step, trainer.state.max_steps)
    fresh = run.folder / "adapter.new"
    shutil.rmtree(fresh, ignore_errors=True)
    trainer.model.save_pretrained(fresh, selected_adapters=["default"], safe_serialization=True)
    write_card(fresh, run.spec, metrics, rows)
    sync_folder(fresh)
    shutil.rmtree(run.adapter, ignore_errors=True)
    fresh.replace(run.adapter)
    if run.stop_requested:
        raise Stopped
    return hash_files([run.adapter / WEIGHTS])


def sync_folder(folder: Path) -> None:
    """Wait until a folder's files and names are on the disk."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)
