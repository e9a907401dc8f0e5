"""JSON routes about data, under /api/data: datasets, their rows, changes by hand, files out.

Plain functions run in threads: each has its own connection to the store. Files in have their own routes
(studio/api/imports.py); nothing here works longer than a moment, an export of a large dataset aside.
"""

import json
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.background import BackgroundTask

from storage import datasets
from storage.clock import new_id
from studio.api.ascii import Ascii
from studio.curation import listing
from studio.curation.export_formats import FITTING
from studio.curation.exporting import export
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
    _add_files(routes, studio)
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


def _add_files(routes: APIRouter, studio: Studio) -> None:
    """Files out: a dataset in a format."""

    @routes.get("/datasets/{name}/export")
    def download(name: str, format: str = "messages") -> FileResponse:
        path = studio.home.exports / f".download-{new_id()}"
        report = export(studio.store, name, format=format, out=path)
        ending = "csv" if format == "csv" else "jsonl"
        headers = {"X-Rows": str(report.rows), "X-Dropped": json.dumps(report.dropped)}
        return FileResponse(
            path, filename=f"{report.dataset}.{ending}", headers=headers, background=BackgroundTask(path.unlink, True)
        )
