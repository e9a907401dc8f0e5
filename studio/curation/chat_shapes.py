"""Shapes with lists of messages: OpenAI's `messages`, ShareGPT's `conversations`, Bedrock's with `system` beside."""

from collections.abc import Mapping
from typing import Any

from studio.curation.examples import Made
from studio.curation.fields import filled, made
from studio.curation.messages import content_text, conversation, said_by
from studio.curation.records import RowError
from studio.curation.shapes import Row, Shape

_LISTS = ("messages", "conversations", "conversation")


def _turns(row: Row) -> str | None:
    """The field that holds the list of messages, or None."""
    return next((name for name in _LISTS if isinstance(row.get(name), list)), None)


def _speaks(row: Row, key: str) -> bool:
    """Whether the messages of a record use this key for who speaks; in a broken row the first that can be told."""
    name = _turns(row)
    items = [item for item in row[name] if isinstance(item, Mapping)] if name else []
    return any(key in item for item in items)


def _answered(row: Row) -> bool:
    """Whether the answers stand outside the list: then it is a preference, or a judged answer, and not ours."""
    return any(filled(row, name) for name in ("chosen", "rejected")) or isinstance(row.get("label"), bool)


def _make(row: Row) -> Made:
    """A conversation; without an assistant turn it is a prompt."""
    name = _turns(row) or "messages"
    talk = conversation(row.get(name), name)
    messages = talk.messages
    used = [name]
    if filled(row, "system") and not said_by(messages, "system"):
        messages = [{"role": "system", "content": content_text(row["system"], "system")}, *messages]
        used.append("system")
    if said_by(messages, "assistant"):
        return made("sft", {"messages": messages}, row, used, talk.extras)
    if not said_by(messages, "user"):
        raise RowError(name, "The conversation has neither a user nor an assistant turn.")
    return made("prompts", {"prompt": messages}, row, used, talk.extras)


def _is_messages(row: Row) -> bool:
    return not _answered(row) and _speaks(row, "role")


def _is_sharegpt(row: Row) -> bool:
    return not _answered(row) and _speaks(row, "from")


def _is_list(row: Row) -> bool:
    """A list of messages in which nobody is named: it fits, so that its error can be told."""
    return not _answered(row) and _turns(row) is not None


CHAT_SHAPES: tuple[Shape, ...] = (
    Shape("messages", _is_messages, _make),
    Shape("sharegpt", _is_sharegpt, _make),
    Shape("messages", _is_list, _make),
)


def messages_from(value: Any, column: str, speaker: str = "user") -> list[dict[str, Any]]:
    """Messages from a text (one message of `speaker`), one message, or a list of them."""
    if isinstance(value, str):
        return conversation([{"role": speaker, "content": value}], column).messages
    return conversation([value] if isinstance(value, Mapping) else value, column).messages
