"""Second looks: the same person judges the same comparison again, unawares; rows like votes that never count."""

from typing import NamedTuple

from storage.rows import RANKED, RATED
from storage.store import Store

_NEWEST = """
and l.undone_by is null
and l.rowid = (select max(w.rowid) from second_looks w
               where w.study_id = l.study_id and w.annotator = l.annotator and w.comparison_id = l.comparison_id)
"""
# So far back a comparison for a second look is sought: the cost stays the same however much a person has judged.
_REACH = 500


class Look(NamedTuple):
    """A second look. `vote_id`: the vote that it repeats. `ranking`, `shown_order`: JSON as in votes, by position.

    `agreed`: whether it says what the vote said, wherever the answers stood. `undone_by`: id of the undo.
    """

    id: str
    vote_id: str
    comparison_id: str
    study_id: str
    annotator: str
    choice: str
    ranking: str | None
    rating: float | None
    shown_order: str
    agreed: int
    seconds: float | None
    created_at: float
    undone_by: str | None = None


class Earlier(NamedTuple):
    """A vote that might be looked at again: newest first."""

    vote_id: str
    comparison_id: str
    shown_order: str


def standing(store: Store, study_id: str) -> list[Look]:
    """The second looks of a study that tell how a person agrees with themselves: neither taken back nor skipped."""
    return [one for one in _looks(store, f"l.study_id = ? {_NEWEST}", [study_id]) if one.choice != "skip"]


def current(store: Store, study_id: str, comparison_id: str, annotator: str) -> Look | None:
    """What a person said at the second look, or None."""
    condition = f"l.study_id = ? and l.annotator = ? and l.comparison_id = ? {_NEWEST}"
    return next(iter(_looks(store, condition, [study_id, annotator, comparison_id])), None)


def newest(store: Store, study_id: str, annotator: str) -> Look | None:
    """The last second look of a person that stands."""
    found = _looks(store, f"l.study_id = ? and l.annotator = ? {_NEWEST}", [study_id, annotator])
    return found[-1] if found else None


def find(store: Store, look_id: str) -> Look | None:
    """A second look by the id that the browser made, taken back or not."""
    return next(iter(_looks(store, "l.id = ?", [look_id])), None)


def add(store: Store, look: Look) -> None:
    """Write a second look down."""
    store.insert("second_looks", look._asdict())


def undo(store: Store, look: Look, undo_id: str) -> None:
    """Take a second look back, with what was said before at the same one."""
    store.execute(
        "update second_looks set undone_by = ? where study_id = ? and annotator = ? and comparison_id = ?",
        [undo_id, look.study_id, look.annotator, look.comparison_id],
    )


def was_undone_by(store: Store, study_id: str, annotator: str, undo_id: str) -> bool:
    """Whether an undo took back a second look before."""
    return bool(
        store.value(
            "select 1 from second_looks where study_id = ? and annotator = ? and undone_by = ?",
            [study_id, annotator, undo_id],
        )
    )


def eligible(store: Store, study_id: str, annotator: str) -> list[Earlier]:
    """Votes of a person that count, of whose comparison there was no second look, the newest first."""
    rows = store.db.conn.execute(
        "select v.id, v.comparison_id, v.shown_order from "
        "(select rowid as place, * from votes where study_id = ? and annotator = ? order by rowid desc limit ?) v "
        "join comparisons c on c.id = v.comparison_id and c.state = 'ready' "
        f"where v.choice in ('a', 'b', 'tie', 'both_bad', '{RANKED}', '{RATED}') "
        "and v.place = (select max(w.rowid) from votes w "
        "               where w.comparison_id = v.comparison_id and w.annotator = v.annotator) "
        "and not exists (select 1 from leases l where l.comparison_id = v.comparison_id "
        "                and l.annotator = v.annotator and l.kind like 'second%') "
        "and not exists (select 1 from gold g where g.comparison_id = v.comparison_id and g.lifted_at is null) "
        "order by v.place desc",
        [study_id, annotator, _REACH],
    )
    return [Earlier(*row) for row in rows]


def _looks(store: Store, condition: str, values: list[str]) -> list[Look]:
    columns = ", ".join(f"l.{name}" for name in Look._fields)
    rows = store.db.conn.execute(f"select {columns} from second_looks l where {condition} order by l.rowid", values)
    return [Look(*row) for row in rows]
