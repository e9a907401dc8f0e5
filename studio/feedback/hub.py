"""Answers while they are being made: what each side has said so far, for those who watch.

Nothing here is the truth: the store is. A watcher that comes late gets the text so far, one that comes too late
finds the whole answer in the store, and after a restart the comparison waits to be answered again.

Whoever watches hears a bell when something may have changed, instead of looking again and again: the first token is
told at once, and nobody wakes while nothing is said.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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


class Bell:
    """Wakes one coroutine from any thread; made within its event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._silent = True  # many words between two looks make one call into the loop

    def ring(self) -> None:
        """Something may have changed; from any thread."""
        if self._silent:
            self._silent = False
            with suppress(RuntimeError):  # the loop has ended, and with it whoever listened
                self._loop.call_soon_threadsafe(self._rung.set)

    def hush(self) -> None:
        """What changes from now on rings anew: call it before looking, so that nothing falls between."""
        self._rung.clear()
        self._silent = True

    async def wait(self, seconds: float) -> None:
        """Until it rings, or so many seconds have passed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)


@dataclass
class Live:
    """One comparison being answered. phase: starting, loading, answering, restarting (the engine had ended), or aside.

    `changed` is called, in the thread that speaks, whenever there may be something new to see.
    """

    sides: int
    phase: str = "starting"
    since: float = field(default_factory=time.monotonic)
    changed: Callable[[], None] = lambda: None
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
        self.changed()

    def restart(self) -> None:
        """It is asked again from the beginning."""
        with self._lock:
            self._texts = [[] for _ in range(self.sides)]
            self._ended = set()
            self.phase, self.since = "starting", time.monotonic()
        self.changed()

    def speaker(self, position: int) -> Callable[[str], None]:
        """What takes the words of the answer at this position."""

        def say(text: str) -> None:
            with self._lock:
                self._texts[position].append(text)
            self.changed()

        return say

    def end(self, position: int) -> None:
        """The answer at this position is whole."""
        with self._lock:
            self._ended.add(position)
        self.changed()

    def now(self) -> Moment:
        """What can be seen now."""
        with self._lock:
            texts = ["".join(parts) for parts in self._texts]
            self._texts = [[text] for text in texts]
            going = [len(text) for position, text in enumerate(texts) if position not in self._ended]
            so_far = min(going, default=None)
            return Moment([text[:so_far] for text in texts], self.phase, time.monotonic() - self.since)


class Hub:
    """The comparisons that this process is answering, and who watches them."""

    def __init__(self) -> None:
        self._live: dict[str, Live] = {}
        self._bells: dict[str, set[Bell]] = {}
        self._lock = threading.Lock()

    def begin(self, comparison_id: str, sides: int) -> Live:
        """A comparison is being answered from now on."""
        live = Live(sides, changed=lambda: self._ring(comparison_id))
        with self._lock:
            self._live[comparison_id] = live
        live.changed()
        return live

    def end(self, comparison_id: str) -> None:
        """The store knows all of it now."""
        with self._lock:
            self._live.pop(comparison_id, None)
        self._ring(comparison_id)

    def find(self, comparison_id: str) -> Live | None:
        """The comparison, if it is being answered here and now."""
        with self._lock:
            return self._live.get(comparison_id)

    @contextmanager
    def watch(self, comparison_id: str) -> Iterator[Bell]:
        """A bell that rings while this comparison is begun, said and ended; used in a coroutine."""
        bell = Bell()
        with self._lock:
            self._bells.setdefault(comparison_id, set()).add(bell)
        try:
            yield bell
        finally:
            with self._lock:
                bells = self._bells[comparison_id]
                bells.discard(bell)
                if not bells:
                    del self._bells[comparison_id]

    def _ring(self, comparison_id: str) -> None:
        with self._lock:
            bells = list(self._bells.get(comparison_id, ()))
        for bell in bells:
            bell.ring()
