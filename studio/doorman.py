"""Finds out who asks, before any route or page does: by the session that the browser's cookie holds.

ASGI middleware inside the guard. Without a session only the sign-in page, invitations, demos and static files are open;
Gradio's own routes are behind it too, which Gradio's `auth` would not do for ours. On a machine of one's own,
where the studio listens on loopback and nobody has made an account, everybody who reaches it is the owner.

Programs show a key instead (`Authorization: Bearer rk_…`): it opens /v1, and /api as far as the role goes that it is
for.
"""

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from storage import people
from storage.clock import now
from storage.errors import Forbidden, Refused, SignInNeeded
from storage.processes import note_activity
from storage.store import Store
from studio.api.errors import answer
from studio.assets import Assets
from studio.pages.people import PlainPages
from studio.pages.shell import page_at
from studio.people.keys import note_use, program_of
from studio.people.roles import Action, Actor
from studio.people.sessions import holder_of, prolong
from studio.settings import Settings

if TYPE_CHECKING:
    from studio.studio import Studio

OPEN = frozenset(["/sign-in", "/favicon.ico", "/api/people/sign-in", "/api/people/sign-out", "/api/people/join"])
# Links: what stands behind is told by the secret in the address, and it gives no session. One part, and nothing below.
LINK = re.compile(r"/(?:join|demo)/[^/]+|/api/demo/[^/]+(?:/answer|/vote)?")
FOR = "x-ratchet-person"  # for whom the page was made that asks (static/shell.js)
# What the frame of every Gradio page asks; the rest of Gradio's routes read or write what an annotator has no part in.
GRADIO_FOR_ALL = ("heartbeat/", "startup-events", "theme.css", "app_id", "login_check", "user")
_NOTED_SECONDS = 10.0
PROGRAMS = ("/v1/", "/mcp")
KEY = "A program shows a key here, as `Authorization: Bearer rk_…`; `ratchet keys add NAME` makes one."
SIGN_IN = "Sign in first: the page /sign-in asks for your name and password."


def check_reach(settings: Settings, store: Store) -> None:
    """Refuse to be reached from elsewhere while nobody has an account; raises Refused with the way out."""
    if settings.only_here:
        return
    named = [*settings.allow_host, *([settings.root_path] if settings.root_path else [])]
    where = f"{settings.host} ({', '.join(named)})" if named else settings.host
    if not people.any_people(store):
        raise Refused(
            f'Ratchet does not listen on "{where}" yet: anybody who reaches it could read and change everything. '
            "Make an account first: ratchet people add NAME --role admin"
        )
    if settings.host in ("0.0.0.0", "::") and not settings.allow_host:
        raise Refused(
            f'"{settings.host}" means every address of this machine; say by which names people open the studio: '
            "--allow-host NAME"
        )


def cookie_name(settings: Settings) -> str:
    """The cookie of a session; browsers share cookies between the ports of a machine, so the port is in its name."""
    return f"ratchet_session_{settings.port}"


class Asking(NamedTuple):
    """Who asks, whether by a session, and whether that session is to be prolonged."""

    actor: Actor | None
    signed_in: bool
    stale: bool


class Doorman:
    """Puts the actor into `request.state.actor`, or answers that somebody must sign in or may not come here."""

    def __init__(self, app: ASGIApp, studio: "Studio") -> None:
        self.app = app
        self.studio = studio
        self.pages = PlainPages(Assets(studio.settings.static))
        self._noted = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the cookie, then let in or answer."""
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self.app(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD") or scope["path"] == "/api/compare/next":
            self._note_activity()
        shown = bearer(HTTPConnection(scope).headers.get("authorization"))
        if shown is not None or scope["path"].startswith(PROGRAMS):
            await self._program(shown, scope, receive, send)
            return
        token = HTTPConnection(scope).cookies.get(cookie_name(self.studio.settings))
        # Two look-ups by key, which wait for no writer: quicker than handing them to another thread.
        actor, signed_in, stale = self._who(token)
        if stale:
            await run_in_threadpool(prolong, self.studio.store, token)
        scope.setdefault("state", {}).update(actor=actor, signed_in=signed_in)
        refusal = self._refuse(scope, actor)
        await (refusal or self.app)(scope, receive, send)

    async def _program(self, shown: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a program in as far as its key goes; a key opens no page, and a session no route for programs."""
        program = program_of(self.studio.store, shown)
        if program is None:
            await _told(401, SignInNeeded.kind, KEY)(scope, receive, send)
            return
        for_programs = scope["path"].startswith(PROGRAMS)
        if not for_programs and (program.actor is None or not scope["path"].startswith("/api/")):
            said = f'The key "{program.key.name}" is for {program.key.scope} and does not open {scope["path"][:80]}.'
            await answer(403, Forbidden.kind, said)(scope, receive, send)
            return
        await run_in_threadpool(note_use, self.studio.store, program.key)
        scope.setdefault("state", {}).update(actor=program.actor, signed_in=True, program=program)
        await self.app(scope, receive, send)

    def _note_activity(self) -> None:
        """Somebody does something here, so that trainings which wait for idleness wait on; noted once in a while."""
        if now() - self._noted > _NOTED_SECONDS:
            self._noted = now()
            note_activity(self.studio.home)

    def _who(self, token: str | None) -> Asking:
        """Who holds this session, and whether by one."""
        held = holder_of(self.studio.store, token)
        if held is not None:
            return Asking(held.actor, True, held.stale)
        if self.studio.settings.only_here and not people.any_people(self.studio.store):
            return Asking(Actor(self.studio.settings.annotator, "admin"), False, False)
        return Asking(None, False, False)

    def _refuse(self, scope: Scope, actor: Actor | None) -> Response | None:
        """The answer to somebody who may not have what they ask for, or None; /api has its own table."""
        path = scope["path"]
        if path in OPEN or LINK.fullmatch(path):
            return None
        if actor is None:
            if path.startswith(("/api/", "/gradio_api/")) or scope["method"] not in ("GET", "HEAD"):
                return answer(401, SignInNeeded.kind, SIGN_IN)
            return RedirectResponse(f"/sign-in?next={quote(_whole(scope))}", status_code=303)
        if _meant_for_another(scope, actor):
            return answer(409, "other-person", f"You are signed in as {actor.name} now, and this page was opened by "
                          "somebody else; reload it to go on.")  # fmt: skip
        if path.startswith("/gradio_api/"):
            return self._gradio(path.removeprefix("/gradio_api/"), actor)
        return self._page(path, actor)

    def _gradio(self, path: str, actor: Actor) -> Response | None:
        needed = Action.EDIT_DATA if path.startswith("upload") else Action.READ_DATA
        if path.startswith(GRADIO_FOR_ALL) or actor.may(needed):
            return None
        return answer(403, Forbidden.kind, f"{actor.name} is here as {actor.role} and may not {needed.value}.")

    def _page(self, path: str, actor: Actor) -> Response | None:
        page = page_at(path.rstrip("/") or "/")
        if page is None or actor.may(page.action):
            return None
        if page.path == "/":
            return RedirectResponse("/compare", status_code=303)
        return HTMLResponse(self.pages.forbidden(actor, page.name), status_code=403)


def _told(status: int, kind: str, sentence: str) -> Response:
    """An error as our own programs and as OpenAI's clients read it."""
    said = {"kind": kind, "sentence": sentence, "message": sentence, "type": "invalid_request_error", "code": kind}
    return JSONResponse({"error": said}, status_code=status)


def bearer(header: str | None) -> str | None:
    """The key that a program shows, if it shows one."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _meant_for_another(scope: Scope, actor: Actor) -> bool:
    """Whether a page sent this that was made for somebody else: they share a browser, and its cookie is of the last."""
    meant = HTTPConnection(scope).headers.get(FOR)
    return meant is not None and unquote(meant) != actor.name


def _whole(scope: Scope) -> str:
    """The address that was asked for, with its query."""
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])
