"""What votes say beside who won, read for those who look closer: one comparison's votes, skips, criteria, second
looks."""

import json
from typing import Any, NamedTuple

from storage.rows import Vote
from storage.second_looks import standing
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


class SecondLook(NamedTuple):
    """What a person said of a comparison at first and when it came again; rankings and orders are JSON as stored."""

    comparison_id: str
    annotator: str
    agreed: int
    first_choice: str
    first_ranking: str | None
    first_rating: float | None
    first_order: str
    choice: str
    ranking: str | None
    rating: float | None
    order: str
    source: str
    created_at: float


def second_looks(store: Store, study_id: str) -> list[SecondLook]:
    """The second looks of a study that count, oldest first."""
    firsts = {
        row[0]: row[1:]
        for row in store.db.conn.execute(
            "select id, choice, ranking, rating, shown_order, source from votes "
            "where id in (select vote_id from second_looks where study_id = ?)",
            [study_id],
        )
    }
    found = []
    for look in standing(store, study_id):
        choice, ranking, rating, order, source = firsts[look.vote_id]
        first, second = (choice, ranking, rating, order), (look.choice, look.ranking, look.rating, look.shown_order)
        found.append(
            SecondLook(look.comparison_id, look.annotator, look.agreed, *first, *second, source, look.created_at)
        )
    return found


def histories(store: Store, study_id: str) -> dict[tuple[str, int], Any]:
    """The turns that a side went on by itself, where it did: by comparison and position."""
    rows = store.db.conn.execute(
        "select a.comparison_id, a.position, a.history from answers a join comparisons c on c.id = a.comparison_id "
        "where c.study_id = ? and a.history is not null",
        [study_id],
    )
    return {(comparison_id, position): json.loads(history) for comparison_id, position, history in rows}
