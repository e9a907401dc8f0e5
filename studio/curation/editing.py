"""Changes by hand: each is one batch, so each can be undone and redone, and every revision stays.

Contents are checked as an import checks them, and conversations for the order that chat templates can render.
`expected_revision` is the revision that the person saw: where it is no longer the newest, Conflict is raised.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from storage import batches, changes, datasets, examples, segments
from storage import history as histories
from storage.changes import Change
from storage.contents import prepared
from storage.errors import BadInput, NotFound
from storage.rows import Batch, Dataset, Example
from storage.store import Store
from studio.curation.fields import tags_of
from studio.curation.messages import Message, check_conversation, conversation, tools_of
from studio.curation.records import RowError

_TURN = re.compile(r"(messages|prompt|chosen|rejected)\[(\d+)\]")
_PARTS = {"messages": "", "prompt": "Prompt", "chosen": "Chosen answer", "rejected": "Rejected answer"}
_KEPT = ("tools", "margin", "metadata")


class Steps(NamedTuple):
    """What undo would take back and redo would bring again, as labels; None where there is nothing."""

    undo: str | None
    redo: str | None


def checked_content(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """A content in the inner form of its kind; raises BadInput naming the field that does not fit."""
    try:
        return _checked(kind, content)
    except RowError as error:
        raise BadInput(f"{_where(error.column)}{error.message}") from error


def _where(column: str) -> str:
    """Which turn is meant, as a person counts: "Turn 2: ", "Chosen answer, turn 1: "."""
    place = _TURN.match(column)
    if not place:
        return ""
    name, turn = _PARTS[place.group(1)], int(place.group(2)) + 1
    return f"{name}, turn {turn}: " if name else f"Turn {turn}: "


def _checked(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any]
    if kind == "text":
        text = content.get("text")
        if not isinstance(text, str) or not text.strip():
            raise RowError("text", "The text is empty.")
        made = {"text": text}
    elif kind == "sft":
        made = {"messages": _messages(content, "messages")}
        check_conversation(made["messages"])
    elif kind == "prompts":
        made = {"prompt": _prompt(content)}
    else:
        made = {"prompt": _prompt(content)}
        for name in ("chosen", "rejected"):
            made[name] = _messages(content, name)
            if made[name][0]["role"] != "assistant":
                raise RowError(name, "The answer begins with an assistant turn.")
        if isinstance(content.get("margin"), int | float):
            made["margin"] = content["margin"]
    if tools := tools_of(content.get("tools")):
        made["tools"] = tools
    if isinstance(content.get("metadata"), Mapping) and content["metadata"]:
        made["metadata"] = dict(content["metadata"])
    return made


def _messages(content: Mapping[str, Any], name: str) -> list[Message]:
    return conversation(content.get(name), name).messages


def _prompt(content: Mapping[str, Any]) -> list[Message]:
    """A prompt: a conversation that ends with a user turn."""
    messages = _messages(content, "prompt")
    check_conversation(messages, "prompt", answered=False)
    if messages[-1]["role"] not in ("user", "tool"):
        raise RowError("prompt", "A prompt ends with a user turn.")
    return messages


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
    author: str = "me",
) -> Example:
    """Change what an example says, or its tags; saving what stands there already changes nothing.

    Tools, margin and metadata stay where `content` does not name them. Raises BadInput, Conflict, NotFound.
    """
    before = get(store, name, example_id)
    dataset = datasets.get_dataset(store, name)
    kept: dict[str, Any] = {key: value for key, value in before.content.items() if key in _KEPT}
    after = checked_content(dataset.kind, {**kept, **content})
    new_tags = None if tags is None else tags_of(list(tags))
    changes.edit(
        store, before, Change(after, new_tags), label=f"edited example {before.number}", author=author,
        expected_revision=expected_revision,
    )  # fmt: skip
    return examples.get_example(store, example_id)


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


def move_turn(
    store: Store, name: str, example_id: str, turn: int, to: int, *, expected_revision: int | None = None,
    author: str = "me",
) -> Example:  # fmt: skip
    """Move one turn of a conversation to another place (both counted from 0)."""
    example = get(store, name, example_id)
    messages = list(example.content.get("messages", ()))
    if not (0 <= turn < len(messages) and 0 <= to < len(messages)):
        raise BadInput(f"The conversation has {len(messages)} turns; turn {turn} cannot go to place {to}.")
    messages.insert(to, messages.pop(turn))
    content = {**example.content, "messages": messages}
    return revise(store, name, example_id, content, expected_revision=expected_revision, author=author)


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
