"""What a person has in the editor and has not saved: kept on the server while they type, offered when they return.

A draft is no content yet: it may be half a tool call or an empty turn, so it is kept as it is and checked on saving.
"""

from collections.abc import Mapping
from typing import Any

from storage import datasets
from storage import drafts as stored
from storage.errors import BadInput
from storage.store import Store

_LONGEST_TAB = 64


def keep(
    store: Store, name: str, example_id: str, author: str, tab: str, revision: int | None, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Keep what stands in a person's editor; `revision`: what it was made from. Raises NotFound, BadInput."""
    dataset = datasets.get_dataset(store, name)
    if not isinstance(body.get("content"), Mapping):
        raise BadInput("A draft holds the content of an example.")
    kept = stored.keep(store, dataset.id, example_id, author, tab[:_LONGEST_TAB], revision, dict(body))
    return {"saved_at": kept.saved_at}


def find(store: Store, name: str, example_id: str, author: str) -> dict[str, Any] | None:
    """What a person left unsaved of an example, or None; raises NotFound."""
    dataset = datasets.get_dataset(store, name)
    kept = stored.find(store, dataset.id, example_id, author)
    return None if kept is None else {"revision": kept.revision, "saved_at": kept.saved_at, **kept.body}


def drop(store: Store, name: str, example_id: str, author: str, tab: str | None = None) -> bool:
    """Forget it; with `tab`, only what that window wrote. Raises NotFound."""
    return stored.drop(store, datasets.get_dataset(store, name).id, example_id, author, tab)
