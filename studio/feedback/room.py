"""How urgent a question is, and how many may be with the engine at once beside those that somebody waits for.

The engine answers lower numbers first and pushes the others aside; asking it for less meanwhile keeps its memory and
the machine free as well, and lets a question that is typed in a moment begin at once.
"""

import threading
import time
from collections.abc import Mapping

from studio.clients.engine import Engine

WAITED_FOR, NEXT, BULK = 0, 1, 2
"""Priorities: somebody sits before it; the next comparison, made ahead; whole studies and datasets."""

USUAL = 8
"""Rows at once where the engine says nothing of itself: it is not started yet, or an endpoint answers."""

_BESIDE = 2  # rows beside those that somebody waits for: enough that work made ahead never stands still
_LOOK_SECONDS = 0.5


class Room:
    """How much room an engine has, by what it says of itself; asked as often as one likes, it looks twice a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._until = 0.0
        self._load: dict[str, int] | None = None

    def rows(self, mine: int) -> int:
        """How many rows the asker may have with the engine now, `mine` of which are there already; one at least."""
        return rows_beside(self._looked(), mine)

    def _looked(self) -> dict[str, int] | None:
        with self._lock:
            if time.monotonic() >= self._until:
                self._load = (self._engine.health() or {}).get("load")
                self._until = time.monotonic() + _LOOK_SECONDS
            return self._load


def rows_beside(load: Mapping[str, int] | None, mine: int) -> int:
    """Rows that may be with an engine that says this of itself (`Lane.load`), `mine` of which are there already."""
    if load is None:
        return USUAL
    if load["urgent"]:
        return _BESIDE
    return max(1, load["most"] - max(0, load["background"] - mine))
