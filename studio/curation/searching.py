"""Short views of examples for a list: what was said, cut to a line, with the searched words marked.

Whole rows never go to a list: one row may be megabytes long. The words are found as the index finds them: from
the beginning of a word, whatever the case and the accents.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from storage.rows import Example
from studio.curation.messages import Message

LENGTH = 220
# So much is shown before the first word that was found.
_LEAD = 60

Segment = tuple[str, bool]
"""A piece of text, and whether it was searched for."""


class Line(NamedTuple):
    """One line of a short view: who or what, and the text in segments."""

    label: str
    segments: list[Segment]


def summary(example: Example, search: str = "") -> dict[str, Any]:
    """A short view of an example for JSON."""
    lines = _lines(example.content, words_of(search))
    return {
        "id": example.id,
        "number": example.number,
        "revision": example.revision_id,
        "tags": example.tags,
        "turns": len(example.content.get("messages") or example.content.get("prompt") or ()),
        "lines": [{"label": line.label, "segments": line.segments} for line in lines],
    }


def _lines(content: Mapping[str, Any], words: Sequence[str]) -> list[Line]:
    """What tells one example from another: question and answer, the two answers, the beginning of a text."""
    if "text" in content:
        return [Line("text", shortened(content["text"], words))]
    if "chosen" in content:
        parts = (("prompt", "prompt"), ("chosen", "chosen"), ("rejected", "rejected"))
        return [Line(label, shortened(_last(content[part]), words)) for label, part in parts]
    messages = content.get("messages") or content.get("prompt") or []
    shown = [item for item in (_first(messages, "user"), _latest(messages, "assistant")) if item]
    # Where the words stand in another turn, that turn is shown: a hit that cannot be seen looks like a mistake.
    if words and not any(_found(item["content"], words) for item in shown):
        shown += [item for item in messages if _found(item["content"], words)][:1]
    return [Line(item["role"], shortened(_said(item), words)) for item in shown or messages[:1]]


def _first(messages: Sequence[Message], role: str) -> Message | None:
    return next((item for item in messages if item["role"] == role), None)


def _latest(messages: Sequence[Message], role: str) -> Message | None:
    return next((item for item in reversed(messages) if item["role"] == role), None)


def _last(messages: Sequence[Message]) -> str:
    return _said(messages[-1]) if messages else ""


def _said(message: Message) -> str:
    """What a message says, a tool call by its name."""
    calls = ", ".join(f"{call['function']['name']}(…)" for call in message.get("tool_calls", ()))
    return str(message["content"] or calls)


def words_of(search: str) -> list[str]:
    """The words of a search as the index splits them."""
    return [_folded(word) for word in re.findall(r"\w+", search)]


def shortened(text: str, words: Sequence[str], length: int = LENGTH) -> list[Segment]:
    """A text cut to one line around the first word found, in segments."""
    found = _found(text[:200_000], words)
    start = max(0, found.start() - _LEAD) if found and found.start() > length - _LEAD else 0
    piece = " ".join(text[start : start + 4 * length].split())[:length]
    before, after = "… " if start else "", " …" if start + length < len(text) else ""
    return _segments(f"{before}{piece}{after}", words)


def _segments(text: str, words: Sequence[str]) -> list[Segment]:
    """A text in pieces that were searched for and pieces between."""
    pattern = _pattern(words)
    segments: list[Segment] = []
    at = 0
    for hit in pattern.finditer(_folded(text)) if pattern else ():
        segments += [(text[at : hit.start()], False), (text[hit.start() : hit.end()], True)]
        at = hit.end()
    segments.append((text[at:], False))
    return [segment for segment in segments if segment[0]]


def _found(text: str, words: Sequence[str]) -> re.Match[str] | None:
    pattern = _pattern(words)
    return pattern.search(_folded(text)) if pattern else None


def _pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    """Any of the words at the beginning of a word, to that word's end."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\w*") if words else None


def _folded(text: str) -> str:
    """Lower case without accents, sign by sign, so that places stay the same."""
    if text.isascii():
        return text.lower()
    return "".join(_plain_sign(sign) for sign in text)


def _plain_sign(sign: str) -> str:
    folded = unicodedata.normalize("NFD", sign)[0].lower()
    return folded if len(folded) == 1 else sign
