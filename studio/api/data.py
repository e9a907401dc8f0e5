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

from storage import datasets, examples
from storage.clock import new_id
from storage.queries import Query
from storage.rows import Batch, Example
from studio.api.ascii import Ascii
from studio.curation import editing, listing, searching
from studio.curation.export_formats import FITTING
from studio.curation.exporting import export
from studio.curation.mapping import ROLES
from studio.studio import Studio

PAGE = 25
MOST_ROWS = 100


class NewDataset(BaseModel):
    """A dataset to be written by hand."""

    name: str
    kind: str = "sft"


class Content(BaseModel):
    """An example as the editor sends it; `revision`: the one that the person saw."""

    content: dict[str, Any]
    tags: list[str] | None = None
    revision: int | None = None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["data"], default_response_class=Ascii)
    _add_datasets(routes, studio)
    _add_rows(routes, studio)
    _add_changes(routes, studio)
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

    @routes.get("/datasets/{name}/rows")
    def page(name: str, search: str = "", page: int = 1, size: int = PAGE, at: str = "") -> dict[str, Any]:
        return _page(studio, name, search, page, min(max(size, 1), MOST_ROWS), at)


def _page(studio: Studio, name: str, search: str, number: int, size: int, at: str) -> dict[str, Any]:
    """A page of short views, and what undo and redo would do; `at`: the id of a row whose page is wanted."""
    store = studio.store
    dataset = datasets.get_dataset(store, name)
    if at:
        number = listing.place_of(store, editing.get(store, name, at), search) // size + 1
    query = Query(search=search, limit=size, offset=(max(number, 1) - 1) * size)
    found = examples.page(store, dataset.id, query)
    if not found.examples and found.total:  # past the end, after a deletion: the last page there is
        number = (found.total - 1) // size + 1
        found = examples.page(store, dataset.id, Query(search=search, limit=size, offset=(number - 1) * size))
    return {
        **listing.dataset_json(dataset),
        "rows": [searching.summary(example, search) for example in found.examples],
        "total": found.total,
        "all": found.total if not search else datasets.count_examples(store, dataset.id),
        "page": max(number, 1),
        "pages": max(1, -(-found.total // size)),
        **editing.steps(store, dataset)._asdict(),
    }


def _add_rows(routes: APIRouter, studio: Studio) -> None:
    """Routes about single rows."""
    store, author = studio.store, studio.settings.annotator

    @routes.get("/datasets/{name}/rows/{row}")
    def read(name: str, row: str) -> dict[str, Any]:
        return _whole(editing.get(store, name, row))

    @routes.post("/datasets/{name}/rows")
    def add(name: str, given: Content) -> dict[str, Any]:
        return _whole(editing.add(store, name, given.content, given.tags or (), author))

    @routes.put("/datasets/{name}/rows/{row}")
    def save(name: str, row: str, given: Content) -> dict[str, Any]:
        revised = editing.revise(
            store, name, row, given.content, tags=given.tags, expected_revision=given.revision, author=author
        )
        return _whole(revised)

    @routes.delete("/datasets/{name}/rows/{row}")
    def remove(name: str, row: str) -> dict[str, Any]:
        return {"deleted": editing.delete(store, name, [row], author)}

    @routes.post("/datasets/{name}/rows/{row}/duplicate")
    def copy(name: str, row: str) -> dict[str, Any]:
        return _whole(editing.duplicate(store, name, row, author))

    @routes.get("/datasets/{name}/rows/{row}/history")
    def history(name: str, row: str) -> dict[str, Any]:
        return {"revisions": editing.history(store, name, row)}


def _whole(example: Example) -> dict[str, Any]:
    """A row for the editor."""
    return {
        "id": example.id,
        "number": example.number,
        "revision": example.revision_id,
        "content": example.content,
        "tags": example.tags,
        "author": example.author,
        "revised_at": example.revised_at,
    }


def _add_changes(routes: APIRouter, studio: Studio) -> None:
    """Undo and redo."""

    @routes.post("/datasets/{name}/undo")
    def undo(name: str) -> dict[str, Any]:
        return _change(studio, name, editing.undo(studio.store, name))

    @routes.post("/datasets/{name}/redo")
    def redo(name: str) -> dict[str, Any]:
        return _change(studio, name, editing.redo(studio.store, name))


def _change(studio: Studio, name: str, batch: Batch | None) -> dict[str, Any]:
    """What was undone or redone, and what can be now."""
    dataset = datasets.get_dataset(studio.store, name)
    said = (editing.label_of(batch), batch.detail.get("examples", [])) if batch else (None, [])
    return {"label": said[0], "examples": said[1], **editing.steps(studio.store, dataset)._asdict()}


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
