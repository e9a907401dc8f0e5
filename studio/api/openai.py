"""The champion under OpenAI's protocol, for other programs: /v1/models and /v1/chat/completions, with a key.

`champion` names whoever is champion when the question comes; an answer that is being written ends on the weights that
it began with. A key whose scope is a role may name any model that answers; one for the champion sees nothing else.
"""

import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from storage.errors import Forbidden, NotFound, RatchetError
from storage.models import get_model, list_models
from storage.rows_training import ANSWERING, Model
from studio.api.errors import status_of
from studio.clients.answers import Delta, SamplingParams
from studio.people.keys import Program
from studio.rounds.champion import champion
from studio.studio import Studio

Json = dict[str, Any]
CHAMPION = "champion"
_MOST_TOKENS = 8192


class Question(BaseModel):
    """`POST /v1/chat/completions`; what we do not know is ignored, as OpenAI's servers do."""

    model_config = ConfigDict(extra="ignore")

    messages: list[Json] = Field(min_length=1, max_length=1000)
    model: str = CHAMPION
    max_tokens: int | None = Field(default=None, ge=1, le=_MOST_TOKENS)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=_MOST_TOKENS)
    temperature: float = Field(default=1.0, ge=0, le=5)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    stream: bool = False
    stream_options: Json | None = None

    def params(self) -> SamplingParams:
        """How the answer is drawn."""
        most = self.max_completion_tokens or self.max_tokens or 256
        return SamplingParams(most, self.temperature, self.top_p, self.seed)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/v1", tags=["openai"])

    @routes.get("/models")
    def models(request: Request) -> Json:
        program: Program = request.state.program
        first = champion(studio.store)
        names = [CHAMPION] if first else []
        if program.actor is not None:
            names += [model.name for model in list_models(studio.store) if model.kind in ANSWERING]
        return {"object": "list", "data": [_model_line(name) for name in names]}

    @routes.post("/chat/completions", response_model=None)
    async def chat(request: Request, question: Question) -> JSONResponse | StreamingResponse:
        try:
            model = await run_in_threadpool(_model, studio, request.state.program, question.model)
            answer = studio.engine.astream(model, studio.store, question.messages, question.params())
            envelope = _Envelope(question.model)
            first = await anext(answer)  # what goes wrong at the start is told with its own status
        except RatchetError as error:
            return JSONResponse(_error(error), status_of(error))
        deltas = _with_first(first, answer)
        if question.stream:
            usage = bool((question.stream_options or {}).get("include_usage"))
            return StreamingResponse(_events(deltas, envelope, usage), media_type="text/event-stream")
        return await _whole(deltas, envelope)

    return routes


def _model_line(name: str) -> Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": "ratchet"}


def _model(studio: Studio, program: Program, name: str) -> Model:
    """Who is asked; raises Forbidden for a key of the champion that names another, NotFound."""
    first = champion(studio.store)
    if name == CHAMPION:
        if first is None:
            raise NotFound("There is no champion yet: this project has no model.")
        return first
    if program.actor is None:
        raise Forbidden(f'This key is for the model "{CHAMPION}" alone, not for "{name}".')
    model = get_model(studio.store, name)
    if model.kind not in ANSWERING:
        raise NotFound(f'"{name}" judges answers and gives none.')
    return model


async def _with_first(first: Delta, rest: AsyncIterator[Delta]) -> AsyncIterator[Delta]:
    yield first
    async for delta in rest:
        yield delta


class _Envelope:
    """The same id in all parts of one answer."""

    def __init__(self, model: str) -> None:
        self.head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": model}

    def chunk(self, delta: Json, reason: str | None = None) -> Json:
        """One event of a stream."""
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return {**self.head, "object": "chat.completion.chunk", "choices": [choice]}

    def whole(self, text: str, reason: str) -> Json:
        """A complete answer."""
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        return {**self.head, "object": "chat.completion", "choices": [choice]}


async def _whole(deltas: AsyncIterator[Delta], envelope: _Envelope) -> JSONResponse:
    last: Delta | None = None
    try:
        async for delta in deltas:
            last = delta
    except RatchetError as error:
        return JSONResponse(_error(error), status_of(error))
    assert last is not None, "a stream ends with its answer"
    assert last.answer is not None, "a stream ends with its answer"
    body = envelope.whole(last.answer.text, last.answer.finish_reason)
    return JSONResponse({**body, "usage": _usage(last), "ratchet": {"stamp": last.answer.stamp}})


async def _events(deltas: AsyncIterator[Delta], envelope: _Envelope, usage: bool) -> AsyncIterator[str]:
    """The stream as OpenAI's clients read it; an error in the middle is an event of its own, then the end."""
    yield _event(envelope.chunk({"role": "assistant", "content": ""}))
    try:
        async for delta in deltas:
            if delta.text:
                yield _event(envelope.chunk({"content": delta.text}))
            if delta.answer is not None:
                told = {"ratchet": {"stamp": delta.answer.stamp}}
                yield _event({**envelope.chunk({}, delta.answer.finish_reason), **told})
                if usage:
                    yield _event({**envelope.chunk({}), "choices": [], "usage": _usage(delta)})
    except RatchetError as error:
        yield _event(_error(error))
    yield "data: [DONE]\n\n"


def _usage(last: Delta) -> Json:
    """What an answer cost; the prompt's tokens where they are known."""
    assert last.answer is not None, "only the last piece has the whole"
    read = int(last.answer.stamp.get("prompt_tokens") or 0)
    return {"prompt_tokens": read, "completion_tokens": last.answer.tokens, "total_tokens": read + last.answer.tokens}


def _event(value: Json) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _error(error: RatchetError) -> Json:
    """An error in OpenAI's shape."""
    kind = "server_error" if status_of(error) >= 500 else "invalid_request_error"
    return {"error": {"message": str(error), "type": kind, "param": None, "code": error.kind}}
