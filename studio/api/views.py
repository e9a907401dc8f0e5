"""JSON routes about saved views, and about datasets as named things, under /api/data."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage import catalogue, datasets
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.curation import listing, views
from studio.studio import Studio

Json = dict[str, Any]


class NewView(BaseModel):
    """What is set in the table, under a name."""

    name: str
    state: dict[str, Any]


class OtherView(BaseModel):
    """What becomes of a view; what is absent stays."""

    name: str | None = None
    state: dict[str, Any] | None = None


class About(BaseModel):
    """A dataset's name and what it holds; what is absent stays."""

    name: str | None = None
    description: str | None = Field(default=None, max_length=20_000)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["views"], default_response_class=Ascii)
    _add_views(routes, studio)
    _add_datasets(routes, studio)
    return routes


def _add_views(routes: APIRouter, studio: Studio) -> None:
    """Saved views: each person's own."""
    store = studio.store

    @routes.get("/datasets/{name}/views")
    def list_views(name: str, author: Me) -> Json:
        return {"views": views.list_views(store, name, author)}

    @routes.post("/datasets/{name}/views")
    def add(name: str, given: NewView, author: Me) -> Json:
        return views.add_view(store, name, author, given.name, given.state)

    @routes.patch("/datasets/{name}/views/{view}")
    def change(name: str, view: str, given: OtherView, author: Me) -> Json:
        return views.change_view(store, name, author, view, given.name, given.state)

    @routes.delete("/datasets/{name}/views/{view}")
    def remove(name: str, view: str, author: Me) -> Json:
        views.remove_view(store, name, author, view)
        return {"removed": view}


def _add_datasets(routes: APIRouter, studio: Studio) -> None:
    """Renaming, describing, deleting, bringing back."""
    store = studio.store

    @routes.patch("/datasets/{name}")
    def change(name: str, about: About) -> Json:
        dataset = datasets.get_dataset(store, name)
        if about.description is not None:
            catalogue.describe(store, dataset, about.description.strip())
        if about.name is not None:
            catalogue.rename(store, dataset, about.name.strip())
        return listing.dataset_json(datasets.get_dataset(store, dataset.id))

    @routes.delete("/datasets/{name}")
    def delete(name: str) -> Json:
        dataset = datasets.get_dataset(store, name)
        catalogue.delete(store, dataset)
        return {"id": dataset.id, "name": dataset.name}

    @routes.get("/deleted")
    def deleted() -> Json:
        return {"datasets": [item._asdict() for item in catalogue.list_deleted(store)]}

    @routes.post("/deleted/{dataset}/restore")
    def restore(dataset: str) -> Json:
        return {"name": catalogue.restore(store, dataset)}
