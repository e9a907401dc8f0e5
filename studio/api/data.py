"""JSON routes about datasets as a whole, under /api/data.

Plain functions run in threads: each has its own connection to the store. The table has its own routes
(studio/api/rows.py), so have the editor (editor.py), files in (imports.py) and files out (exports.py).
"""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from storage import datasets
from studio.api.ascii import Ascii
from studio.curation import listing
from studio.curation.export_formats import FITTING
from studio.curation.mapping import ROLES
from studio.studio import Studio


class NewDataset(BaseModel):
    """A dataset to be written by hand."""

    name: str
    kind: str = "sft"


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["data"], default_response_class=Ascii)
    _add_datasets(routes, studio)
    return routes


def _add_datasets(routes: APIRouter, studio: Studio) -> None:
    """Routes about datasets as a whole."""

    @routes.get("/datasets")
    def list_datasets() -> dict[str, Any]:
        return {**listing.list_all(studio.store).to_json(), "formats": FITTING, "roles": ROLES}

    @routes.post("/datasets")
    def create(wanted: NewDataset) -> dict[str, Any]:
        made = datasets.create_dataset(studio.store, wanted.name.strip(), wanted.kind)
        return listing.dataset_json(made) | {"rows": 0}
