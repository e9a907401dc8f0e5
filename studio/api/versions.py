"""JSON routes about the versions of a dataset, under /api/data: freeze, name, compare, restore, fork."""

from typing import Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from storage import datasets
from studio import task as running
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.curation import versioning
from studio.studio import Studio

Json = dict[str, Any]


class Name(BaseModel):
    """What a version is called."""

    name: str | None = None


class Fork(BaseModel):
    """What the new dataset is called."""

    name: str


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["versions"], default_response_class=Ascii)
    _add_versions(routes, studio)
    _add_uses(routes, studio)
    return routes


def _add_versions(routes: APIRouter, studio: Studio) -> None:
    """Freezing, naming, comparing."""
    store = studio.store

    @routes.get("/datasets/{name}/versions")
    def list_versions(name: str) -> Json:
        return {"versions": versioning.list_versions(store, name)}

    @routes.post("/datasets/{name}/versions")
    def freeze(name: str, given: Name) -> Json:
        dataset = datasets.get_dataset(store, name)
        if datasets.count_examples(store, dataset.id) > versioning.AT_ONCE:
            return _begin(studio, "freeze", {"dataset": dataset.name, "name": given.name})
        return versioning.freeze(store, name, given.name)

    @routes.patch("/datasets/{name}/versions/{number}")
    def rename(name: str, number: int, given: Name) -> Json:
        return versioning.rename(store, name, number, given.name)

    @routes.get("/datasets/{name}/versions/{number}/compare")
    def compare(
        name: str, number: int, other: int = Query(alias="with"), kind: str = "", offset: int = Query(0, ge=0)
    ) -> Json:
        return versioning.compare(store, name, number, other, kind, offset)


def _add_uses(routes: APIRouter, studio: Studio) -> None:
    """Restoring and forking."""
    store = studio.store

    @routes.post("/datasets/{name}/versions/{number}/restore")
    def restore(name: str, number: int, author: Me) -> Json:
        dataset = datasets.get_dataset(store, name)
        if versioning.find(store, name, number).rows > versioning.AT_ONCE:
            return _begin(studio, "restore", {"dataset": dataset.name, "version": number, "author": author})
        return versioning.restore(store, name, number, author)

    @routes.post("/datasets/{name}/versions/{number}/fork")
    def fork(name: str, number: int, given: Fork, author: Me) -> Json:
        if versioning.find(store, name, number).rows > versioning.AT_ONCE:
            datasets.refuse_taken(store, given.name.strip())
            wish = {"dataset": datasets.get_dataset(store, name).name, "version": number, "name": given.name.strip()}
            return _begin(studio, "fork", {**wish, "author": author})
        return versioning.fork(store, name, number, given.name, author)


def _begin(studio: Studio, kind: str, payload: Json) -> Json:
    """Start a task; the page watches it."""
    return {"task": running.start(studio.store, kind, payload).id}
