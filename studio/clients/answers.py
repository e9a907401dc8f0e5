"""What is asked for and what comes back, whoever answers: settings, pieces of text, the whole with its stamp."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from storage.errors import RatchetError
from studio.clients.failures import error_from

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class SamplingParams:
    """How an answer's tokens are chosen. Temperature 1 is the model's own distribution, 0 its likeliest tokens.

    `seed` None: one is drawn, and stands in the stamp.
    """

    max_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None

    def body(self) -> dict[str, Any]:
        """The settings as OpenAI names them."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Answer:
    """A whole answer. `seconds` from asking to its end; `finish_reason` is stop or length; `stamp`: what made it."""

    text: str
    tokens: int
    seconds: float
    finish_reason: str
    stamp: dict[str, Any]


@dataclass(frozen=True)
class Delta:
    """A piece of an answer being written; the last one has no text, and the whole `answer`."""

    text: str
    answer: Answer | None = None


class Gathering:
    """Server-sent events into deltas and, at the end, the answer; `stamp` is used where the server sends none."""

    def __init__(self, stamp: dict[str, Any]) -> None:
        self._stamp = stamp
        self._parts: list[str] = []
        self._reason: str | None = None
        self._tokens: int | None = None
        self._started = time.monotonic()
        self._seconds: float | None = None

    def feed(self, line: str) -> Delta | None:
        """Take one line of the stream; the text that it brought, if any. Raises what the server reports."""
        event = _event(line)
        if event is None:
            return None
        if "error" in event:
            raise error_from(event, None)
        self._note(event)
        text = "".join(_text(choice) for choice in event.get("choices") or [])
        if not text:
            return None
        self._parts.append(text)
        return Delta(text)

    def end(self) -> Delta:
        """The last delta; raises where the stream broke off before its end."""
        if self._reason is None:
            raise RatchetError("The answer broke off before its end; ask again.")
        return Delta("", self._answer(self._reason))

    def _answer(self, reason: str) -> Answer:
        return Answer(
            text="".join(self._parts),
            tokens=self._tokens if self._tokens is not None else len(self._parts),
            seconds=self._seconds if self._seconds is not None else round(time.monotonic() - self._started, 4),
            finish_reason=reason,
            stamp=self._stamp,
        )

    def _note(self, event: dict[str, Any]) -> None:
        """What an event says beside text: the end, the count, the stamp."""
        for choice in event.get("choices") or []:
            self._reason = choice.get("finish_reason") or self._reason
        if usage := event.get("usage"):
            self._tokens = usage.get("completion_tokens", self._tokens)
        if ours := event.get("ratchet"):
            self._stamp, self._tokens, self._seconds = ours["stamp"], ours["tokens"], ours["seconds"]
        elif fingerprint := event.get("system_fingerprint"):
            self._stamp["fingerprint"] = fingerprint


def _event(line: str) -> dict[str, Any] | None:
    """The object of a `data:` line; None for comments, blank lines and the closing mark."""
    if not line.startswith("data:"):
        return None
    data = line[5:].strip()
    if not data or data == "[DONE]":
        return None
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise RatchetError(f"The answer's stream cannot be read: {data[:80]!r} is not JSON.") from error
    return value if isinstance(value, dict) else None


def _text(choice: dict[str, Any]) -> str:
    content = (choice.get("delta") or {}).get("content")
    return content if isinstance(content, str) else ""
