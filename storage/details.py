"""What votes say beside who won, read for those who look closer: one comparison's votes, skips, ratings of criteria."""

from typing import NamedTuple

from storage.rows import Vote
from storage.store import Store

# The newest row of every (comparison, annotator) of a study: a withdrawn vote is "undo" and counts as nothing.
_NEWEST = """
from votes v where v.study_id = :study
  and v.rowid = (select max(w.rowid) from votes w
                 where w.comparison_id = v.comparison_id and w.annotator = v.annotator)
"""


class Skip(NamedTuple):
    """A comparison that somebody passed over. `reason`: None where no reason was given."""

    annotator: str
    reason: str | None
    source: str
    created_at: float


class Rated(NamedTuple):
    """A vote with ratings of criteria; `criteria` is JSON as stored: key to the values by position."""

    comparison_id: str
    annotator: str
    criteria: str
    source: str
    created_at: float


def votes_on(store: Store, comparison_id: str) -> list[Vote]:
    """The votes on a comparison that count, whole, oldest first; skips are left out."""
    rows = store.rows("select * from votes where comparison_id = ? order by rowid", [comparison_id])
    newest: dict[str, Vote] = {}
    for row in rows:
        newest.pop(row["annotator"], None)
        newest[row["annotator"]] = Vote.from_row(row)
    return [vote for vote in newest.values() if vote.choice not in ("undo", "skip")]


def skips(store: Store, study_id: str) -> list[Skip]:
    """What people have skipped in a study and not judged since."""
    columns = ", ".join(f"v.{name}" for name in Skip._fields)
    rows = store.db.conn.execute(
        f"select {columns} {_NEWEST} and v.choice = 'skip' order by v.rowid", {"study": study_id}
    )
    return [Skip(*row) for row in rows]


def criteria(store: Store, study_id: str) -> list[Rated]:
    """The ratings of criteria that count, oldest vote first."""
    columns = ", ".join(f"v.{name}" for name in Rated._fields)
    rows = store.db.conn.execute(
        f"select {columns} {_NEWEST} and v.criteria is not null and v.choice not in ('undo', 'skip') order by v.rowid",
        {"study": study_id},
    )
    return [Rated(*row) for row in rows]
