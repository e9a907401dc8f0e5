"""Adjudications: what a curator decided where people disagreed. One stands for a comparison; lifted, never deleted."""

import json
from dataclasses import dataclass
from typing import Any

from storage.clock import new_id, now
from storage.errors import NotFound
from storage.rows import Row
from storage.store import Store


@dataclass(frozen=True)
class Adjudication(Row):
    """A decision. choice, ranking (positions, best first, inner lists are ties) and rating are as those of a vote."""

    id: str
    comparison_id: str
    study_id: str
    choice: str
    ranking: list[Any] | None
    rating: float | None
    reason: str | None
    author: str
    created_at: float
    lifted_at: float | None = None
    lifted_by: str | None = None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"ranking"})


def add(store: Store, decision: Adjudication) -> Adjudication:
    """Let a decision stand; one that stood for the same comparison is lifted by it."""
    row = {**vars(decision), "ranking": None if decision.ranking is None else json.dumps(decision.ranking)}
    with store.write():
        _lift(store, decision.study_id, decision.comparison_id, decision.author)
        store.insert("adjudications", row)
    return decision


def decision(
    study_id: str,
    comparison_id: str,
    choice: str,
    author: str,
    ranking: list[Any] | None = None,
    rating: float | None = None,
    reason: str | None = None,
) -> Adjudication:
    """A decision of this moment, with an id of its own."""
    return Adjudication(new_id(), comparison_id, study_id, choice, ranking, rating, reason, author, now())


def lift(store: Store, study_id: str, comparison_id: str, author: str) -> Adjudication:
    """Take the decision on a comparison back; raises NotFound where none stands."""
    with store.write():
        found = standing(store, study_id).get(comparison_id)
        if found is None:
            raise NotFound(f'Nothing is decided for the comparison "{comparison_id}".')
        _lift(store, study_id, comparison_id, author)
    return found


def standing(store: Store, study_id: str) -> dict[str, Adjudication]:
    """What is decided in a study now, by the id of the comparison, in the order in which it was."""
    rows = store.rows("select * from adjudications where study_id = ? and lifted_at is null order by rowid", [study_id])
    return {row["comparison_id"]: Adjudication.from_row(row) for row in rows}


def _lift(store: Store, study_id: str, comparison_id: str, author: str) -> None:
    store.execute(
        "update adjudications set lifted_at = ?, lifted_by = ? "
        "where study_id = ? and comparison_id = ? and lifted_at is null",
        [now(), author, study_id, comparison_id],
    )
