"""JSON routes about models that nobody trained here, under /api/models: mixtures, adapters from the browser.

Files are sent first, then made a model.
"""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from storage.blends import HOWS, THINNED
from studio import task as running
from studio.api.allowed import Asker
from studio.curation import uploads
from studio.people.roles import Action, require
from studio.studio import Studio
from studio.training.mixing import Recipe, mixable, propose
from studio.training.templates import BUILT_IN
from studio.training.uploaded import add_uploaded


class Wanted(BaseModel):
    """What is to be mixed, by names of models, and how; no weights: all alike."""

    name: str = Field(max_length=64)
    models: list[str] = Field(max_length=16)
    how: str = "cat"
    weights: list[float] = Field(default_factory=list, max_length=16)
    density: float = 0.5
    seed: int = 0

    def recipe(self) -> Recipe:
        """The recipe; raises BadInput where it is none."""
        return Recipe(self.name, tuple(self.models), self.how, tuple(self.weights), self.density, self.seed)


class Sent(BaseModel):
    """What was uploaded (ids), its name here, and the base that it lies on, where its files name another."""

    uploads: list[str] = Field(min_length=1, max_length=8)
    name: str | None = Field(default=None, max_length=64)
    base: str | None = Field(default=None, max_length=64)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/models", tags=["models"])

    @routes.get("/mixing/ways")
    def ways() -> dict[str, Any]:
        return {"ways": [{"name": name, "help": told, "thinned": name in THINNED} for name, told in HOWS.items()]}

    @routes.post("/mixing")
    def begin(wanted: Wanted, actor: Asker) -> dict[str, Any]:
        require(actor, Action.MANAGE_MODELS)
        recipe = wanted.recipe()
        mixable(studio.store, recipe)  # what can be told at once is told at once
        said = {"recipe": asdict(recipe), "actor": {"name": actor.name, "role": actor.role}}
        return {"task": running.start(studio.store, "mix-models", said).id}

    @routes.post("/{model}/propose")
    def candidate(model: str, actor: Asker) -> dict[str, Any]:
        return propose(studio.store, actor, model)

    _add_uploads(routes, studio)
    return routes


def _add_uploads(routes: APIRouter, studio: Studio) -> None:
    """Adapters from the browser, and the templates that bases without one are offered."""

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
