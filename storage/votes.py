"""Votes: one idempotent insert each, keyed by an id that the client made; the newest row of a person counts.

With the row, in the same transaction: how many people's votes a comparison has (`comparisons.given`), what the person
gave that day, and the end of the person's lease.
"""

import json
from typing import Any, NamedTuple

from storage import leases, workdays
from storage.rows import Vote
from storage.store import Store

_JSON = ("ranking", "criteria", "shown_order", "shown_sha256", "chips")

UNCOUNTED = ("undo", "skip")
"""Choices that fill no slot."""

_STOOD = """
select choice, shown_order, created_at from votes where comparison_id = ? and annotator = ? order by rowid desc limit 1
"""
# The newest row of every (comparison, annotator); a withdrawn vote leaves nothing.
_CURRENT = """
select v.* from votes v
where v.rowid = (select max(w.rowid) from votes w
                 where w.comparison_id = v.comparison_id and w.annotator = v.annotator)
  and v.choice != 'undo'
"""


class Cast(NamedTuple):
    """A stored vote; `new` is False where the same id had been stored before."""

    vote: Vote
    new: bool


def cast(store: Store, vote: Vote) -> Cast:
    """Store a vote once: a repeated id changes nothing and returns what was stored first."""
    row = {name: getattr(vote, name) for name in Vote.__dataclass_fields__}
    for name in _JSON:
        row[name] = None if row[name] is None else json.dumps(row[name], ensure_ascii=False)
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    with store.write():
        before = store.one(_STOOD, [vote.comparison_id, vote.annotator])
        new = store.execute(f"insert or ignore into votes ({columns}) values ({marks})", list(row.values())) == 1
        if new:
            _note(store, vote, row["shown_order"], before)
        stored = store.one("select * from votes where id = ?", [vote.id])
    if stored is None:
        raise AssertionError(f"vote {vote.id} was neither inserted nor there before")
    return Cast(Vote.from_row(stored), new)


def _note(store: Store, vote: Vote, shown_order: str, before: dict[str, Any] | None) -> None:
    """Keep the numbers in step; a skip fills no slot."""
    step = (vote.choice not in UNCOUNTED) - (before is not None and before["choice"] not in UNCOUNTED)
    if step:
        store.execute("update comparisons set given = given + ? where id = ?", [step, vote.comparison_id])
    workdays.turn(store, vote, shown_order, before)
    leases.end(store, vote.comparison_id, vote.annotator)


def current_votes(store: Store, study_id: str, annotator: str | None = None) -> list[Vote]:
    """The votes of a study that count (skips included), oldest first; of one annotator if given."""
    rows = store.rows(
        f"{_CURRENT} and v.study_id = :study and (:annotator is null or v.annotator = :annotator) order by v.rowid",
        {"study": study_id, "annotator": annotator},
    )
    return [Vote.from_row(row) for row in rows]


def current_vote(store: Store, comparison_id: str, annotator: str) -> Vote | None:
    """The vote of one person on one comparison that counts, or None."""
    row = store.one(
        f"{_CURRENT} and v.comparison_id = :comparison and v.annotator = :annotator",
        {"comparison": comparison_id, "annotator": annotator},
    )
    return Vote.from_row(row) if row else None


def newest_vote(store: Store, study_id: str, annotator: str) -> Vote | None:
    """The last vote of a person in a study that counts: what undo withdraws."""
    row = store.one(
        f"{_CURRENT} and v.study_id = :study and v.annotator = :annotator order by v.rowid desc limit 1",
        {"study": study_id, "annotator": annotator},
    )
    return Vote.from_row(row) if row else None


def newest_votes(store: Store, study_id: str, annotator: str, limit: int, before: str | None = None) -> list[Vote]:
    """The votes of a person in a study that count (skips included), newest first; those given before that vote."""
    rows = store.rows(
        f"{_CURRENT} and v.study_id = :study and v.annotator = :annotator "
        "and (:before is null or v.rowid < (select w.rowid from votes w where w.id = :before)) "
        "order by v.rowid desc limit :limit",
        {"study": study_id, "annotator": annotator, "before": before, "limit": limit},
    )
    return [Vote.from_row(row) for row in rows]


def has_vote(store: Store, vote_id: str) -> bool:
    """Whether a vote of that id is stored."""
    return bool(store.value("select 1 from votes where id = ?", [vote_id]))


def add_label(store: Store, row: dict[str, Any]) -> bool:
    """Store one person's label of an item; a repeated (study, item, annotator) changes nothing and is False."""
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    return store.execute(f"insert or ignore into labels ({columns}) values ({marks})", list(row.values())) == 1
