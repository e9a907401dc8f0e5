"""Unsaved changes of a person to an example, kept on the server: a closed tab loses nothing.

One for each person and example; "new" stands for the example that is not written yet. `tab` names the window that
wrote it: saving in one window does not drop what another one has unsaved.
"""

import json
from dataclasses import dataclass
from typing import Any

from storage.clock import now
from storage.rows import Row
from storage.store import Store


@dataclass(frozen=True)
class Unsaved(Row):
    """What a person had in the editor. `revision`: the one that it was made from; `saved_at`: when it was kept."""

    dataset_id: str
    example_id: str
    author: str
    tab: str
    revision: int | None
    body: dict[str, Any]
    saved_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"body"})


def keep(
    store: Store, dataset_id: str, example_id: str, author: str, tab: str, revision: int | None, body: dict[str, Any]
) -> Unsaved:
    """Keep what stands in the editor, in place of what was kept before."""
    row = {"dataset_id": dataset_id, "example_id": example_id, "author": author, "tab": tab, "revision": revision,
           "body": json.dumps(body), "saved_at": now()}  # fmt: skip
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    store.execute(f"insert or replace into drafts ({columns}) values ({marks})", list(row.values()))
    return Unsaved.from_row(row)


def find(store: Store, dataset_id: str, example_id: str, author: str) -> Unsaved | None:
    """What a person has unsaved of an example."""
    row = store.one(
        "select * from drafts where dataset_id = ? and example_id = ? and author = ?", [dataset_id, example_id, author]
    )
    return Unsaved.from_row(row) if row else None


def drop(store: Store, dataset_id: str, example_id: str, author: str, tab: str | None = None) -> bool:
    """Forget what a person has unsaved; with `tab`, only where that window wrote it. Says whether there was any."""
    sql = "delete from drafts where dataset_id = ? and example_id = ? and author = ?"
    values = [dataset_id, example_id, author]
    if tab is not None:
        sql, values = f"{sql} and tab = ?", [*values, tab]
    return store.execute(sql, values) > 0
