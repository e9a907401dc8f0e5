"""What an example's content holds, as the store needs it: its hash, its size, the words that search finds it by.

The inner form (`studio/curation/examples.py`) names the parts; here they are only counted.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from storage.prompts import as_messages, example_sha256, split_of

PARTS = ("messages", "prompt", "chosen", "rejected", "completion")
ROLES: Mapping[str, int] = {"system": 1, "user": 2, "assistant": 4, "tool": 8, "tool calls": 16}

# Search words of one example; beyond it a single huge row would swell the index.
WORDS_LIMIT = 200_000


class Features(NamedTuple):
    """What filters and sorts look at. `roles`: the sum of `ROLES` that occur. `chars`: of all that is said."""

    sha256: bytes
    prompt_key: int
    split: str
    turns: int
    chars: int
    roles: int


class Prepared(NamedTuple):
    """A row of the store before it has a place: what `examples.add_rows` inserts. Content and tags are JSON text."""

    content: str
    features: Features
    tags: str = "[]"
    status: str = "draft"


def prepared(content: Mapping[str, Any], tags: tuple[str, ...] = (), status: str = "draft") -> Prepared:
    """A row made ready outside of any transaction."""
    return Prepared(
        json.dumps(content, ensure_ascii=True), features(content), json.dumps(tags) if tags else "[]", status
    )


def features(content: Mapping[str, Any]) -> Features:
    """The features of a content in the inner form."""
    turns = chars = roles = 0
    for turn in turns_of(content):
        turns += 1
        chars += len(turn["content"])
        roles |= ROLES.get(turn["role"], 0)
        if turn.get("tool_calls"):
            roles |= 16
    if "text" in content:
        chars += len(content["text"])
    digest = opening_sha256(content)
    # The first 63 bits: SQLite's integers have a sign.
    return Features(
        bytes.fromhex(example_sha256(dict(content))), int(digest[:16], 16) >> 1, split_of(digest), turns, chars, roles
    )


def opening_sha256(content: Mapping[str, Any]) -> str:
    """The hash of what stands before the first answer: conversations that begin alike belong to one split."""
    opening: Any = content.get("text")
    if opening is None:
        opening = []
        for turn in turns_of(content):
            if turn["role"] == "assistant":
                break
            opening.append(turn)
    text = json.dumps(opening, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def turns_of(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All messages of an example, those of a preference's answers too."""
    for part in PARTS:
        held: Any = content.get(part) or []
        # A bare text stands for one message: an answer of the assistant, a prompt of the user.
        yield from as_messages(held) if part == "prompt" else as_answer(held)
    for answer in content.get("answers") or ():
        yield from answer.get("messages") or ()


def as_answer(answer: Any) -> list[dict[str, Any]]:
    """An answer as messages: a text becomes one assistant message."""
    return [{"role": "assistant", "content": answer}] if isinstance(answer, str) else answer


def words_of(content: Mapping[str, Any]) -> str:
    """What search finds an example by: all that is said in it. Half characters, which no text file holds, go."""
    said = [content["text"]] if "text" in content else [turn["content"] for turn in turns_of(content)]
    calls = [call["function"]["name"] for turn in turns_of(content) for call in turn.get("tool_calls", ())]
    return "\n".join([*said, *calls])[:WORDS_LIMIT].encode("utf-8", "replace").decode()
