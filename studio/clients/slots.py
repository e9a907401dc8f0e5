"""How many questions an endpoint is asked at once, by all threads and processes of a home together.

Each slot is a file that is locked while a question is on its way: the web, a bulk task and the command line share
them without knowing of each other, and whoever dies gives them back. Somebody who waits for an answer may take any;
what is made ahead leaves the first one free, where there are several.
"""

import asyncio
import fcntl
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from storage.errors import NotReady

_QUICK, _SLOW = 0.01, 0.1  # seconds between two tries: of who waits at a page, of what is made ahead
_LONGEST = 900.0


class Slots:
    """The slots of one endpoint; `who` names it in the error of somebody who waited too long."""

    def __init__(self, folder: Path, most: int, who: str) -> None:
        self._folder = folder
        self._most = most
        self._who = who

    @contextmanager
    def one(self, priority: int) -> Iterator[None]:
        """Within it a slot is taken; raises NotReady where none came free for a quarter of an hour."""
        deadline = time.monotonic() + _LONGEST
        while (taken := self._take(priority)) is None:
            time.sleep(self._pause(priority, deadline))
        try:
            yield
        finally:
            os.close(taken)

    @asynccontextmanager
    async def aone(self, priority: int) -> AsyncIterator[None]:
        """`one` for an event loop."""
        deadline = time.monotonic() + _LONGEST
        while (taken := self._take(priority)) is None:  # noqa: ASYNC110 - what frees a slot may be another process
            await asyncio.sleep(self._pause(priority, deadline))
        try:
            yield
        finally:
            os.close(taken)

    def free(self, priority: int) -> bool:
        """Whether a question of this priority would be asked at once; by the time of asking it may be otherwise."""
        taken = self._take(priority)
        if taken is not None:
            os.close(taken)
        return taken is not None

    def _take(self, priority: int) -> int | None:
        """A free slot's descriptor; its closing gives the slot back."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        first = 1 if priority > 0 and self._most > 1 else 0
        numbers = list(range(first, self._most))
        random.shuffle(numbers)
        for number in numbers:
            taken = os.open(self._folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(taken, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(taken)
            else:
                return taken
        return None

    def _pause(self, priority: int, deadline: float) -> float:
        """How long to wait before the next try."""
        if time.monotonic() > deadline:
            raise NotReady(f"{self._who} has answered others for {_LONGEST:g} s without a pause; ask again later.")
        return (_SLOW if priority > 0 else _QUICK) * (0.5 + random.random())
