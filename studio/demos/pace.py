"""How much strangers may ask: questions a minute from one address and in all, and answers under way at a time.

In memory: a restart forgets a minute. Addresses leave when their minute is over.
"""

import ipaddress
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager

from storage.errors import TooMany
from studio.demos.terms import Terms

WINDOW = 60.0
MOST_OF_ONE = 2
"""Answers under way for one address."""


class Pace:
    """Counts the questions of all demos. `clock`: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: MutableMapping[tuple[str, str], deque[float]] = {}
        self._open: MutableMapping[tuple[str, str], int] = {}

    def ask(self, demo_id: str, address: str, terms: Terms, questions: int = 1) -> None:
        """Count questions; raises TooMany where they are more than the demo allows, which count nothing."""
        with self._lock:
            moment = self._clock()
            self._forget(moment)
            for key, most in (((demo_id, address), terms.rate), ((demo_id, ""), terms.rate_all)):
                asked = self._asked.get(key, deque())
                if len(asked) + questions > most and asked:
                    raise TooMany(_too_many(bool(key[1]), most, asked[0] + WINDOW - moment))
            for key in ((demo_id, address), (demo_id, "")):
                self._asked.setdefault(key, deque()).extend([moment] * questions)

    @contextmanager
    def under_way(self, demo_id: str, address: str, terms: Terms) -> Iterator[None]:
        """One answer or pair that is being written; raises TooMany where too many are."""
        keys = {(demo_id, address): MOST_OF_ONE, (demo_id, ""): terms.at_once}
        with self._lock:
            for key, most in keys.items():
                if self._open.get(key, 0) >= most:
                    raise TooMany(_busy(bool(key[1])))
            for key in keys:
                self._open[key] = self._open.get(key, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                for key in keys:
                    self._open[key] -= 1
                    if not self._open[key]:
                        del self._open[key]

    def _forget(self, moment: float) -> None:
        for key in list(self._asked):
            asked = self._asked[key]
            while asked and asked[0] <= moment - WINDOW:
                asked.popleft()
            if not asked:
                del self._asked[key]


def place_of(address: str) -> str:
    """What counts as one place: an IPv4 address, and the 64 bits of an IPv6 one that a household has to itself."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or ipaddress.IPv6Network((int(known), 64), strict=False))


def _too_many(alone: bool, most: int, seconds: float) -> str:
    wait = max(1, math.ceil(seconds))
    whose = "from one place" if alone else "from all visitors together"
    return f"That is more than {most} question{'s'[: most != 1]} a minute {whose}; ask again in {wait} s."


def _busy(alone: bool) -> str:
    if alone:
        return "Your last questions are still being answered; wait for them, or stop them."
    return "Many people are asking at this moment; ask again in a few seconds."
