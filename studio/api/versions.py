"""JSON routes about the versions of a dataset, under /api/data: freeze, name, compare, restore, fork."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from storage import datasets
from studio import task as running
from studio.api.ascii import Ascii
from studio.curation import versioning
from studio.studio import Studio

Json = dict[str, Any]


class Name(BaseModel):
    """What a version, or a new dataset, is called."""

    name: str | None = None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["versions"], default_response_class=Ascii)
    _add_versions(routes, studio)
    return routes


def _add_versions(routes: APIRouter, studio: Studio) -> None:
    """Freezing and naming."""
    store = studio.store

    @routes.get("/datasets/{name}/versions")
    def list_versions(name: str) -> Json:
        return {"versions": versioning.list_versions(store, name)}

    @routes.post("/datasets/{name}/versions")
    def freeze(name: str, given: Name) -> Json:
        dataset = datasets.get_dataset(store, name)
        if datasets.count_examples(store, dataset.id) > versioning.AT_ONCE:
            payload = {"dataset": dataset.name, "name": given.name}
            return {"task": running.start(store, "freeze", payload).id}
        return versioning.freeze(store, name, given.name)

    @routes.patch("/datasets/{name}/versions/{number}")
    def rename(name: str, number: int, given: Name) -> Json:
        versioning.rename(store, datasets.get_dataset(store, name), number, given.name)
        return {"version": number, "name": given.name}
