"""Starts the engine of a home again where it has ended by itself, while the studio runs.

Answers that were on their way are asked again by whoever asked for them; this sees to it that the engine is there also
where nobody asks, so that the next comparison does not wait for a start.
"""

import logging
import threading
import time

from storage.home import Home
from studio.clients.connection import find
from studio.clients.processes import held, start_engine

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
# An engine that ends again within so many seconds of its start is started less and less often.
_SHORT_LIFE = 30.0
_LONGEST_PAUSE = 60.0


class EngineKeeper:
    """Keeps the engine of a home running, once it has been started; used as a service of `serve`."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine keeper", daemon=True)
        self._pause = _LOOK_SECONDS
        self._started_at = 0.0

    def start(self) -> None:
        """Begin to watch; call it when the engine has been started for the first time."""
        self._thread.start()

    def stop(self) -> None:
        """Leave it to itself, so that it can be ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            self._look()

    def _look(self) -> None:
        # Its lock is held from the first moment of its start, long before it can be asked.
        if find(self._home) is not None or held(self._home.engine_lock):
            if time.monotonic() - self._started_at > _SHORT_LIFE:
                self._pause = _LOOK_SECONDS
            return
        short = time.monotonic() - self._started_at < _SHORT_LIFE
        self._pause = min(_LONGEST_PAUSE, 2 * max(1.0, self._pause)) if short else _LOOK_SECONDS
        self._started_at = time.monotonic()
        if start_engine(self._home) is not None:
            log.warning("The engine had ended by itself and is started again; logs/engine.log says why.")
