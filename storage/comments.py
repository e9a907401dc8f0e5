"""What people say about an example: who, when, and in which words. Only its author changes or removes a comment.

A removed comment stays for a day, so that removing can be undone, and is gone with the next write after that.
`example_id` is the name by which the example is known outside of the store ("2-15").
"""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.clock import new_id, now
from storage.errors import NotFound, Refused
from storage.rows import Row
from storage.store import Store

_KEPT_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Comment(Row):
    """One comment. `edited_at`: when its author last changed it, None where it is as it was written."""

    id: str
    dataset_id: str
    example_id: str
    author: str
    text: str
    created_at: float
    edited_at: float | None
    removed_at: float | None


def add(store: Store, dataset_id: str, example_id: str, author: str, text: str) -> Comment:
    """Write a comment."""
    row = {"id": new_id(), "dataset_id": dataset_id, "example_id": example_id, "author": author,
           "text": _storable(text), "created_at": now(), "edited_at": None, "removed_at": None}  # fmt: skip
    with store.write():
        store.execute("delete from comments where removed_at < ?", [now() - _KEPT_SECONDS])
        store.insert("comments", row)
    return Comment.from_row(row)


def edit(store: Store, comment_id: str, author: str, text: str) -> Comment:
    """Change the words of a comment; raises NotFound, or Refused where somebody else wrote it."""
    return _change(store, comment_id, author, {"text": _storable(text), "edited_at": now()})


def remove(store: Store, comment_id: str, author: str) -> Comment:
    """Take a comment away; raises as `edit`."""
    return _change(store, comment_id, author, {"removed_at": now()})


def restore(store: Store, comment_id: str, author: str) -> Comment:
    """Bring back a comment that was removed within the last day; raises as `edit`."""
    return _change(store, comment_id, author, {"removed_at": None})


def _change(store: Store, comment_id: str, author: str, values: Mapping[str, object]) -> Comment:
    with store.write():
        row = store.one("select * from comments where id = ?", [comment_id])
        if row is None:
            raise NotFound("This comment is gone.")
        if row["author"] != author:
            raise Refused(f"This comment was written by {row['author']}; only they can change or remove it.")
        sets = ", ".join(f"{name} = ?" for name in values)
        store.execute(f"update comments set {sets} where id = ?", [*values.values(), comment_id])
        return Comment.from_row({**row, **values})


def of_example(store: Store, dataset_id: str, example_id: str) -> list[Comment]:
    """The comments on an example, oldest first."""
    rows = store.rows(
        "select * from comments where dataset_id = ? and example_id = ? and removed_at is null order by created_at, id",
        [dataset_id, example_id],
    )
    return [Comment.from_row(row) for row in rows]


def _storable(text: str) -> str:
    """SQLite's text is UTF-8, which has no place for half a character."""
    return text.encode("utf-8", "replace").decode()
