"""JSON routes of /models, under /api/models: the tree, all about one model, its card, a chat, a study of two."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from storage.errors import NotFound, RatchetError, Refused
from storage.models import get_model
from storage.rows_training import ANSWERING, Model
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.clients.answers import Delta, SamplingParams
from studio.clients.loaded import loaded
from studio.feedback.pairing import pair, usual_prompts
from studio.studio import Studio
from studio.training.model_facts import card_of, facts
from studio.training.tree import tree

Json = dict[str, Any]


class Turn(BaseModel):
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=50_000)


class Talk(BaseModel):
    """A conversation that a model is to go on with, and how its answer is drawn."""

    messages: list[Turn] = Field(min_length=1, max_length=200)
    system: str = Field(default="", max_length=20_000)
    max_tokens: int = Field(default=256, ge=1, le=8192)
    temperature: float = Field(default=1.0, ge=0, le=5)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=2**63)

    def turns(self) -> list[Json]:
        """The messages as models read them."""
        told = [{"role": "system", "content": self.system}] if self.system.strip() else []
        return [*told, *(turn.model_dump() for turn in self.messages)]

    def params(self) -> SamplingParams:
        """How the answer is drawn."""
        return SamplingParams(self.max_tokens, self.temperature, self.top_p, self.seed)


class Against(BaseModel):
    """The model to compare with, and on which prompts; the usual ones where none are named."""

    other: str = Field(max_length=200)
    prompts: str | None = Field(default=None, max_length=200)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/models", tags=["models"], default_response_class=Ascii)
    _add_looking(routes, studio)
    _add_talking(routes, studio)
    _add_comparing(routes, studio)
    return routes


def _add_looking(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/tree")
    def whole() -> Json:
        held = loaded(studio.home)
        return {"models": [leaf.to_json() for leaf in tree(store, held)], "prompts": usual_prompts(store)}

    @routes.get("/{model}")
    def one(model: str) -> Json:
        return facts(store, model, loaded(studio.home))

    @routes.get("/{model}/card")
    def card(model: str) -> PlainTextResponse:
        known = get_model(store, model)
        text = card_of(known)
        if text is None:
            raise NotFound(f'There is no card beside the weights of "{known.name}".')
        return PlainTextResponse(text, media_type="text/plain; charset=utf-8")


def _add_talking(routes: APIRouter, studio: Studio) -> None:
    @routes.post("/{model}/chat")
    async def chat(model: str, asked: Talk) -> StreamingResponse:
        known = await run_in_threadpool(_answering, studio, model)
        answer = studio.engine.astream(known, studio.store, asked.turns(), asked.params())
        first = await anext(answer)  # what goes wrong at the start is told with its own status
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_events(first, answer), media_type="text/event-stream", headers=headers)


def _add_comparing(routes: APIRouter, studio: Studio) -> None:
    @routes.post("/{model}/compare")
    def compare(model: str, asked: Against, asker: Asker) -> Json:
        found = pair(studio.store, asker, model, asked.other, asked.prompts or None)
        if found.made:
            studio.answerer.look(found.study.id, asker.name)
        return {"study": found.study.name, "made": found.made}


def _answering(studio: Studio, reference: str) -> Model:
    """The model that is asked; raises NotFound, Refused for one that cannot answer."""
    model = get_model(studio.store, reference)
    if model.kind not in ANSWERING:
        raise Refused(f'"{model.name}" judges answers and gives none, so nobody can chat with it.')
    if model.gone_at is not None:
        raise Refused(f'The weights of "{model.name}" were deleted, so it answers no more.')
    return model


async def _events(first: Delta, rest: AsyncGenerator[Delta, None]) -> AsyncIterator[str]:
    """Pieces of text, then what made the answer; what goes wrong midway is an event of its own."""
    try:
        yield _event(first)
        async with aclosing(rest) as deltas:
            async for delta in deltas:
                yield _event(delta)
    except RatchetError as error:
        yield _told({"kind": "error", "error": {"kind": error.kind, "sentence": str(error)}})


def _event(delta: Delta) -> str:
    if delta.answer is None:
        return _told({"kind": "text", "add": delta.text})
    whole = delta.answer
    ended = {"tokens": whole.tokens, "seconds": whole.seconds, "reason": whole.finish_reason, "stamp": whole.stamp}
    return _told({"kind": "done", "text": whole.text, **ended})


def _told(value: Json) -> str:
    return f"data: {json.dumps(value)}\n\n"
