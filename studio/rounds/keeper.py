"""A thread that looks after something while the studio is served, whether or not anybody looks at a page."""

import logging
import sqlite3
import threading
from collections.abc import Callable

from storage.errors import RatchetError
from storage.store import Store

log = logging.getLogger("ratchet.rounds")


class Keeper:
    """Calls `look` with the store every few seconds; what fails is logged, and the next look tries again."""

    def __init__(self, store: Store, name: str, look: Callable[[Store], object], seconds: float) -> None:
        self._store = store
        self._look = look
        self._seconds = seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it still looks."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present look."""
        self._ending.set()
        self._thread.join(timeout=self._seconds * 2)

    def _keep(self) -> None:
        while not self._ending.wait(self._seconds):
            try:
                self._look(self._store)
            except (RatchetError, sqlite3.Error, OSError):
                log.exception("%s could not be looked after", self._thread.name)
        self._store.close()
