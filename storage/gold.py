"""Gold: comparisons whose right answer is known, to see how well each person judges. Lifted, never deleted."""

import json
from typing import Any, NamedTuple

from storage.clock import now
from storage.store import Store


class Gold(NamedTuple):
    """One known answer. `expected`: choice, ranking or rating as `storage.rows.Vote` keeps them, by position."""

    comparison_id: str
    expected: dict[str, Any]
    note: str | None
    author: str
    created_at: float


def standing(store: Store, study_id: str) -> dict[str, dict[str, Any]]:
    """What is expected of each gold comparison of a study that has not been lifted, by its id."""
    return {gold.comparison_id: gold.expected for gold in list_gold(store, study_id)}


def list_gold(store: Store, study_id: str) -> list[Gold]:
    """The gold of a study that stands, oldest first."""
    rows = store.rows(
        "select comparison_id, expected, note, author, created_at from gold "
        "where study_id = ? and lifted_at is null order by created_at, comparison_id",
        [study_id],
    )
    return [Gold(**{**row, "expected": json.loads(row["expected"])}) for row in rows]


def put_gold(store: Store, study_id: str, comparison_id: str, expected: dict[str, Any], note: str, author: str) -> Gold:
    """Say what is expected of a comparison, from now on and of the votes that it has."""
    gold = Gold(comparison_id, expected, note or None, author, now())
    row = {**gold._asdict(), "expected": json.dumps(expected), "study_id": study_id}
    store.execute(
        "insert or replace into gold (comparison_id, study_id, expected, note, author, created_at) "
        "values (:comparison_id, :study_id, :expected, :note, :author, :created_at)",
        row,
    )
    return gold


def lift(store: Store, study_id: str, comparison_id: str) -> bool:
    """Let a comparison be like the others again; False where it was no gold."""
    return bool(
        store.execute(
            "update gold set lifted_at = ? where study_id = ? and comparison_id = ? and lifted_at is null",
            [now(), study_id, comparison_id],
        )
    )


def unseen(store: Store, study_id: str, annotator: str) -> list[str]:
    """The ready gold comparisons that a person has neither judged nor skipped nor holds, by id."""
    rows = store.rows(
        "select g.comparison_id from gold g join comparisons c on c.id = g.comparison_id "
        "where g.study_id = :study and g.lifted_at is null and c.state = 'ready' "
        "and coalesce((select v.choice from votes v where v.comparison_id = g.comparison_id "
        "              and v.annotator = :annotator order by v.rowid desc limit 1), 'undo') = 'undo' "
        "and not exists (select 1 from leases l where l.comparison_id = g.comparison_id and l.annotator = :annotator)",
        {"study": study_id, "annotator": annotator},
    )
    return [row["comparison_id"] for row in rows]
