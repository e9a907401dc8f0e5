"""What a JSON route answers when something goes wrong: `{"error": {"kind", "sentence"}}` and a fitting status.

Our own errors carry their sentence. Anything else is a bug of ours: the person reads a calm sentence with a
number, and the full traceback stands under that number in logs/web.log.
"""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    NotReady,
    RatchetError,
    Refused,
    SignInNeeded,
    TooMany,
)
from studio.api.ascii import Ascii
from studio.bugs import report_bug

STATUS: Mapping[type[RatchetError], int] = {
    NotFound: 404,
    Conflict: 409,
    BadInput: 422,
    Refused: 403,
    Forbidden: 403,
    SignInNeeded: 401,
    TooMany: 429,
    NotReady: 503,
}


def status_of(error: RatchetError) -> int:
    """The HTTP status of the nearest class that has one; 400 for an error of no special kind."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)


def answer(status: int, kind: str, sentence: str) -> Ascii:
    """One error as JSON; in ASCII, because it may repeat what was sent."""
    return Ascii({"error": {"kind": kind, "sentence": sentence}}, status_code=status)


def validation_sentence(error: RequestValidationError) -> str:
    """Names the first field that does not fit, and why."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    return f"The request does not fit: {field}: {first['msg']}."


def add_error_answers(app: FastAPI) -> None:
    """Make every route of the app answer errors this way."""

    @app.exception_handler(RatchetError)
    async def ours(_: Request, error: RatchetError) -> JSONResponse:
        return answer(status_of(error), error.kind, str(error))

    @app.exception_handler(RequestValidationError)
    async def misfit(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(422, "bad-input", validation_sentence(error))

    @app.exception_handler(OverflowError)
    async def too_large(_: Request, error: OverflowError) -> JSONResponse:
        # SQLite and C take 64 bits; Python's own numbers have no end, so only what was sent can be that large.
        return answer(422, "bad-input", f"A number in the request is too large ({error}).")

    @app.exception_handler(RecursionError)
    async def too_deep(_: Request, error: RecursionError) -> JSONResponse:
        return answer(422, "bad-input", "The request holds values within values too many levels deep.")

    @app.exception_handler(UnicodeEncodeError)
    async def unwritable(_: Request, error: UnicodeEncodeError) -> JSONResponse:
        return answer(422, "bad-input", f"The request holds half a character, which cannot be stored ({error.reason}).")

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        kind = {404: "not-found", 405: "bad-method"}.get(error.status_code, "error")
        return answer(error.status_code, kind, f"The studio cannot answer this request: {error.detail}.")


class CalmErrors:
    """ASGI middleware: a bug becomes a sentence with a number; the traceback goes to the log alone.

    Starlette's own handler for `Exception` stands outside all middleware and raises again: its answer would
    lack the security headers, and the traceback would also land on the terminal.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and catch what nobody caught."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return  # the browser went away; nobody is left to tell
        except Exception:  # noqa: BLE001 - a bug, which report_bug logs
            sentence = report_bug(f"{scope['method']} {scope['path']}")
            if not started:
                await answer(500, "bug", sentence)(scope, receive, send)
