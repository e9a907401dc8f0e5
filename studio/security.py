"""What stands in front of every request: who may ask, what a page may load, how much may be sent.

The studio has no login of its own on one's own machine; what protects it there is that only this machine's
programs reach the port, and that no web page from elsewhere can use the visitor's browser against it:

* the Host header must name this studio, which stops a foreign name that resolves to 127.0.0.1 (DNS rebinding);
* every request that changes something must come from a page of this studio (Origin, Sec-Fetch-Site);
* the content security policy lets a page load from and talk to this studio only, so an image address in a
  model's answer tells nobody anything.

Gradio sets no security headers, answers any Origin on other hosts, and opens routes that the studio does not
use; the list of those it needs is here.
"""

import json
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEGABYTE = 1_000_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

# 'unsafe-inline' and 'unsafe-eval': Gradio's page has inline scripts and its HTML component compiles templates.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'self'",
        "object-src 'none'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
# What the pages use of /gradio_api; run history, deep links, vibe coding, proxying and profiling stay shut.
GRADIO_ROUTES = frozenset(
    [
        "queue",
        "run",
        "call",
        "api",
        "upload",
        "upload_progress",
        "component_server",
        "cancel",
        "reset",
        "heartbeat",
        "startup-events",
        "info",
        "theme.css",
        "app_id",
        "login_check",
        "user",
    ]
)
GRADIO_FILE = "file="
SHUT_ROUTES = frozenset(
    ["login", "logout", "monitoring", "manifest.json", "pwa_icon", "config", "svelte", "docs", "openapi.json"]
)


@dataclass(frozen=True)
class Limits:
    """How large a request's body may be, in bytes."""

    upload: int = 512 * MEGABYTE
    """Files that people drop on a page."""

    other: int = 16 * MEGABYTE
    """Everything else: votes, edits, forms."""


class Refusal(NamedTuple):
    """Why a request is not answered: the status, a word for programs, a sentence for people."""

    status: int
    kind: str
    sentence: str


class Guard:
    """ASGI middleware, the outermost one: checks each request and puts the headers on each answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = (), limits: Limits = Limits()) -> None:
        self.app = app
        self.hosts = LOOPBACK_NAMES | {host.lower() for host in hosts}
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; the studio has no websockets."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        limit = self.limits.upload if is_upload(scope["path"]) else self.limits.other
        refusal = (
            refuse_host(headers, self.hosts)
            or refuse_route(scope["path"])
            or refuse_origin(scope["method"], headers)
            or refuse_length(headers, limit)
        )
        guarded = _with_headers(scope["path"], send)
        if refusal:
            await _answer(refusal, guarded)
        else:
            with suppress(ClientDisconnect):  # what a route sees of a body that was cut off
                await self.app(scope, *_limited(receive, guarded, limit))


def is_upload(path: str) -> bool:
    """Whether this address takes files: Gradio's upload route and our own /api/…/upload or /api/upload."""
    return path in ("/gradio_api/upload", "/gradio_api/upload/") or (
        path.startswith("/api/") and path.rstrip("/").endswith("/upload")
    )


def refuse_host(headers: Headers, hosts: Iterable[str]) -> Refusal | None:
    """Refuse a Host header that names another machine; the port does not matter (it may be forwarded)."""
    host = headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if name.lower() in hosts:
        return None
    return Refusal(
        400,
        "wrong-host",
        f"This studio does not answer to the name {host[:100]!r}: "
        "open it under the address that `ratchet serve` printed.",
    )


def refuse_origin(method: str, headers: Headers) -> Refusal | None:
    """Refuse what another site's page sends; programs without a browser send neither header and pass."""
    site = headers.get("sec-fetch-site", "none")
    navigation = method in SAFE_METHODS and headers.get("sec-fetch-mode") == "navigate"
    foreign = site not in ("same-origin", "none") and not navigation
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        foreign = True
    if not foreign:
        return None
    return Refusal(403, "wrong-origin", "This request came from a page of another site, so the studio did nothing.")


def refuse_route(path: str) -> Refusal | None:
    """Shut the routes that Gradio opens and the studio does not use."""
    first, _, rest = path.lstrip("/").partition("/")
    shut = first in SHUT_ROUTES
    if first == "gradio_api":
        name = rest.partition("/")[0]
        outside = rest.startswith((f"{GRADIO_FILE}http:", f"{GRADIO_FILE}https:"))
        shut = outside or not (name in GRADIO_ROUTES or rest.startswith(GRADIO_FILE))
    return Refusal(404, "not-found", f"There is nothing at {path[:100]!r}.") if shut else None


def refuse_length(headers: Headers, limit: int) -> Refusal | None:
    """Refuse a body that says itself that it is too long."""
    length = headers.get("content-length", "0")
    return too_large(limit) if not (length.isascii() and length.isdecimal()) or int(length) > limit else None


def too_large(limit: int) -> Refusal:
    """The answer to a body over the limit."""
    return Refusal(
        413,
        "too-large",
        f"That is larger than the {limit // MEGABYTE} MB that this studio takes from a browser at once; "
        "`ratchet import` takes files of any size.",
    )


def _limited(receive: Receive, send: Send, limit: int) -> tuple[Receive, Send]:
    """Count a body that comes in parts; past the limit the answer is 413, whatever the route would say."""
    seen = 0
    started = False
    refused = False

    async def counted() -> Message:
        nonlocal seen, refused
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit and not refused:
            refused = True
            if not started:
                await _answer(too_large(limit), send)
        return {"type": "http.disconnect"} if refused else message

    async def once(message: Message) -> None:
        nonlocal started
        if refused:
            return
        started = True
        await send(message)

    return counted, once


def _with_headers(path: str, send: Send) -> Send:
    """Put the security headers on the answer; answers of /api and Gradio's API are kept by nobody."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            for name, value in HEADERS.items():
                headers[name] = value
            if path.startswith(("/api/", "/gradio_api/")):
                headers["cache-control"] = "no-store"
            if "server" in headers:
                del headers["server"]
            message = {**message, "headers": headers.raw}
        await send(message)

    return guarded


async def _answer(refusal: Refusal, send: Send) -> None:
    """One JSON answer with the sentence."""
    error: MutableMapping[str, Any] = {"kind": refusal.kind, "sentence": refusal.sentence}
    body = json.dumps({"error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
