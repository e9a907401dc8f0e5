"""Changes by hand: each is one batch, so each can be undone and redone, and every revision stays.

Contents are checked as an import checks them, and conversations for the order that chat templates can render.
`expected_revision` is the revision that the person saw: where it is no longer the newest, Conflict is raised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from storage import batches, changes, datasets, examples, segments
from storage import history as histories
from storage.changes import Change
from storage.contents import prepared
from storage.errors import BadInput, NotFound
from storage.queries import Query
from storage.rows import Batch, Dataset, Example
from storage.store import Store
from studio.curation.bulk import Action
from studio.curation.fields import tags_of
from studio.curation.handwritten import checked_content

_KEPT = ("tools", "margin", "metadata", "answers")


_ACTIONS = {"draft": "draft", "approved": "approve", "rejected": "reject"}


class Neighbours(NamedTuple):
    """What stands around an example: ids, its place from 0 (None where the query does not find it), how many in all."""

    previous: str | None
    next: str | None
    place: int | None
    total: int
    exact: bool


class Steps(NamedTuple):
    """What undo would take back and redo would bring again, as labels; None where there is nothing."""

    undo: str | None
    redo: str | None


def get(store: Store, name: str, example_id: str) -> Example:
    """An example of a dataset as it stands; raises NotFound, for a deleted one too."""
    dataset = datasets.get_dataset(store, name)
    found = examples.get_example(store, example_id)
    if found.dataset_id != dataset.id or found.status == "deleted":
        raise NotFound(f'Dataset "{dataset.name}" has no example "{example_id}"; it may have been deleted.')
    return found


def add(store: Store, name: str, content: Mapping[str, Any], tags: Sequence[str] = (), author: str = "me") -> Example:
    """Write a new example at the end of a dataset."""
    dataset = datasets.get_dataset(store, name)
    made = checked_content(dataset.kind, content)
    example_id = changes.add(store, dataset, prepared(made, tags_of(list(tags))), author)
    return examples.get_example(store, example_id)


def revise(
    store: Store,
    name: str,
    example_id: str,
    content: Mapping[str, Any],
    *,
    tags: Sequence[str] | None = None,
    expected_revision: int | None = None,
    expected_change: int | None = None,
    author: str = "me",
) -> Example:
    """Change what an example says, or its tags; saving what stands there already changes nothing.

    Tools, margin, answers and metadata stay where `content` does not name them. Raises BadInput, Conflict, NotFound.
    """
    before = get(store, name, example_id)
    dataset = datasets.get_dataset(store, name)
    kept: dict[str, Any] = {key: value for key, value in before.content.items() if key in _KEPT}
    after = checked_content(dataset.kind, {**kept, **content}, before.content)
    new_tags = None if tags is None else tags_of(list(tags))
    changes.edit(
        store, before, Change(after, new_tags), label=f"edited example {before.number}", author=author,
        expected_revision=expected_revision, expected_change=expected_change,
    )  # fmt: skip
    return examples.get_example(store, example_id)


def set_status(
    store: Store, name: str, example_id: str, status: str, reason: str | None = None, author: str = "me"
) -> Example:
    """Make an example a draft, approved or rejected; raises BadInput for other words or a rejection without a reason.

    One transaction: it waits for no bulk change, and a bulk change that runs leaves the row as it is here.
    """
    example = get(store, name, example_id)
    if status not in _ACTIONS:
        raise BadInput(f'"{status}" is no status; there are {", ".join(_ACTIONS)}.')
    action = Action.checked(_ACTIONS[status], reason=reason)
    changes.edit(
        store, example, Change(status=status, reason=action.reason), kind=action.name, author=author,
        label=action.label(f"example {example.number}"),
    )  # fmt: skip
    return examples.get_example(store, example_id)


def neighbours(store: Store, name: str, example_id: str, query: Query, page: int = 1) -> Neighbours:
    """The examples before and after one, of those that a query finds, in its order.

    In the dataset's own order its place is counted; in another order it is looked for on the page (of `query.limit`
    rows) from which it was opened.
    """
    example = get(store, name, example_id)
    offset, limit = (page - 1) * query.limit - 1, query.limit + 2
    if query.sort == "number":
        offset, limit = examples.count_before(store, example, query) - 1, 3
    start = max(offset, 0)
    found = examples.page(store, example.dataset_id, replace(query, offset=start, limit=limit, after=None))
    ids = [item.id for item in found.examples]
    if example.id not in ids:
        return Neighbours(None, None, None, found.total, found.exact)
    at = ids.index(example.id)
    following = ids[at + 1] if at + 1 < len(ids) else None
    return Neighbours(ids[at - 1] if at else None, following, start + at, found.total, found.exact)


def delete(store: Store, name: str, example_ids: Sequence[str], author: str = "me") -> int:
    """Move examples to the trash, in one step that can be undone; returns how many."""
    dataset = datasets.get_dataset(store, name)
    found = [get(store, dataset.id, example_id) for example_id in dict.fromkeys(example_ids)]
    what = f"example {found[0].number}" if len(found) == 1 else "{count} examples"
    batch = changes.change(
        store, dataset, [item.id for item in found], lambda _: Change(status="deleted"), kind="delete",
        label=f"deleted {what}", author=author,
    )  # fmt: skip
    return int(batch.detail["rows"]) if batch else 0


def duplicate(store: Store, name: str, example_id: str, author: str = "me") -> Example:
    """Write a copy of an example at the end of its dataset."""
    original = get(store, name, example_id)
    dataset = datasets.get_dataset(store, name)
    row = prepared(original.content, tuple(original.tags))
    copy_id = changes.add(store, dataset, row, author, what=f"duplicated example {original.number}")
    return examples.get_example(store, copy_id)


def undo(store: Store, name: str) -> Batch | None:
    """Take back the newest change of a dataset; None where there is none."""
    return batches.undo(store, datasets.get_dataset(store, name).id)


def redo(store: Store, name: str) -> Batch | None:
    """Bring back what was undone last; None where there is nothing."""
    return batches.redo(store, datasets.get_dataset(store, name).id)


def steps(store: Store, dataset: Dataset) -> Steps:
    """What undo and redo would do now."""
    steps = batches.list_batches(store, dataset.id, limit=200)
    done = next((step for step in steps if step.state == "published"), None)
    undone = next((step for step in reversed(steps) if step.state == "undone"), None)
    return Steps(label_of(done) if done else None, label_of(undone) if undone else None)


def label_of(batch: Batch) -> str:
    """A change in words: "edited example 12"."""
    return str(batch.detail.get("label") or batch.kind)


def history(store: Store, name: str, example_id: str) -> list[dict[str, Any]]:
    """The states of an example that count or counted, oldest first."""
    dataset = datasets.get_dataset(store, name)
    if segments.get_dataset_id(store, segments.key_of(example_id)) != dataset.id:
        raise NotFound(f'Dataset "{dataset.name}" has no example "{example_id}".')
    return [item for item in histories.history(store, example_id) if item["state"] in ("published", "undone")]
