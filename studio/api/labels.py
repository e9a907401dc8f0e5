"""The JSON route about classifiers at work: label and tag a dataset, as a task (see /api/data/tasks)."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from storage.datasets import get_dataset
from storage.models import get_model
from studio import task
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.studio import Studio


class Labelling(BaseModel):
    """Which classifier, and how sure it must be to tag; without that it labels only."""

    model: str
    tag_above: float | None = None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["data"], default_response_class=Ascii)

    @routes.post("/datasets/{name}/label")
    def label(name: str, asked: Labelling, me: Me) -> dict[str, Any]:
        dataset, model = get_dataset(studio.store, name), get_model(studio.store, asked.model)
        payload = {"model": model.name, "dataset": dataset.name, "tag_above": asked.tag_above, "author": me}
        return {"task": task.start(studio.store, "label", payload).id}

    return routes
