"""Checks, mends and token counts as tasks: at the lowest priority, with progress, stopped when somebody asks."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from storage import tasks
from storage.datasets import get_dataset
from storage.models import get_model
from storage.rows_training import Task
from storage.store import Store
from studio.clients.engine import Engine
from studio.curation.checks.mending import mend
from studio.curation.checks.running import Options, run
from studio.curation.counting import count_tokens

KINDS = ("check", "mend", "tokens")
_PAUSE = 0.25  # seconds between two writes of progress, each of which waits for the disk


def run_check(store: Store, task: Task) -> dict[str, Any]:
    """Bring the findings of a dataset up to date; payload: dataset, model?, most_tokens?, against?."""
    wanted = task.payload
    options = Options(wanted.get("model"), wanted.get("most_tokens"), wanted.get("against"))
    done = run(store, get_dataset(store, wanted["dataset"]), options, _paced(store, task))
    return {"dataset": wanted["dataset"], **done._asdict()}


def run_mend(store: Store, task: Task) -> dict[str, Any]:
    """Mend all rows in which a check found something; payload: dataset, check, author?."""
    wanted = task.payload
    dataset = get_dataset(store, wanted["dataset"])
    return mend(store, dataset, wanted["check"], wanted.get("author", "me"), _paced(store, task)).to_json()


def run_tokens(store: Store, task: Task) -> dict[str, Any]:
    """Count the tokens of a dataset by a model's tokenizer; payload: dataset, model."""
    wanted = task.payload
    dataset, model = get_dataset(store, wanted["dataset"]), get_model(store, wanted["model"])
    counts = count_tokens(store, dataset, model, Engine(store.home), _paced(store, task))
    return {"dataset": wanted["dataset"], "counted": counts.counted, "refused": counts.refused,
            "tokenizer": counts.tokenizer.sha256, "context": counts.tokenizer.context}  # fmt: skip


def running_task(store: Store, dataset: str) -> Task | None:
    """The task of this family that works on a dataset now."""
    for task in tasks.list_tasks(store):
        if task.kind in KINDS and task.status in ("queued", "running") and task.payload.get("dataset") == dataset:
            return task
    return None


def _paced(store: Store, task: Task) -> Callable[[float, str], bool]:
    """Progress written a few times a second; True where somebody asked to stop."""
    last = 0.0

    def tell(fraction: float, sentence: str) -> bool:
        nonlocal last
        if monotonic() - last < _PAUSE:
            return False
        last = monotonic()
        return tasks.advance(store, task.id, fraction, sentence)

    return tell
