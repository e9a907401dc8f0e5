"""What a run made on the disk, whole or not at all: an adapter without TRL's reference copy, or a whole model."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.weights import hash_files, safetensors_files
from trainers.card import write_card
from trainers.checkpoints import sync
from trainers.run import Run, Stopped
from trainers.stacking import stack
from trainers.tunings import ADAPTER, artefact_of, merges, tuning_of
from trainers.whole import load_exactly, save_whole


def save_adapter(run: Run, trainer: Any, metrics: dict[str, float], rows: int) -> str:
    """Write weights, configuration and model card to the run's `adapter/` or `model/`; returns the weights' SHA-256.

    Raises Stopped afterwards where the run was asked to stop: what was learnt so far is kept, and nothing follows.
    """
    run.phase("saving", trainer.state.global_step, trainer.state.max_steps)
    write = _write_adapter if artefact_of(run.spec) == ADAPTER else _write_model

    def fill(folder: Path) -> None:
        write(run, trainer, folder)
        write_card(folder, run.spec, metrics, rows)

    target = saved_in(run)
    replace_folder(target, fill)
    if run.stop_requested:
        raise Stopped
    return hash_files(safetensors_files(target))


def saved_in(run: Run) -> Path:
    """The folder of what the run makes."""
    return run.folder / artefact_of(run.spec)


def replace_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a folder beside the target, bring it to the disk, and put it in the target's place."""
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fill(fresh)
    sync_folder(fresh)
    shutil.rmtree(target, ignore_errors=True)
    fresh.replace(target)


def _write_adapter(run: Run, trainer: Any, folder: Path) -> None:
    """The adapter "default"; where it lies over a merged one, both as one adapter on the base."""
    trainer.model.save_pretrained(folder, selected_adapters=["default"], safe_serialization=True)
    if stacked_on := _merged_before(run, trainer):
        stack(stacked_on, folder, folder)


def _merged_before(run: Run, trainer: Any) -> Path | None:
    """The adapter that was merged into the model before the first step."""
    labelled = getattr(trainer.model.peft_config["default"], "task_type", None) == "SEQ_CLS"
    previous = run.spec.adapter_path
    return Path(previous) if previous and (labelled or merges(run.spec)) else None


def _write_model(run: Run, trainer: Any, folder: Path) -> None:
    """Every weight; an adapter that the engine cannot mix is merged into a fresh copy, so that the trainer's stays."""
    base = Path(run.spec.base_path)
    if tuning_of(run.spec) == "full":
        save_whole(trainer.model, trainer.processing_class, base, folder)
        return
    part = folder.with_name("part.new")
    try:
        trainer.model.save_pretrained(part, selected_adapters=["default"], safe_serialization=True)
        before = (Path(run.spec.adapter_path),) if run.spec.adapter_path else ()
        save_whole(load_exactly(base, (*before, part)), trainer.processing_class, base, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's files and names are on the disk."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)
