"""JSON routes that make candidates without training, under /api/models: mixtures, and models from elsewhere."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage.blends import HOWS, THINNED
from studio import task as running
from studio.api.allowed import Asker
from studio.people.roles import Action, require
from studio.studio import Studio
from studio.training.mixing import Recipe, mixable, propose


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

    return routes
