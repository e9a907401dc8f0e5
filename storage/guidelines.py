"""Guidelines of a study, by version: what annotators are asked to look at. Appended, never changed."""

from typing import NamedTuple

from storage.clock import now
from storage.store import Store


class Guidelines(NamedTuple):
    """One version; `text` is Markdown. A vote keeps the number of the version that was in force."""

    number: int
    text: str
    author: str
    created_at: float


def add_guidelines(store: Store, study_id: str, text: str, author: str) -> Guidelines:
    """Write the next version; the newest one again where its text is the same."""
    with store.write():
        newest = newest_guidelines(store, study_id)
        if newest is not None and newest.text == text:
            return newest
        made = Guidelines(newest.number + 1 if newest else 1, text, author, now())
        store.insert("guidelines", {"study_id": study_id, **made._asdict()})
    return made


def newest_guidelines(store: Store, study_id: str) -> Guidelines | None:
    """The version in force, or None."""
    return next(iter(list_guidelines(store, study_id, limit=1)), None)


def list_guidelines(store: Store, study_id: str, limit: int = -1) -> list[Guidelines]:
    """The versions, newest first."""
    rows = store.rows(
        "select number, text, author, created_at from guidelines where study_id = ? order by number desc limit ?",
        [study_id, limit],
    )
    return [Guidelines(**row) for row in rows]
