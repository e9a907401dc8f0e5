"""One question over HTTP, as a stream of pieces: opened, asked again where that may help, read to its end.

The same steps stand here twice, for threads and for an event loop; what decides stands once, in `_after`.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import httpx

from storage.errors import NotReady, RatchetError
from storage.usage import Spent
from studio.clients.answers import Delta, Gathering
from studio.clients.dialects import reworded
from studio.clients.failures import error_of
from studio.clients.patience import Patience, Watch, pause_before_retry

_LOCAL = httpx.Timeout(600, connect=5)
_LONGEST_LINE = 8_000_000  # bytes; a server that never ends a line must not fill the memory
_CHARACTERS_A_TOKEN = 4  # of English, roughly: an estimate where a server does not count


@dataclass(frozen=True)
class Route:
    """How to ask: `who` names a stranger in errors, empty for our engine; `stamp` stands where it sends none.

    `verify`: the certificates that an https address is held against.
    """

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    stamp: Mapping[str, Any] = field(default_factory=dict)
    who: str = ""
    attempts: int = 1
    patience: Patience = field(default_factory=Patience)
    verify: ssl.SSLContext | bool = False

    def client_options(self) -> dict[str, Any]:
        """httpx's options: no proxy and no certificates on loopback, both on the way to strangers."""
        local = not self.who
        timeout = _LOCAL if local else self.patience.timeout
        return {"timeout": timeout, "trust_env": not local, "verify": self.verify}


class Tally:
    """What one question took, however it ends."""

    def __init__(self, route: Route) -> None:
        self.retries = 0
        self.gathering = Gathering(dict(route.stamp))
        self._asked = sum(len(str(message.get("content") or "")) for message in route.body["messages"])
        self._began = time.monotonic()

    def begin(self, route: Route) -> Gathering:
        """A new attempt."""
        self.gathering = Gathering(dict(route.stamp))
        return self.gathering

    def spent(self, failed: bool) -> Spent:
        """The counts; a question that no server read cost no tokens."""
        read, written = self.gathering.prompt_tokens, self.gathering.tokens
        estimated = read is None and written > 0
        if read is None:
            read = max(1, self._asked // _CHARACTERS_A_TOKEN) if estimated else 0
        seconds = round(time.monotonic() - self._began, 4)
        return Spent(1, self.retries, int(failed), int(estimated), read, written, seconds)


class Lines:
    """Bytes into lines as server-sent events have them: cut at line feeds and nowhere else.

    httpx cuts at every sign that str.splitlines knows, such as U+2028, which JSON holds as it is. A sign of several
    bytes may come in two pieces; what is no UTF-8 becomes U+FFFD.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that these bytes end."""
        first, *others = data.split(b"\n")
        self._rest += first
        if len(self._rest) > _LONGEST_LINE:
            raise RatchetError("The answer's stream cannot be read: one of its lines does not end.")
        if not others:
            return []
        whole = [bytes(self._rest), *others[:-1]]
        self._rest = bytearray(others[-1])
        return [_line(line) for line in whole]

    def last(self) -> str:
        """What stands after the last line feed."""
        return _line(bytes(self._rest))


class _Turned(Exception):
    """The server did not answer with success."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class _Next(NamedTuple):
    """Another attempt: how to ask now, and after how many seconds."""

    route: Route
    pause: float


def stream(route: Route, tally: Tally) -> Generator[Delta, None, None]:
    """The pieces of an answer, the last with the whole. Raises a RatchetError; closing it hangs up."""
    with _reported(route), httpx.Client(**route.client_options()) as client:
        for attempt in range(route.attempts):
            gathering = tally.begin(route)
            try:
                yield from _pieces(client, route, gathering)
                break
            except (_Turned, httpx.TransportError) as error:
                route, pause = _after(error, route, attempt, gathering)
            tally.retries += 1
            time.sleep(pause)
    yield tally.gathering.end()


async def astream(route: Route, tally: Tally) -> AsyncGenerator[Delta, None]:
    """`stream` for an event loop."""
    with _reported(route):
        async with httpx.AsyncClient(**route.client_options()) as client:
            for attempt in range(route.attempts):
                gathering = tally.begin(route)
                try:
                    async for delta in _apieces(client, route, gathering):
                        yield delta
                    break
                except (_Turned, httpx.TransportError) as error:
                    route, pause = _after(error, route, attempt, gathering)
                tally.retries += 1
                await asyncio.sleep(pause)
    yield tally.gathering.end()


def _pieces(client: httpx.Client, route: Route, gathering: Gathering) -> Iterator[Delta]:
    """One attempt."""
    with client.stream("POST", route.url, headers=dict(route.headers), json=dict(route.body)) as response:
        if not response.is_success:
            response.read()
            raise _Turned(response)
        if _is_whole(response):
            yield from _fed(gathering, [f"data: {response.read().decode('utf-8', 'replace')}", "data: [DONE]"])
            return
        lines = Lines()
        if not route.who:
            for data in response.iter_bytes():
                yield from _fed(gathering, lines.feed(data))
        else:
            with Watch(response, route.patience) as watch:
                yield from _watched(response, lines, gathering, watch)
        yield from _fed(gathering, [lines.last()])


def _watched(response: httpx.Response, lines: Lines, gathering: Gathering, watch: Watch) -> Iterator[Delta]:
    """Pieces from a stranger, who may go silent."""
    try:
        for data in response.iter_bytes():
            for delta in _fed(gathering, lines.feed(data)):
                watch.heard()
                yield delta
    except httpx.TransportError as error:
        if not watch.late:
            raise
        raise httpx.ReadTimeout("silent") from error
    if watch.late:
        raise httpx.ReadTimeout("silent")


async def _apieces(client: httpx.AsyncClient, route: Route, gathering: Gathering) -> AsyncIterator[Delta]:
    """`_pieces` for an event loop."""
    async with client.stream("POST", route.url, headers=dict(route.headers), json=dict(route.body)) as response:
        if not response.is_success:
            await response.aread()
            raise _Turned(response)
        if _is_whole(response):
            body = (await response.aread()).decode("utf-8", "replace")
            for delta in _fed(gathering, [f"data: {body}", "data: [DONE]"]):
                yield delta
            return
        lines = Lines()
        until = time.monotonic() + route.patience.first
        chunks = response.aiter_bytes()
        while (data := await _chunk(chunks, until if route.who else None)) is not None:
            for delta in _fed(gathering, lines.feed(data)):
                yield delta
                until = time.monotonic() + route.patience.between
        for delta in _fed(gathering, [lines.last()]):
            yield delta


async def _chunk(chunks: AsyncIterator[bytes], until: float | None) -> bytes | None:
    """The next bytes, None at the end; raises ReadTimeout where they do not come until then."""
    try:
        async with asyncio.timeout(None if until is None else until - time.monotonic()):
            return await anext(chunks, None)
    except TimeoutError as error:
        raise httpx.ReadTimeout("silent") from error


def _fed(gathering: Gathering, lines: list[str]) -> Iterator[Delta]:
    for line in lines:
        if delta := gathering.feed(line):
            yield delta


def _line(data: bytes) -> str:
    return data.removesuffix(b"\r").decode("utf-8", "replace")


def _is_whole(response: httpx.Response) -> bool:
    """Whether a server that was asked for a stream sends one JSON object instead."""
    return str(response.headers.get("content-type", "")).startswith("application/json")


def _after(error: Exception, route: Route, attempt: int, gathering: Gathering) -> _Next:
    """What to do about a failed attempt; raises where asking again would be no use.

    Text that has come was shown, so nothing is asked again behind it; a server that was silent once would be silent
    again, and the person has waited long enough.
    """
    last = attempt + 1 == route.attempts or distrusts(error)
    if isinstance(error, _Turned):
        response = error.response
        if not last and response.status_code in (400, 422) and (other := reworded(route.body, response.text)):
            return _Next(replace(route, body=other, stamp=_kept(route.stamp, other)), 0.0)
        pause = pause_before_retry(response, attempt)
        if last or pause is None:
            raise error_of(response, route.who) from error
        return _Next(route, pause)
    slow = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
    pause = pause_before_retry(None, attempt)
    if last or gathering.begun or slow or pause is None:
        raise error
    return _Next(route, pause)


def _kept(stamp: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """A stamp that claims no seed where none is sent."""
    return {**stamp, "seed": body.get("seed")}


@contextmanager
def _reported(route: Route) -> Iterator[None]:
    """Failures of the way there as sentences."""
    who = route.who or "The engine"
    try:
        yield
    except httpx.TimeoutException as error:
        raise NotReady(f"{who} has not answered in time; ask again later.") from error
    except httpx.RequestError as error:
        if distrusts(error):
            raise NotReady(distrusted(who)) from error
        raise NotReady(f"{who} cannot be reached or has hung up ({type(error).__name__}); ask again.") from error


def distrusts(error: Exception) -> bool:
    """Whether a connection failed because of the server's certificate."""
    return isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def distrusted(who: str) -> str:
    """The sentence about it."""
    return (
        f"{who} shows a certificate that this machine does not trust, so nothing was sent; have SSL_CERT_FILE name the "
        "file with its authority, and start Ratchet again."
    )
