"""JSON routes about demos, under /api/demos: make, list, close; votes that wait are accepted, refused, taken back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from studio.api.allowed import Asker
from studio.demos import making, quarantine
from studio.studio import Studio

Json = dict[str, Any]
Name = Annotated[str, Field(max_length=100)]


class NewDemo(BaseModel):
    """A demo to be made; `terms` as `studio.demos.terms.Terms`. Without models the champion answers."""

    name: str = Field(max_length=100)
    models: list[Name] = Field(default_factory=list, max_length=20)
    terms: Json = Field(default_factory=dict)


class Which(BaseModel):
    """The votes that are meant; all that wait where none is named."""

    votes: list[Name] | None = Field(default=None, max_length=1000)


class Decided(BaseModel):
    """The decision that is to be taken back; the last one where none is named."""

    decision: Name | None = None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/demos", tags=["demos"])
    store = studio.store

    @routes.get("")
    def listed(asker: Asker) -> Json:
        return {"demos": making.listed(store, asker)}

    @routes.post("")
    def make(asker: Asker, new: NewDemo) -> Json:
        made = making.make(studio.ready, asker, new.name, new.models, new.terms)
        return {**making.to_json(store, made.demo), "path": made.path, "only_here": studio.settings.only_here}

    @routes.post("/{name}/close")
    def close(asker: Asker, name: str) -> Json:
        return making.to_json(store, making.close(store, asker, name))

    @routes.get("/{name}/votes")
    def votes(
        asker: Asker, name: str, state: Literal["pending", "accepted", "refused"] = "pending",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Json:  # fmt: skip
        return {"votes": quarantine.waiting(store, asker, name, state, limit)}

    @routes.post("/{name}/accept")
    def accept(asker: Asker, name: str, which: Which) -> Json:
        return quarantine.accept(store, asker, name, which.votes)

    @routes.post("/{name}/refuse")
    def refuse(asker: Asker, name: str, which: Which) -> Json:
        return quarantine.refuse(store, asker, name, which.votes)

    @routes.post("/{name}/take-back")
    def take_back(asker: Asker, name: str, decided: Decided) -> Json:
        return quarantine.take_back(store, asker, name, decided.decision)

    return routes
