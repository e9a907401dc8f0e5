"""JSON routes about the table of a dataset, under /api/data: pages of rows, bulk changes, undo and redo.

A page takes its filters as the address of the page has them; a bulk change takes the same filters as JSON, or ids.
"""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from storage import datasets, search
from storage.errors import Conflict
from storage.rows import Batch
from studio import task as running
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.curation import browsing, bulk, editing, trash
from studio.curation.facets import facets
from studio.curation.filters import NAMES
from studio.studio import Studio

Json = dict[str, Any]
PAGE = 25
MOST_ROWS = 100


class Wanted(BaseModel):
    """Rows by id, or the filters that find them."""

    ids: list[str] | None = Field(default=None, max_length=10_000)
    filters: dict[str, str | list[str]] | None = None


class Wish(Wanted):
    """A bulk change as the page sends it."""

    action: str
    tags: list[str] = Field(default_factory=list, max_length=100)
    reason: str | None = Field(default=None, max_length=500)


class Erasure(Wanted):
    """What is to be erased for good. `text`: only this passage. `confirm`: the word that the person typed."""

    confirm: str
    text: str | None = Field(default=None, max_length=100_000)


class Step(BaseModel):
    """Which change is to be taken back, where it must be that one."""

    batch: str | None = None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["rows"], default_response_class=Ascii)
    _add_pages(routes, studio)
    _add_bulk(routes, studio)
    _add_erasing(routes, studio)
    _add_steps(routes, studio)
    return routes


def _add_pages(routes: APIRouter, studio: Studio) -> None:
    """Looking at rows."""

    @routes.get("/datasets/{name}/rows")
    def page(
        request: Request, name: str, page: int = 1, size: int = PAGE, sort: str = "", after: str = "", at: str = ""
    ) -> Json:
        given = request.query_params
        filters = {key: given.getlist(key) for key in NAMES if key in given}
        return browsing.page(
            studio.store, name, filters, sort=sort, number=max(page, 1), size=min(max(size, 1), MOST_ROWS),
            after=after or None, at=at,
        )  # fmt: skip

    @routes.get("/datasets/{name}/facets")
    def offered(name: str) -> Json:
        return facets(studio.store, name)


def _add_bulk(routes: APIRouter, studio: Studio) -> None:
    """Changing many rows."""
    store = studio.store

    @routes.post("/datasets/{name}/bulk/count")
    def count(name: str, wanted: Wanted) -> Json:
        return {"count": bulk.count(store, name, bulk.wanted_of(store, wanted.filters, wanted.ids))}

    @routes.post("/datasets/{name}/bulk")
    def change(name: str, wish: Wish, me: Me) -> Json:
        action = bulk.Action.checked(wish.action, wish.tags, wish.reason)
        rows = bulk.wanted_of(store, wish.filters, wish.ids)
        if bulk.count(store, name, rows) > bulk.AT_ONCE:
            payload = {**wish.model_dump(), "dataset": datasets.get_dataset(store, name).name}
            return {"task": running.start(store, "bulk", {**payload, "author": me}).id}
        return bulk.run(store, name, rows, action, me).to_json()


def _add_erasing(routes: APIRouter, studio: Studio) -> None:
    """Erasing for good."""
    store = studio.store

    @routes.post("/datasets/{name}/erase/reach")
    def reach(name: str, wanted: Wanted) -> Json:
        return trash.reach(store, name, bulk.wanted_of(store, wanted.filters, wanted.ids))

    @routes.post("/datasets/{name}/erase")
    def erase(name: str, wish: Erasure) -> Json:
        rows = bulk.wanted_of(store, wish.filters, wish.ids)
        if wish.confirm.strip().lower() == trash.WORD and bulk.count(store, name, rows) > trash.AT_ONCE:
            payload = {**wish.model_dump(), "dataset": datasets.get_dataset(store, name).name}
            return {"task": running.start(store, "erase", payload).id}
        told = trash.erase(store, name, rows, wish.confirm, wish.text)
        if search.scrub_due(store):
            running.start(store, "tidy", {})
        return told


def _add_steps(routes: APIRouter, studio: Studio) -> None:
    """Undo, redo, and what was done."""
    store = studio.store

    @routes.get("/datasets/{name}/changes")
    def changes(name: str) -> Json:
        return {"changes": browsing.changes(store, datasets.get_dataset(store, name))}

    @routes.post("/datasets/{name}/undo")
    def undo(name: str, step: Step | None = None) -> Json:
        if step and step.batch:
            _expect(studio, name, step.batch)
        return _change(studio, name, editing.undo(store, name))

    @routes.post("/datasets/{name}/redo")
    def redo(name: str) -> Json:
        return _change(studio, name, editing.redo(store, name))


def _expect(studio: Studio, name: str, batch: str) -> None:
    """Raise Conflict where the newest change is another one than the person means."""
    done = browsing.changes(studio.store, datasets.get_dataset(studio.store, name))
    newest = next((item for item in done if item["state"] == "published"), None)
    if newest is None or newest["id"] != batch:
        after = f"“{newest['label']}” came after it" if newest else "it was undone already"
        raise Conflict(f"This cannot be taken back by itself: {after}. The list of changes goes back step by step.")


def _change(studio: Studio, name: str, batch: Batch | None) -> Json:
    """What was undone or redone, and what can be now."""
    dataset = datasets.get_dataset(studio.store, name)
    said = (editing.label_of(batch), batch.detail.get("examples", [])) if batch else (None, [])
    return {"label": said[0], "examples": said[1], **editing.steps(studio.store, dataset)._asdict()}
