"""JSON routes for adapters from the browser, under /api/models: files are sent first, then made a model."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from studio.api.allowed import Asker
from studio.curation import uploads
from studio.studio import Studio
from studio.training.templates import BUILT_IN
from studio.training.uploaded import add_uploaded


class Sent(BaseModel):
    """What was uploaded (ids), its name here, and the base that it lies on, where its files name another."""

    uploads: list[str] = Field(min_length=1, max_length=8)
    name: str | None = Field(default=None, max_length=64)
    base: str | None = Field(default=None, max_length=64)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/models", tags=["models"])

    @routes.put("/upload")
    async def receive(request: Request, name: str = "upload") -> dict[str, Any]:
        with uploads.Incoming(studio.home, name) as incoming:
            async for part in request.stream():
                await run_in_threadpool(incoming.write, part)
        return incoming.received._asdict()

    @routes.post("/uploaded")
    def add(sent: Sent, actor: Asker) -> dict[str, Any]:
        model = add_uploaded(studio.store, actor, sent.uploads, sent.name or None, sent.base or None)
        return {"name": model.name, "kind": model.kind}

    @routes.get("/templates")
    def templates() -> dict[str, Any]:
        return {"templates": list(BUILT_IN)}

    return routes
