"""Saved views: a name that a person gave to search, filters, order and page size of a dataset's table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.clock import new_id, now
from storage.errors import Conflict, NotFound
from storage.rows import Row
from storage.store import Store


@dataclass(frozen=True)
class View(Row):
    """A saved view of one person. `state`: what the address says of it."""

    id: str
    dataset_id: str
    author: str
    name: str
    state: dict[str, Any]
    created_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"state"})


def add_view(store: Store, dataset_id: str, author: str, name: str, state: Mapping[str, Any]) -> View:
    """Save a view; raises Conflict where the person has one of that name."""
    row = {"id": new_id(), "dataset_id": dataset_id, "author": author, "name": name, "state": json.dumps(dict(state)),
           "created_at": now()}  # fmt: skip
    with store.write():
        _refuse_twin(store, dataset_id, author, name)
        store.insert("views", row)
    return View.from_row(row)


def change_view(store: Store, view: View, name: str | None = None, state: Mapping[str, Any] | None = None) -> View:
    """Give a view another name or state; raises Conflict where the name is taken."""
    with store.write():
        if name is not None and name != view.name:
            _refuse_twin(store, view.dataset_id, view.author, name)
        store.execute(
            "update views set name = ?, state = ? where id = ?",
            [view.name if name is None else name, json.dumps(view.state if state is None else dict(state)), view.id],
        )
    return get_view(store, view.dataset_id, view.author, view.id)


def remove_view(store: Store, view: View) -> None:
    """Forget a view."""
    store.execute("delete from views where id = ?", [view.id])


def get_view(store: Store, dataset_id: str, author: str, view_id: str) -> View:
    """A view of a person; raises NotFound."""
    row = store.one("select * from views where id = ? and dataset_id = ? and author = ?", [view_id, dataset_id, author])
    if row is None:
        raise NotFound("This view is not there any more; it may have been deleted.")
    return View.from_row(row)


def list_views(store: Store, dataset_id: str, author: str) -> list[View]:
    """The views of a person on a dataset, oldest first."""
    rows = store.rows(
        "select * from views where dataset_id = ? and author = ? order by created_at, id", [dataset_id, author]
    )
    return [View.from_row(row) for row in rows]


def _refuse_twin(store: Store, dataset_id: str, author: str, name: str) -> None:
    if store.value("select 1 from views where dataset_id = ? and author = ? and name = ?", [dataset_id, author, name]):
        raise Conflict(f'You have a view named "{name}" on this dataset already; choose another name.')
