"""Answers that became examples: which answer, in which dataset, and for a mended one the vote that came with it."""

from typing import NamedTuple

from storage.clock import new_id, now
from storage.rows import Vote
from storage.store import Store

KEPT, FIXED = "kept", "fixed"

# Mended answers of votes that count and were given here, not in a file.
_MENDED = """
select v.* from votes v
where v.study_id = :study and v.edited is not null and v.edited_position is not null and v.source = 'studio'
  and v.choice not in ('undo', 'skip')
  and v.rowid = (select max(w.rowid) from votes w
                 where w.comparison_id = v.comparison_id and w.annotator = v.annotator)
order by v.rowid
"""


class Saved(NamedTuple):
    """One answer that stands as an example. `vote_id`: of a mended one. `text_sha256`: of what the example says."""

    id: str
    kind: str
    study_id: str
    comparison_id: str
    position: int
    vote_id: str | None
    text_sha256: str
    dataset_id: str
    example_id: str
    author: str
    created_at: float


_COLUMNS = ", ".join(Saved._fields)


def add(
    store: Store, kind: str, study_id: str, comparison_id: str, position: int, text_sha256: str, dataset_id: str,
    example_id: str, author: str, vote_id: str | None = None,
) -> Saved:  # fmt: skip
    """Note that an answer stands as an example."""
    saved = Saved(
        new_id(), kind, study_id, comparison_id, position, vote_id, text_sha256, dataset_id, example_id, author, now()
    )
    store.insert("saved", saved._asdict())
    return saved


def find(store: Store, comparison_id: str, position: int, dataset_id: str, kind: str) -> Saved | None:
    """How an answer stands in a dataset, or None."""
    row = store.one(
        f"select {_COLUMNS} from saved where comparison_id = ? and position = ? and dataset_id = ? and kind = ? "
        "and trashed_at is null order by created_at desc limit 1",
        [comparison_id, position, dataset_id, kind],
    )
    return Saved(**row) if row else None


def standing(store: Store, study_id: str, kind: str) -> list[Saved]:
    """The examples of a study that were not put into the trash with their vote."""
    rows = store.rows(
        f"select {_COLUMNS} from saved where study_id = ? and kind = ? and trashed_at is null", [study_id, kind]
    )
    return [Saved(**row) for row in rows]


def trashed(store: Store, saved: Saved) -> None:
    """Note that an example went to the trash."""
    store.execute("update saved set trashed_at = ? where id = ?", [now(), saved.id])


def hand_over(store: Store, saved: Saved, vote_id: str) -> None:
    """Note that an example belongs to another vote, which says the same."""
    store.execute("update saved set vote_id = ? where id = ?", [vote_id, saved.id])


def mended(store: Store, study_id: str) -> list[Vote]:
    """The votes of a study that count and came with a mended answer."""
    return [Vote.from_row(row) for row in store.rows(_MENDED, {"study": study_id})]
