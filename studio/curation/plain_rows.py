"""The quick road for rows that stand in the inner form already: `{"messages": [{"role", "content"}, …]}`, texts alone.

Most large files of conversations are of this kind, and for them orjson and one look at each message do the work of
the decoder, the shapes and the checks: 8 µs a row instead of 30. Whatever is unusual in any way (other fields, an
empty turn, half a character, an error) takes the ordinary road; both make the same rows, which a test compares.
"""

import hashlib
from typing import Any

import orjson

from storage.contents import ROLES, Features, Prepared, words_of
from storage.prompts import split_of

_FIELDS = {"role", "content"}
_MAY_BE_EMPTY = ("system", "tool")


def decoded(line: str) -> dict[str, Any] | None:
    """The row of a line of JSON, or None where it needs the ordinary road."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if _is_plain(row) else None


def _is_plain(row: Any) -> bool:
    """Whether nothing of a row must be converted, checked further, or refused."""
    if type(row) is not dict or len(row) != 1:
        return False
    messages = row.get("messages")
    if type(messages) is not list:
        return False
    answered = False
    for message in messages:
        if type(message) is not dict or message.keys() != _FIELDS:
            return False
        role, content = message["role"], message["content"]
        if type(content) is not str or role not in ROLES or role == "tool calls":
            return False
        if role not in _MAY_BE_EMPTY and (not content or content.isspace()):
            return False
        answered = answered or role == "assistant"
    return answered


def prepared(row: dict[str, Any]) -> Prepared:
    """A plain row made ready for the store, as `storage.contents.prepared` makes it."""
    messages = row["messages"]
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in messages]
    chars = roles = 0
    opening = len(turns)
    for place, turn in enumerate(turns):
        chars += len(turn["content"])
        roles |= ROLES[turn["role"]]
        if opening > place and turn["role"] == "assistant":
            opening = place
    content = {"messages": turns}
    sha256 = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()
    digest = hashlib.sha256(orjson.dumps(turns[:opening], option=orjson.OPT_SORT_KEYS)).hexdigest()
    features = Features(sha256, int(digest[:16], 16) >> 1, split_of(digest), len(turns), chars, roles)
    return Prepared(orjson.dumps(content).decode(), features)


def words(row: dict[str, Any]) -> str:
    """What search finds a plain row by."""
    return words_of(row)
