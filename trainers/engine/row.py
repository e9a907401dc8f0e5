"""One answer in the making: what it was asked, what it has so far, and whom it tells."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from storage.errors import RatchetError
from trainers.engine.sampling import Sampling, new_generator
from trainers.engine.text import Detokeniser

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Delta:
    """New text of a row."""

    text: str


@dataclass(frozen=True)
class Finished:
    """A row's end: `reason` is stop (it ended its turn), length (its limit) or cancelled."""

    reason: str
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Failed:
    """A row's end by an error."""

    error: RatchetError


Event = Delta | Finished | Failed


@dataclass(eq=False)
class Row:
    """A request on its way through a lane. `tell` is called on the lane's thread; `cancel` from any thread.

    `adapter`: the adapter's key in the lane, None for the base. `length`: tokens of it in the KV cache. `exact`: it
    shares no pass with others, so that nothing but its settings decides what it says.
    """

    prompt: list[int]
    sampling: Sampling
    adapter: str | None
    ends: frozenset[int]
    tokenizer: Any
    tell: Callable[[Event], None]
    priority: int = 0
    exact: bool = False
    tokens: list[int] = field(default_factory=list)
    length: int = 0
    arrived: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.generator: torch.Generator = new_generator(self.sampling.seed)
        self._text = Detokeniser(self.tokenizer)
        self._cancelled = threading.Event()
        self._over = False

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._cancelled.is_set()

    @property
    def over(self) -> bool:
        """Whether its end has been told."""
        return self._over

    @property
    def past(self) -> list[int]:
        """What must stand in the cache before its next token can be computed: all but the newest token."""
        return [*self.prompt, *self.tokens[:-1]]

    @property
    def turn(self) -> tuple[int, float]:
        """Its place among those that wait: by priority, then by arrival."""
        return self.priority, self.arrived

    def cancel(self) -> None:
        """Nobody waits for it any more: the lane drops it before its next step."""
        self._cancelled.set()

    def take(self, token: int | RatchetError) -> None:
        """Add a chosen token, tell its text, and end the row where it is complete."""
        if isinstance(token, RatchetError):
            self.fail(token)
            return
        self.tokens.append(token)
        ended = token in self.ends
        text = "" if ended else self._text.push(token)
        if text:
            self.tell(Delta(text))
        if ended or len(self.tokens) >= self.sampling.max_tokens:
            self.finish("stop" if ended else "length")

    def finish(self, reason: str) -> None:
        """Tell what was held back, then the end."""
        if self._over:
            return
        rest = self._text.flush()
        if rest:
            self.tell(Delta(rest))
        self._over = True
        self.tell(Finished(reason, len(self.tokens), time.monotonic() - self.arrived))

    def fail(self, error: RatchetError) -> None:
        """End by an error."""
        if not self._over:
            self._over = True
            self.tell(Failed(error))
