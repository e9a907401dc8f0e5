"""What is asked for and what comes back, whoever answers: settings, pieces of text, the whole with its stamp."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from storage.errors import RatchetError
from studio.clients.failures import error_from

Messages = Sequence[Mapping[str, Any]]

_END = "[DONE]"
# Text Generation Inference's words for OpenAI's.
_REASONS = MappingProxyType({"eos_token": "stop", "stop_sequence": "stop", "eos": "stop"})


@dataclass(frozen=True)
class SamplingParams:
    """How an answer's tokens are chosen. Temperature 1 is the model's own distribution, 0 its likeliest tokens.

    `seed` None: one is drawn, and stands in the stamp. `exact`: in float32 and by itself, so that the engine gives the
    same answer again whatever else it does meanwhile; endpoints know nothing of it.
    """

    max_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    exact: bool = False

    def body(self) -> dict[str, Any]:
        """The settings as OpenAI names them."""
        return {name: value for name, value in asdict(self).items() if value is not None and name != "exact"}

    def ours(self) -> dict[str, Any]:
        """The settings as our own engine takes them."""
        return {**self.body(), **({"exact": True} if self.exact else {})}


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
        self.prompt_tokens: int | None = None
        """Tokens of the question, None until the server tells (not all do)."""

    @property
    def tokens(self) -> int:
        """Tokens of the answer so far: as the server counts them, else the pieces that came."""
        return self._tokens if self._tokens is not None else len(self._parts)

    @property
    def begun(self) -> bool:
        """Whether text has come, so that asking again would give a second beginning."""
        return bool(self._parts)

    def feed(self, line: str) -> Delta | None:
        """Take one line of the stream; the text that it brought, if any. Raises what the server reports."""
        if line.startswith("data:") and line[5:].strip() == _END:
            self._reason = self._reason or "stop"
            return None
        event = _event(line)
        if event is None:
            return None
        if event.get("error"):
            raise error_from(event, None)
        try:
            self._note(event)
            text = "".join(_text(choice) for choice in event.get("choices") or [])
        except (AttributeError, TypeError, KeyError) as error:
            raise RatchetError(
                f"The answer's stream cannot be read: {line[5:85]!r} is no piece of an answer."
            ) from error
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
            tokens=self.tokens,
            seconds=self._seconds if self._seconds is not None else round(time.monotonic() - self._started, 4),
            finish_reason=reason,
            stamp=self._stamp,
        )

    def _note(self, event: dict[str, Any]) -> None:
        """What an event says beside text: the end, the count, the stamp."""
        for choice in event.get("choices") or []:
            reason = choice.get("finish_reason") or self._reason
            self._reason = _REASONS.get(str(reason), reason)
        if isinstance(usage := event.get("usage"), dict):
            self._tokens = _count(usage.get("completion_tokens"), self._tokens)
            self.prompt_tokens = _count(usage.get("prompt_tokens"), self.prompt_tokens)
        if ours := event.get("ratchet"):
            self._stamp, self._tokens, self._seconds = ours["stamp"], ours["tokens"], ours["seconds"]
        elif fingerprint := event.get("system_fingerprint"):
            self._stamp["fingerprint"] = fingerprint


def _event(line: str) -> dict[str, Any] | None:
    """The object of a `data:` line; None for comments, blank lines and the closing mark."""
    if not line.startswith("data:"):
        return None
    data = line[5:].strip()
    if not data:
        return None
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise RatchetError(f"The answer's stream cannot be read: {data[:80]!r} is not JSON.") from error
    return value if isinstance(value, dict) else None


def _text(choice: dict[str, Any]) -> str:
    """What a choice adds; servers that do not stream send a whole message."""
    content = (choice.get("delta") or choice.get("message") or {}).get("content")
    return content if isinstance(content, str) else ""


def _count(said: Any, known: int | None) -> int | None:
    """A count that a server tells, or the one that is known already."""
    return said if isinstance(said, int) and said >= 0 else known
