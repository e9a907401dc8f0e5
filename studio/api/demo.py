"""JSON routes of a demo, for visitors who have its link and nothing else: what it is, answers as a stream, votes.

Under /api/demo/{link}; the doorman lets everybody pass to them, and the link's secret is looked up in each. A visitor
is known by a cookie that scripts cannot read and that travels to these routes alone; limits are counted by address.
"""

import hashlib
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from storage.demos import Demo
from storage.errors import NotReady
from studio.demos import judging
from studio.demos.making import answering, demo_of
from studio.demos.pace import place_of
from studio.demos.talking import Question, Talks
from studio.demos.terms import LONGEST_SYSTEM, LONGEST_TEXT, Terms
from studio.settings import Settings
from studio.studio import Studio

Json = dict[str, Any]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{26}$")]
_COOKIE_DAYS = 30
_DAY = 86_400


class Asking(BaseModel):
    """A question. What it may say at most is told by the demo's terms, in a sentence; this is far above."""

    text: str = Field(max_length=20_000)
    parent: Id | None = None
    system: str | None = Field(default=None, max_length=20_000)
    temperature: float | None = Field(default=None, ge=0, le=100)
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    model: int | None = Field(default=None, ge=0, le=1000)
    pair: bool = False


class Thinking(BaseModel):
    """What a visitor thinks of one answer or of two, from left to right; null takes it back."""

    answers: list[Id] = Field(min_length=1, max_length=2)
    choice: str | None = Field(max_length=20)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/demo/{link}", tags=["demo"])
    store = studio.store
    talks = Talks(store)

    @routes.get("")
    def told(link: str, request: Request, response: Response) -> Json:
        demo = demo_of(store, link)
        _know(request, response, studio.settings)
        return _told(studio, demo)

    @routes.post("/answer")
    async def answer(link: str, asking: Asking, request: Request) -> StreamingResponse:
        demo = demo_of(store, link)
        address = _place(request)
        visitor = _visitor(demo, request, studio.settings, address)
        events = talks.answer(demo, visitor, address, Question(**asking.model_dump()))
        first = await anext(events)  # what is refused is told with its own status
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_stream(first, events), media_type="text/event-stream", headers=headers)

    @routes.post("/vote")
    def vote(link: str, thinking: Thinking, request: Request) -> Json:
        demo = demo_of(store, link)
        address = _place(request)
        visitor = _visitor(demo, request, studio.settings, address)
        return judging.vote(store, demo, visitor, thinking.answers, thinking.choice)

    return routes


def cookie_name(settings: Settings) -> str:
    """The cookie by which a visitor's own answers are found again."""
    return f"ratchet_visitor_{settings.port}"


def _told(studio: Studio, demo: Demo) -> Json:
    """What visitors may know: nothing of the project but what the demo's maker wrote for them."""
    terms = Terms.from_json(demo.settings)
    told: Json = {
        "title": terms.title, "lead": terms.lead, "examples": list(terms.examples), "system": terms.system,
        "settings": terms.settings, "comparing": terms.comparing, "temperature": terms.temperature,
        "max_tokens": terms.max_tokens, "longest_text": LONGEST_TEXT, "longest_system": LONGEST_SYSTEM,
    }  # fmt: skip
    if terms.names:
        try:
            told["models"] = [model.name for model in answering(studio.store, demo)]
        except NotReady:
            told["models"] = []
    return told


def _place(request: Request) -> str:
    """Where a request comes from, as limits count it."""
    return place_of(request.client.host) if request.client else "unknown"


def _know(request: Request, response: Response, settings: Settings) -> None:
    """Give a new visitor a cookie."""
    name = cookie_name(settings)
    if not request.cookies.get(name):
        response.set_cookie(
            name, secrets.token_urlsafe(16), max_age=_COOKIE_DAYS * _DAY, httponly=True,
            path="/api/demo",
            samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip


def _visitor(demo: Demo, request: Request, settings: Settings, address: str) -> str:
    """Who asks, as a word that tells nothing: another one in every demo; without a cookie, the address."""
    known = request.cookies.get(cookie_name(settings)) or address
    return hashlib.sha256(f"{demo.id}:{demo.token_sha256}:{known}".encode("utf-8", "surrogatepass")).hexdigest()[:10]


async def _stream(first: Json, events: AsyncGenerator[Json, None]) -> AsyncIterator[str]:
    async with aclosing(events):
        yield _event(first)
        async for event in events:
            yield _event(event)


def _event(value: Json) -> str:
    return f"data: {json.dumps(value)}\n\n"
