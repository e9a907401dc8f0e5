"""Erasing for good, for personal data: whole rows, or one passage wherever it stands in them.

Nothing here can be taken back, so a word must be typed. What trainings packed of these rows goes as well, which ends
the chance to resume or replay those trainings; what models learnt stays, and they are named.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from storage import datasets, erasing, examples, search, tasks
from storage.erasing import Trace
from storage.errors import BadInput, Refused
from storage.queries import Query
from storage.rows import Dataset
from storage.rows_training import JOB_ENDED, Task
from storage.segments import name_of
from storage.store import Store
from studio.curation.bulk import wanted_of

WORD = "erase"
AT_ONCE = 500
"""So many rows are erased while the person waits."""

_CHUNK = 500


def reach(store: Store, name: str, wanted: Query | Sequence[str]) -> dict[str, Any]:
    """Where the texts of these rows are; changes nothing."""
    dataset = datasets.get_dataset(store, name)
    return _told(erasing.trace(store, dataset, _ids(store, dataset, wanted)))


def erase(
    store: Store, name: str, wanted: Query | Sequence[str], word: str, passage: str | None = None, progress: Any = None
) -> dict[str, Any]:
    """Erase rows, or a passage in them; returns where they had been. Raises BadInput without the word.

    Raises Refused while a training uses them: it would write them out again.
    """
    if word.strip().lower() != WORD:
        raise BadInput(f"This cannot be taken back: type “{WORD}” to go on.")
    masked = None if passage is None else erasing.without(passage)
    dataset = datasets.get_dataset(store, name)
    ids = _ids(store, dataset, wanted)
    found = erasing.trace(store, dataset, ids)
    _refuse_running(store, found)
    # Before the rows: once they are gone, nothing leads to their packs any more.
    for pack in found.packs:
        (store.home.path / pack).unlink(missing_ok=True)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        if masked is None:
            erasing.erase(store, dataset, part)
        else:
            erasing.mask(store, dataset, part, masked)
        if progress and progress(min((start + len(part)) / len(ids), 0.99), f"{start + len(part):,} rows done"):
            break  # what is erased stays erased
    return _told(found)


def _ids(store: Store, dataset: Dataset, wanted: Query | Sequence[str]) -> list[str]:
    """The rows meant, by id."""
    if not isinstance(wanted, Query):
        return list(wanted)
    return [name_of(key) for part in examples.ids(store, dataset.id, wanted) for key in part]


def _refuse_running(store: Store, found: Trace) -> None:
    for number in found.jobs:
        status = store.value("select status from jobs where number = ?", [number])
        if status not in JOB_ENDED:
            raise Refused(f"Job {number} is {status} on these rows; stop it, or wait until it has ended.")


def _told(found: Trace) -> dict[str, Any]:
    """A trace for the page."""
    told: Mapping[str, Any] = found.to_json()
    return {**told, "rows": found.examples, "runs": len(found.packs)}


def run_task(store: Store, task: Task) -> dict[str, Any]:
    """Erasing many rows, as a task."""
    wanted = wanted_of(store, task.payload.get("filters"), task.payload.get("ids"))
    done = erase(
        store, task.payload["dataset"], wanted, task.payload["confirm"], task.payload.get("text"),
        progress=lambda fraction, sentence: tasks.advance(store, task.id, fraction, sentence),
    )  # fmt: skip
    if search.scrub_due(store):
        search.scrub(store)
    return done | {"say": "erased"}
