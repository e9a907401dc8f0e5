"""How long a server is waited for, and when it is asked again."""

import random
import socket
import threading
import time
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import NamedTuple, Self

import httpx

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_LONGEST_PAUSE = 30.0
_CONNECT = 15.0
_FIRST = 120.0
_BETWEEN = 60.0


class Patience(NamedTuple):
    """Seconds: to connect, until the first token (a long prompt is read meanwhile), and between two tokens."""

    connect: float = _CONNECT
    first: float = _FIRST
    between: float = _BETWEEN

    @classmethod
    def of(cls, timeout: float | None) -> Self:
        """The patience that an endpoint's `timeout` asks for: it bounds all three."""
        return cls(min(_CONNECT, timeout), timeout, min(_BETWEEN, timeout)) if timeout else cls()

    @property
    def timeout(self) -> httpx.Timeout:
        """For httpx, whose one limit for reading must let the first token come."""
        return httpx.Timeout(self.first, connect=self.connect)


def pause_before_retry(response: httpx.Response | None, attempt: int) -> float | None:
    """Seconds to wait before asking again, None where that would be no use; `response` None: no connection.

    Doubles from half a second, with half of it random so that many askers do not come back at once; a server's
    own Retry-After (seconds, or a date) wins, but is waited for no longer than half a minute.
    """
    if response is not None and response.status_code not in _RETRIED:
        return None
    said = retry_after(response.headers.get("retry-after", "")) if response is not None else None
    if said is not None:
        return min(said, _LONGEST_PAUSE)
    return float(min(0.5 * 2**attempt * (1 + random.random()) / 2, _LONGEST_PAUSE))


def retry_after(value: str) -> float | None:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3), None where there is none that can be read."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


class Watch:
    """Hangs up on a server that goes silent, from a thread of its own: httpx has one limit for every read.

    What counts is text: a server that sends empty comments for ever has gone silent as well. `late`: it hung up.
    """

    def __init__(self, response: httpx.Response, patience: Patience) -> None:
        self.late = False
        self._between = patience.between
        self._until = time.monotonic() + patience.first
        self._over = threading.Event()
        stream = response.extensions.get("network_stream")
        self._socket: socket.socket | None = stream.get_extra_info("socket") if stream else None
        self._thread = threading.Thread(target=self._run, name="watch an endpoint", daemon=True)

    def heard(self) -> None:
        """Text has come."""
        self._until = time.monotonic() + self._between

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(max(0.0, min(self._until - time.monotonic(), self._between))):
            if time.monotonic() >= self._until:
                self.late = True
                self._hang_up()
                return

    def _hang_up(self) -> None:
        """Wake the thread that reads: a socket may be shut down from another thread, but not closed."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already
