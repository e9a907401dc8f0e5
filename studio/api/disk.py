"""JSON routes about the disk, under /api/jobs/disk, and about models that leave, under /api/models."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from studio import task as running
from studio.api.ascii import Ascii
from studio.studio import Studio
from studio.training.disk import clean, usage
from studio.training.exporting_models import exportable


class Clean(BaseModel):
    """Which jobs to clean up after; all where none is named."""

    jobs: list[str] | None = None
    dry: bool = False


class Wanted(BaseModel):
    """How a model is to be written: adapter, merged or full."""

    form: str = Field(alias="as")


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
        return {"task": running.start(studio.store, "export-model", {"model": model.name, "as": wanted.form}).id}

    return routes
