"""Files that browsers ask for again and again: compressed once, as far as it goes, and kept in memory.

Gradio compresses each of its scripts anew for every request, and a page asks for twenty of them. Only what has been
asked for is kept, and no more than `MOST` bytes of it; what does not fit is compressed for each who asks.
"""

import gzip
from collections.abc import Callable, MutableMapping
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

MOST = 24_000_000
"""Bytes of compressed files: all of ours and every part of Gradio's page several times over."""

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
_REFUSED = ("q=0", "q=0.0", "q=0.00", "q=0.000")
_SHORT = 500  # bytes; compressing less saves nothing
_BROTLI = 9  # 1 % more than the most at a tenth of its time


class Text(NamedTuple):
    """Something to send: its name, the version of its content, and how to read it."""

    name: str
    version: str
    read: Callable[[], bytes]


class Shelf:
    """Compressed texts by name, version and encoding."""

    def __init__(self) -> None:
        self._kept: MutableMapping[tuple[str, str], tuple[str, bytes]] = {}
        self._bytes = 0

    async def answer(self, text: Text, keep: str, scope: Scope) -> Response:
        """The text in the best encoding that the asker takes, to be kept so long; 304 where they have this version."""
        asked = Headers(scope=scope)
        etag = f'W/"{text.version}"'
        headers = {"Cache-Control": keep, "ETag": etag, "Vary": "Accept-Encoding"}
        if etag in asked.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        encoding = encoding_for(asked.get("accept-encoding", ""))
        body = await self._body(text, encoding)
        if encoding and len(body) >= _SHORT:
            headers["Content-Encoding"] = encoding
        elif encoding:
            body = await run_in_threadpool(text.read)
        suffix = "." + text.name.rpartition(".")[2]
        return Response(body, headers=headers, media_type=TYPES[suffix])

    async def _body(self, text: Text, encoding: str) -> bytes:
        kept = self._kept.get((text.name, encoding))
        if kept and kept[0] == text.version:
            return kept[1]
        body = await run_in_threadpool(_packed, text, encoding)
        if encoding and self._bytes + len(body) <= MOST:
            self._bytes += len(body) - (len(kept[1]) if kept else 0)
            self._kept[text.name, encoding] = (text.version, body)
        return body


def encoding_for(accepted: str) -> str:
    """The best of the encodings that a browser names: br, gzip, or none ("")."""
    asked = [part.replace(" ", "").partition(";") for part in accepted.split(",")]
    names = {name for name, _, weight in asked if weight not in _REFUSED}
    return next((name for name in ("br", "gzip") if name in names), "")


def _packed(text: Text, encoding: str) -> bytes:
    content = text.read()
    if encoding == "br":
        import brotli  # type: ignore[import-untyped] # Gradio brings it

        return bytes(brotli.compress(content, quality=_BROTLI))
    return gzip.compress(content, 9) if encoding else content
