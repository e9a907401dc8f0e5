"""Shapes with lists of messages: OpenAI's `messages`, ShareGPT's `conversations`, Bedrock's with `system` beside.

The list may be a list of objects that name their speakers, of texts by turns, of pairs, JSON text (in tables), or
columns of roles and contents (as `datasets` keeps them).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from studio.curation.examples import Made
from studio.curation.fields import Row, filled, made
from studio.curation.message_parts import content_text
from studio.curation.messages import Message, conversation, said_by, speaker_key
from studio.curation.records import RowError
from studio.curation.shapes import Shape
from studio.curation.table_rows import structured

LISTS = (
    "messages",
    "conversations",
    "conversation",
    "contents",
    "dialogue",
    "dialog",
    "chat",
    "items",
    "turns",
    "conversationTurns",
    "data",
)
SYSTEMS = ("system", "system_prompt", "systemInstruction", "system_instruction")
# Fields of a turn that holds both a question and its answer.
_EXCHANGES = (
    ("human", "assistant"), ("user", "assistant"), ("human", "gpt"), ("prompt", "response"), ("query", "response"),
    ("input", "output"), ("question", "answer"), ("instruction", "output"), ("user", "bot"),
    ("prompt", "referenceResponses"),
)  # fmt: skip


def listed(value: Any) -> list[Any] | None:
    """A list of messages, however a file keeps it; None for what is none."""
    if isinstance(value, str):
        value = structured(value) if value[:1] in ("[", "{") else None
    if isinstance(value, Mapping):
        value = _zipped(value)
    return value if isinstance(value, list) else None


def _zipped(value: Mapping[str, Any]) -> list[Any] | None:
    """Messages kept as columns: one list of roles, one of contents; or wrapped in an object."""
    if isinstance(value.get("messages"), list):
        found: list[Any] = value["messages"]
        return found
    columns = {key: column for key, column in value.items() if isinstance(column, list)}
    if speaker_key(columns) is None or len({len(column) for column in columns.values()}) != 1:
        return None
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def turns_of(row: Row) -> tuple[str, list[Any]] | None:
    """The field that holds the list of messages, and the list; None where there is none."""
    for name in LISTS:
        if name in row and (found := listed(row[name])) is not None and _is_talk(name, found):
            return name, found
    return None


def _is_talk(name: str, items: list[Any]) -> bool:
    """Whether a list is a conversation; a name that may mean anything needs items that look like turns."""
    if name in LISTS[:3] and (not items or isinstance(items[0], Mapping)):
        return True
    if not items:
        return False
    if all(isinstance(item, str) for item in items):
        return name not in ("items", "turns", "messages") and (name == "conversations" or len(items) > 1)
    talking = [item for item in items if isinstance(item, Mapping) and (speaker_key(item) or _exchange(item))]
    return bool(talking)


def _exchange(item: Mapping[str, Any]) -> tuple[str, str] | None:
    """The fields of a turn that holds both a question and its answer."""
    return next((pair for pair in _EXCHANGES if pair[0] in item and pair[1] in item), None)


def _messages(items: list[Any], name: str) -> tuple[list[Message], dict[str, Any]]:
    """The messages of a list, and what they held beyond the inner form."""
    if items and all(isinstance(item, str) for item in items):
        items = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(items)]
    elif items and isinstance(items[0], Mapping) and not speaker_key(items[0]) and _exchange(items[0]):
        items = _taken_apart(items)
    return conversation(items, name)


def _taken_apart(items: list[Any]) -> list[Any]:
    """Turns that hold a question and its answer, as messages."""
    found: list[Any] = []
    for item in items:
        pair = _exchange(item) if isinstance(item, Mapping) else None
        if pair is None:
            found.append(item)
            continue
        if isinstance(item.get("system"), str) and item["system"].strip() and not found:
            found.append({"role": "system", "content": item["system"]})
        asked, answer = (_inner(item[name]) for name in pair)
        found += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return found


def _inner(value: Any) -> Any:
    """What a question or answer says that is kept in an object, or in a list of such objects (Bedrock's references)."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping) and "content" in value[0]:
        value = value[0]
    return value["content"] if isinstance(value, Mapping) and "content" in value else value


def with_system(row: Row, messages: list[Message], used: list[str]) -> tuple[list[Message], list[str]]:
    """Messages behind the system prompt that stands beside them."""
    name = next((name for name in SYSTEMS if filled(row, name)), None)
    if name is None or said_by(messages, "system"):
        return messages, used
    parts = row[name].get("parts", row[name]) if isinstance(row[name], Mapping) else row[name]
    return [{"role": "system", "content": content_text(parts, name)}, *messages], [*used, name]


def _answered(row: Row) -> bool:
    """Whether the answers stand outside the list: then it is a preference, or a judged answer, and not ours."""
    if len(row) == 1:
        return False
    if "label" in row or "kto_tag" in row:
        return isinstance(row.get("label"), bool) or isinstance(row.get("kto_tag"), bool)
    return any(filled(row, name) for name in ("chosen", "rejected"))


def _make(row: Row) -> Made:
    """A conversation; without an assistant turn it is a prompt."""
    name, items = turns_of(row) or ("messages", row.get("messages"))
    messages, extras = _messages(items, name) if isinstance(items, list) else conversation(items, name)
    messages, used = with_system(row, messages, [name]) if len(row) > 1 else (messages, [name])
    if said_by(messages, "assistant"):
        return made("sft", {"messages": messages}, row, used, extras)
    if not said_by(messages, "user"):
        raise RowError(name, "The conversation has neither a user nor an assistant turn.")
    return made("prompts", {"prompt": messages}, row, used, extras)


def _speaks(row: Row, key: str) -> bool:
    """Whether the messages of a record use this key for who speaks; in a broken row the first that can be told."""
    if _answered(row):
        return False
    found = turns_of(row)
    return found is not None and any(key in item for item in found[1] if isinstance(item, Mapping))


def _is_messages(row: Row) -> bool:
    # Most rows by far are so: looked at first, and closely no further than the first message.
    items = row.get("messages")
    if type(items) is list and items and type(items[0]) is dict and "role" in items[0]:
        return len(row) == 1 or not _answered(row)
    return _speaks(row, "role")


def _is_sharegpt(row: Row) -> bool:
    return _speaks(row, "from")


def _is_list(row: Row) -> bool:
    """A list of messages in which nobody is named: it fits, so that its error can be told."""
    return not _answered(row) and turns_of(row) is not None


CHAT_SHAPES: tuple[Shape, ...] = (
    Shape("messages", _is_messages, _make),
    Shape("sharegpt", _is_sharegpt, _make),
    Shape("messages", _is_list, _make),
)


def messages_from(value: Any, column: str, speaker: str = "user") -> list[Message]:
    """Messages from a text (one message of `speaker`), one message, or a list of them."""
    if isinstance(value, str):
        found = structured(value) if value[:1] == "[" else None
        if not (isinstance(found, list) and found and all(speaker_key(item) for item in found)):
            return conversation([{"role": speaker, "content": value}], column).messages
        value = found
    if isinstance(value, Mapping):
        value = listed(value) or [value]
    return conversation(value, column).messages


def texts_or_messages(value: Any) -> bool:
    """Whether a value could be an answer: a text, a message, or a list of messages."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return bool(value) and all(isinstance(item, Mapping) for item in value)
    return isinstance(value, str | Mapping)
