"""Exclusions: votes of a person, a day or a source that do not count in a study; lifted, never deleted."""

from dataclasses import dataclass

from storage.clock import new_id, now
from storage.errors import Conflict, NotFound
from storage.rows import Row
from storage.store import Store


@dataclass(frozen=True)
class Exclusion(Row):
    """What is left out of a study, and why. kind: annotator, day (UTC, 2026-01-31) or source."""

    id: str
    study_id: str
    kind: str
    value: str
    reason: str
    author: str
    created_at: float
    lifted_at: float | None
    lifted_by: str | None


def add(store: Store, study_id: str, kind: str, value: str, reason: str, author: str) -> Exclusion:
    """Leave votes out from now on; raises Conflict where that is so already."""
    with store.write():
        if _standing(store, study_id, kind, value):
            raise Conflict(f'The {kind} "{value}" is excluded from this study already.')
        row = {"id": new_id(), "study_id": study_id, "kind": kind, "value": value, "reason": reason,
               "author": author, "created_at": now(), "lifted_at": None, "lifted_by": None}  # fmt: skip
        store.insert("exclusions", row)
    return Exclusion.from_row(row)


def lift(store: Store, study_id: str, kind: str, value: str, author: str) -> Exclusion:
    """Count votes again; raises NotFound where they were not excluded."""
    with store.write():
        standing = _standing(store, study_id, kind, value)
        if standing is None:
            raise NotFound(f'The {kind} "{value}" is not excluded from this study.')
        store.execute("update exclusions set lifted_at = ?, lifted_by = ? where id = ?", [now(), author, standing.id])
    return standing


def standing(store: Store, study_id: str) -> list[Exclusion]:
    """What is left out of a study now, in the order in which it was."""
    rows = store.rows("select * from exclusions where study_id = ? and lifted_at is null order by rowid", [study_id])
    return [Exclusion.from_row(row) for row in rows]


def all_of(store: Store, study_id: str) -> list[Exclusion]:
    """Every exclusion of a study, those that were lifted too, in the order in which they were made."""
    rows = store.rows("select * from exclusions where study_id = ? order by rowid", [study_id])
    return [Exclusion.from_row(row) for row in rows]


def _standing(store: Store, study_id: str, kind: str, value: str) -> Exclusion | None:
    return next((one for one in standing(store, study_id) if (one.kind, one.value) == (kind, value)), None)
