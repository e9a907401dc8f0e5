"""JSON routes about the disk, under /api/jobs/disk, and about models that leave, under /api/models."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage.leaving import FORMS, OF_ADAPTERS
from studio import task as running
from studio.api.ascii import Ascii
from studio.studio import Studio
from studio.training.disk import clean, usage
from studio.training.exporting_models import exportable
from studio.training.model_card import model_card


class Clean(BaseModel):
    """Which jobs to clean up after; all where none is named."""

    jobs: list[str] | None = None
    dry: bool = False


class Wanted(BaseModel):
    """How a model is to be written (`storage.leaving`), and the licence that its card says."""

    form: str = Field(alias="as")
    licence: str = Field(default="", max_length=60)


class ToHub(Wanted):
    """The same, and where on the Hub."""

    repository: str = Field(min_length=1, max_length=200)
    private: bool = True


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api", tags=["disk"], default_response_class=Ascii)

    @routes.get("/jobs/disk")
    def disk() -> dict[str, Any]:
        return usage(studio.store)

    @routes.post("/jobs/disk/clean")
    def clean_up(asked: Clean) -> dict[str, Any]:
        return clean(studio.store, asked.jobs, asked.dry)

    @routes.post("/models/{name}/export")
    def export(name: str, wanted: Wanted) -> dict[str, Any]:
        model = exportable(studio.store, name, wanted.form)
        model_card(studio.store, model, wanted.form, wanted.licence)  # refuses a licence that is none at once
        said = {"model": model.name, "as": wanted.form, "licence": wanted.licence}
        return {"task": running.start(studio.store, "export-model", said).id}

    @routes.post("/models/{name}/export-to-hub")
    def push(name: str, wanted: ToHub) -> dict[str, Any]:
        model = exportable(studio.store, name, wanted.form)
        model_card(studio.store, model, wanted.form, wanted.licence)
        place = {"repository": wanted.repository, "private": wanted.private, "licence": wanted.licence}
        said = {"model": model.name, "as": wanted.form, "place": place}
        return {"task": running.start(studio.store, "push-model", said).id}

    @routes.get("/models/export-forms")
    def forms() -> dict[str, Any]:
        return {
            "forms": [
                {"name": one, "help": told, "adapters_only": one in OF_ADAPTERS,
                 "ready": one != "gguf" or studio.settings.llama_cpp is not None}
                for one, told in FORMS.items()
            ]
        }  # fmt: skip

    return routes
