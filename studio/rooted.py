"""Life under a path: a proxy shows the studio at https://host/ratchet/, and everything inside goes on as if at the top.

One ASGI middleware, the outermost, and only where `--root-path` is set. On the way in the path is taken off, whether or
not the proxy has done so already; on the way out it is put before the addresses in our HTML, before redirects and into
the path of cookies. Scripts learn it from `<html data-root>` (static/shell.js: `ratchet.at`); Gradio is told by
`root_path`. So no page, route or rule has to know of it, and none can forget it.
"""

import re
from urllib.parse import urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Attributes that hold an address from the top; text of people and models never holds a bare quote. A form's action is
# left alone: only our scripts read it, and `ratchet.api` puts the root before what it asks.
_ADDRESS = re.compile(r'(<(?:a|area|img|link|script|source)\b[^<>]*?\s(?:href|src)=")/(?!/)')
_HTML = re.compile(r"<html\b", re.IGNORECASE)
_COOKIE = re.compile(r"(;\s*path=)(/[^;]*)", re.IGNORECASE)
_REDIRECTS = range(300, 400)


class Rooted:
    """Shows an application under a path, such as /ratchet."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app = app
        self.root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the path off, pass on, put it back into what comes out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path == self.root:  # pages name what they need from the folder that they lie in
            query = scope["query_string"].decode("latin-1")
            await RedirectResponse(f"{self.root}/{'?' if query else ''}{query}", 308)(scope, receive, send)
            return
        inner = dict(scope)
        if path.startswith(f"{self.root}/"):
            inner["path"] = path[len(self.root) :]
            inner["raw_path"] = scope.get("raw_path", path.encode())[len(self.root.encode()) :]
        headers = Headers(scope=scope)
        if "text/html" in headers.get("accept", ""):  # an answer that is compressed could not be read here
            inner["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self.app(inner, receive, _Outward(self.root, headers.get("host", ""), send))


class _Outward:
    """Sends one answer on: HTML when it is whole, with its addresses; everything else as it comes."""

    def __init__(self, root: str, host: str, send: Send) -> None:
        self.root = root
        self.host = host
        self.send = send
        self.held: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self.held is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self.held)

    async def _start(self, message: Message) -> None:
        headers = MutableHeaders(raw=list(message.get("headers", [])))
        if message["status"] in _REDIRECTS and "location" in headers:
            headers["location"] = moved(headers["location"], self.root, self.host)
        raw = [(name, _cookie(value, self.root) if name == b"set-cookie" else value) for name, value in headers.raw]
        message = {**message, "headers": raw}
        kept = headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers
        if kept and "attachment" not in headers.get("content-disposition", ""):
            self.held = message
        else:
            await self.send(message)

    async def _finish(self, start: Message) -> None:
        body = with_root(self.body.decode("utf-8"), self.root).encode() if self.body else b""
        headers = MutableHeaders(raw=list(start["headers"]))
        if self.body:  # an answer to HEAD keeps its length
            headers["content-length"] = str(len(body))
        await self.send({**start, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": body})


def with_root(text: str, root: str) -> str:
    """A page whose addresses begin with the root, and whose scripts can tell it."""
    return _HTML.sub(f'<html data-root="{root}"', _ADDRESS.sub(rf"\g<1>{root}/", text), count=1)


def moved(location: str, root: str, host: str) -> str:
    """Where a redirect leads, seen from outside; one to another machine stays."""
    parts = urlsplit(location)
    if parts.netloc not in ("", host) or not parts.path.startswith("/") or location.startswith("//"):
        return location
    if parts.path == root or parts.path.startswith(f"{root}/"):
        return location
    return urlunsplit(parts._replace(path=f"{root}{parts.path}"))


def _cookie(value: bytes, root: str) -> bytes:
    """A cookie for the studio alone, not for everything that the machine shows."""

    def under(found: re.Match[str]) -> str:
        return found[1] + root + ("" if found[2] == "/" else found[2])

    return _COOKIE.sub(under, value.decode("latin-1")).encode("latin-1")
