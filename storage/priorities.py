"""Which open comparison of a study tells most: one number each, which the queue reads; 0 is as usual, less is last."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from storage.store import Store

_AT_ONCE = 500  # ids of one query


class Open(NamedTuple):
    """A comparison that people are yet to judge, with the names of who answered, by position."""

    id: str
    state: str
    names: list[str]


def open_comparisons(store: Store, study_id: str, overlap: int) -> list[Open]:
    """What is ready or on the way and has fewer votes than the study asks for, oldest first."""
    rows = store.db.conn.execute(
        "select c.id, c.state, a.model_name from comparisons c join answers a on a.comparison_id = c.id "
        "where c.study_id = ? and c.state in ('ready', 'answering', 'waiting') and c.given < ? "
        "order by c.number, a.position",
        [study_id, overlap],
    )
    found: dict[str, Open] = {}
    for identity, state, name in rows:
        found.setdefault(identity, Open(identity, state, [])).names.append(name)
    return list(found.values())


def texts_of(store: Store, comparisons: Sequence[str]) -> dict[str, list[str]]:
    """The answers' texts of comparisons, by position; those that are not made yet are left out."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(comparisons), _AT_ONCE):
        rows = store.db.conn.execute(
            "select comparison_id, text from answers where text is not null "
            "and comparison_id in (select value from json_each(?)) order by comparison_id, position",
            [json.dumps(comparisons[start : start + _AT_ONCE])],
        )
        for identity, text in rows:
            found.setdefault(identity, []).append(text)
    return found


def priorities(store: Store, study_id: str) -> dict[str, float]:
    """The comparisons of a study that have a number of their own."""
    rows = store.rows("select id, priority from comparisons where study_id = ? and priority != 0", [study_id])
    return {row["id"]: row["priority"] for row in rows}


def set_priorities(store: Store, study_id: str, wanted: Mapping[str, float]) -> int:
    """Let these comparisons have these numbers and all others none; returns how many changed."""
    with store.write() as db:
        before = priorities(store, study_id)
        changed = [(value, key) for key, value in _all(before, wanted) if before.get(key, 0.0) != value]
        db.conn.executemany("update comparisons set priority = ? where id = ?", changed)
    return len(changed)


def _all(before: Mapping[str, float], wanted: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    return ((key, wanted.get(key, 0.0)) for key in before.keys() | wanted.keys())
