"""Saved views of a dataset's table, each person's own. The state is checked, so that no view opens to an error."""

from collections.abc import Mapping
from typing import Any

from storage import datasets, views
from storage.errors import BadInput
from storage.store import Store
from storage.views import View
from studio.curation.filters import query_of

_KEYS = {"search", "filters", "sort", "size"}
_LONGEST = 60


def list_views(store: Store, name: str, author: str) -> list[dict[str, Any]]:
    """A person's views of a dataset."""
    return [_json(view) for view in views.list_views(store, datasets.get_dataset(store, name).id, author)]


def add_view(store: Store, name: str, author: str, title: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Save what is set in a table under a name; raises BadInput, Conflict."""
    dataset = datasets.get_dataset(store, name)
    return _json(views.add_view(store, dataset.id, author, _title(title), _state(store, state)))


def change_view(
    store: Store, name: str, author: str, view_id: str, title: str | None, state: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Rename a view, or save what is set now over it."""
    view = views.get_view(store, datasets.get_dataset(store, name).id, author, view_id)
    checked = None if state is None else _state(store, state)
    return _json(views.change_view(store, view, None if title is None else _title(title), checked))


def remove_view(store: Store, name: str, author: str, view_id: str) -> None:
    """Forget a view."""
    views.remove_view(store, views.get_view(store, datasets.get_dataset(store, name).id, author, view_id))


def _title(title: str) -> str:
    found = " ".join(title.split())
    if not found or len(found) > _LONGEST:
        raise BadInput(f"A view needs a name of 1 to {_LONGEST} characters.")
    return found


def _state(store: Store, state: Mapping[str, Any]) -> dict[str, Any]:
    """A state of the table that can be shown."""
    kept = {key: value for key, value in state.items() if key in _KEYS and value}
    filters = kept.get("filters", {})
    if not isinstance(filters, Mapping):
        raise BadInput("The filters of a view are names with values.")
    query_of(store, {**filters, "search": kept.get("search", "")}, sort=str(kept.get("sort", "")))
    return kept


def _json(view: View) -> dict[str, Any]:
    return {"id": view.id, "name": view.name, "state": view.state, "created_at": view.created_at}
