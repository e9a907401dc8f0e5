"""Answers while they are being made: what each side has said so far, for those who watch.

Nothing here is the truth: the store is. A watcher that comes late gets the text so far, one that comes too late
finds the whole answer in the store, and after a restart the comparison waits to be answered again.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class Moment(NamedTuple):
    """What can be seen of a comparison now: texts by position, what is going on, and for how many seconds.

    The texts are as long as each other, as far as they go: who is quicker, or begins first, is not to be seen, because
    models differ in that. An answer stays behind only where it has ended.
    """

    texts: list[str]
    phase: str
    seconds: float


@dataclass
class Live:
    """One comparison being answered. phase: starting, loading, answering, or aside (for a training)."""

    sides: int
    phase: str = "starting"
    since: float = field(default_factory=time.monotonic)
    _texts: list[list[str]] = field(default_factory=list)
    _ended: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin with nothing said."""
        self._texts = [[] for _ in range(self.sides)]

    def enter(self, phase: str) -> None:
        """Something else is going on from now on."""
        with self._lock:
            self.phase, self.since = phase, time.monotonic()

    def restart(self) -> None:
        """It is asked again from the beginning."""
        with self._lock:
            self._texts = [[] for _ in range(self.sides)]
            self._ended = set()
            self.phase, self.since = "starting", time.monotonic()

    def speaker(self, position: int) -> Callable[[str], None]:
        """What takes the words of the answer at this position."""

        def say(text: str) -> None:
            with self._lock:
                self._texts[position].append(text)

        return say

    def end(self, position: int) -> None:
        """The answer at this position is whole."""
        with self._lock:
            self._ended.add(position)

    def now(self) -> Moment:
        """What can be seen now."""
        with self._lock:
            texts = ["".join(parts) for parts in self._texts]
            self._texts = [[text] for text in texts]
            going = [len(text) for position, text in enumerate(texts) if position not in self._ended]
            so_far = min(going, default=None)
            return Moment([text[:so_far] for text in texts], self.phase, time.monotonic() - self.since)


class Hub:
    """The comparisons that this process is answering."""

    def __init__(self) -> None:
        self._live: dict[str, Live] = {}
        self._lock = threading.Lock()

    def begin(self, comparison_id: str, sides: int) -> Live:
        """A comparison is being answered from now on."""
        live = Live(sides)
        with self._lock:
            self._live[comparison_id] = live
        return live

    def end(self, comparison_id: str) -> None:
        """The store knows all of it now."""
        with self._lock:
            self._live.pop(comparison_id, None)

    def find(self, comparison_id: str) -> Live | None:
        """The comparison, if it is being answered here and now."""
        with self._lock:
            return self._live.get(comparison_id)
