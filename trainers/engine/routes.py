"""The engine's HTTP: OpenAI's chat protocol, vLLM's adapter calls, and a few of our own.

Nothing that computes runs on the event loop: rows are computed on their lane's thread, prompts are rendered on
the pool's threads, and loads queue on one thread of their own so that they never fill the pool.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from storage.errors import RatchetError
from trainers.engine import wire
from trainers.engine.aside import Aside
from trainers.engine.asks import Ask
from trainers.engine.bases import Bases
from trainers.engine.held import Listed
from trainers.engine.row import Delta, Finished
from trainers.engine.text_routes import text_routes
from trainers.engine.tokenizers import Tokenizers

_CLOSED = 499  # nginx's status for a caller that went away; nobody reads it


class Gate:
    """Lets in who knows the token, and notes who is here. `/health` is open."""

    def __init__(self, app: ASGIApp, token: str, seen: "LastSeen") -> None:
        self._app = app
        self._header = f"Bearer {token}".encode()
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 without the token."""
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not secrets.compare_digest(given, self._header):
            sentence = "The engine needs the token of this home's engine.json as a bearer token."
            response = JSONResponse(wire.error_shape(sentence, "invalid_api_key", 401), 401)
            await response(scope, receive, send)
            return
        with self._seen.asking():
            await self._app(scope, receive, send)


class LastSeen:
    """Since when nobody has wanted anything: loads and streams count until they end. Used on the event loop alone."""

    def __init__(self) -> None:
        self._open = 0
        self._at = time.monotonic()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Within it somebody wants something."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._at = time.monotonic()

    def seconds_ago(self) -> float:
        """Seconds since the last one left; 0 while one is here."""
        return 0.0 if self._open else time.monotonic() - self._at


def build_app(bases: Bases, token: str, seen: LastSeen, loader: Executor, aside: Aside | None = None) -> FastAPI:
    """The application; `bases` does the work, loads on `loader`'s one thread."""
    app = FastAPI(title="Ratchet engine", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(_answers(bases))
    app.include_router(_models(bases, loader))
    if aside is not None:
        app.include_router(_aside(aside, loader))
    app.include_router(text_routes(bases, Tokenizers(loader)))
    app.add_exception_handler(RatchetError, _our_error)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)
    app.add_middleware(Gate, token=token, seen=seen)
    return app


def _answers(bases: Bases) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/chat/completions")
    async def chat(asked: wire.ChatRequest, request: Request) -> Response:
        ask = await Ask.begin(bases, asked)
        completion = wire.Completion(asked.model)
        if asked.stream:
            return StreamingResponse(_stream(ask, completion), media_type="text/event-stream")
        return await _whole(ask, completion, request)

    return router


def _models(bases: Bases, loader: Executor) -> APIRouter:
    router = APIRouter()

    async def load(job: Callable[..., str | None], *values: Any) -> dict[str, str | None]:
        sha256 = await asyncio.get_running_loop().run_in_executor(loader, job, *values)
        return {"status": "ok", "sha256": sha256}

    @router.get("/health")
    async def health() -> dict[str, Any]:
        device = bases.device
        return {
            "status": "ok",
            "device": str(device.device),
            "device_reason": device.reason,
            "dtype": device.dtype_name,
            "threads": device.threads,
            "models": [line.name for line in bases.listed()],
            "load": bases.load()._asdict(),
            "exact": bases.exact(),
            "memory": {"held": round(bases.memory()), "most": round(bases.room.most())},
            "aside": str(refusal) if (refusal := bases.refusal()) else None,
        }

    @router.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_listed(line) for line in bases.listed()]}

    @router.post("/v1/load_base")
    async def load_base(asked: wire.LoadBaseRequest) -> dict[str, str | None]:
        return await load(bases.load_base, asked.name, Path(asked.path))

    @router.post("/v1/unload_base")
    async def unload_base(asked: wire.UnloadBaseRequest) -> dict[str, str | None]:
        return await load(bases.unload_base, asked.name)

    @router.post("/v1/load_lora_adapter")
    async def load_adapter(asked: wire.LoadAdapterRequest) -> dict[str, Any]:
        loaded = await load(bases.load_adapter, asked.lora_name, Path(asked.lora_path), asked.base, asked.parent)
        return {**loaded, **next((_proof(line) for line in bases.listed() if line.name == asked.lora_name), {})}

    @router.post("/v1/unload_lora_adapter")
    async def unload_adapter(asked: wire.UnloadAdapterRequest) -> dict[str, str | None]:
        return await load(bases.unload_adapter, asked.lora_name)

    return router


def _aside(aside: Aside, loader: Executor) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/aside")
    async def follow() -> dict[str, Any]:
        """Look at the notes of the home now: move aside for a run, or come back."""
        loaded = await asyncio.get_running_loop().run_in_executor(loader, aside.follow)
        return {"status": "ok", "models": loaded}

    return router


def _listed(line: Listed) -> dict[str, Any]:
    """A model as OpenAI lists it, with vLLM's root and parent, our hashes and the proof that an adapter acts."""
    ours = {key: value for key, value in line._asdict().items() if key not in ("name", "acts")}
    return {"id": line.name, "object": "model", "created": 0, "owned_by": "ratchet", **ours, **_proof(line)}


def _proof(line: Listed) -> dict[str, Any]:
    """What an adapter changes against its parent, and a sentence where that is nothing; empty for a base."""
    if line.acts is None:
        return {}
    warning = line.acts.warning(line.name)
    return {"acts": line.acts._asdict(), **({"warning": warning} if warning else {})}


async def _stream(ask: Ask, completion: wire.Completion) -> AsyncIterator[str]:
    """Server-sent events; Starlette closes this generator when the caller goes, which cancels the row."""
    try:
        yield _event(completion.chunk({"role": "assistant", "content": ""}))
        async for event in ask.events():
            if isinstance(event, Delta):
                yield _event(completion.chunk({"content": event.text}))
            else:
                yield _event(completion.chunk({}, event.reason, **_end(ask, event)))
    except RatchetError as error:
        yield _event(wire.error_body(error))
    finally:
        ask.cancel()
    yield "data: [DONE]\n\n"


async def _whole(ask: Ask, completion: wire.Completion, request: Request) -> Response:
    gathering = asyncio.ensure_future(_gather(ask))
    try:
        while not (await asyncio.wait({gathering}, timeout=0.2))[0]:
            if await request.is_disconnected():
                return Response(status_code=_CLOSED)
        text, end = gathering.result()
        return JSONResponse(completion.whole(text, end.reason, **_end(ask, end)))
    finally:
        ask.cancel()
        gathering.cancel()


async def _gather(ask: Ask) -> tuple[str, Finished]:
    parts: list[str] = []
    async for event in ask.events():
        if isinstance(event, Finished):
            return "".join(parts), event
        parts.append(event.text)
    raise AssertionError("a row ended without saying so")


def _end(ask: Ask, end: Finished) -> dict[str, Any]:
    """What comes with the end of an answer: OpenAI's usage, and our stamp."""
    usage = {
        "prompt_tokens": ask.prompt_tokens,
        "completion_tokens": end.tokens,
        "total_tokens": ask.prompt_tokens + end.tokens,
    }
    seconds = round(end.seconds, 4)
    return {"usage": usage, "ratchet": {"stamp": ask.stamp, "tokens": end.tokens, "seconds": seconds}}


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


async def _our_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RatchetError)
    return JSONResponse(wire.error_body(error), wire.status_of(error))


async def _wrong_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    sentence = f"The request cannot be read: {where}: {first['msg']}."
    return JSONResponse(wire.error_shape(sentence, "bad-input", 400), 400)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse(wire.error_shape(f"{error.detail}.", "not-found", error.status_code), error.status_code)


async def _bug(_: Request, error: Exception) -> JSONResponse:
    """What nobody foresaw; Starlette raises it again for the log."""
    sentence = f"The engine failed ({type(error).__name__}: {error}); its log says more."
    return JSONResponse(wire.error_shape(sentence, "error", 500), 500)
