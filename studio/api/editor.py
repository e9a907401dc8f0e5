"""JSON routes of the editor, under /api/data: one row with its drafts, comments, history and neighbours.

A model's words come as server-sent events; the browser ends them by hanging up, and the engine then drops the row.
"""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from storage.errors import RatchetError
from storage.models import get_model
from storage.rows import Example
from storage.rows_training import Model
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.bugs import report_bug
from studio.curation import comments, drafts, editing, suggesting
from studio.curation.filters import NAMES, query_of
from studio.studio import Studio

Json = dict[str, Any]
_MOST_ROWS = 100


class Content(BaseModel):
    """An example as the editor sends it; `revision` and `change`: what the person saw."""

    content: Json
    tags: list[str] | None = None
    revision: int | None = None
    change: int | None = None


class Unsaved(BaseModel):
    """What stands in the editor; `tab`: the window that it stands in."""

    tab: str
    revision: int | None = None
    content: Json
    tags: list[str] = []


class Status(BaseModel):
    """What becomes of an example."""

    status: str
    reason: str | None = None


class Said(BaseModel):
    """The words of a comment."""

    text: str


class Suggestion(BaseModel):
    """A turn that a model is to write."""

    model: str
    how: Literal["draft", "improve"]
    content: Json
    part: str
    turn: int


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["editor"], default_response_class=Ascii)
    _add_drafts(routes, studio)
    _add_rows(routes, studio)
    _add_views(routes, studio)
    _add_comments(routes, studio)
    _add_models(routes, studio)
    return routes


def _add_drafts(routes: APIRouter, studio: Studio) -> None:
    """Unsaved changes; the row "new" is the one that is not written yet."""
    store = studio.store

    @routes.get("/datasets/{name}/rows/{row}/draft")
    def unsaved(name: str, row: str, me: Me) -> Json:
        return {"draft": drafts.find(store, name, row, me)}

    @routes.put("/datasets/{name}/rows/{row}/draft")
    def keep(name: str, row: str, given: Unsaved, me: Me) -> Json:
        body = {"content": given.content, "tags": given.tags}
        return drafts.keep(store, name, row, me, given.tab, given.revision, body)

    @routes.delete("/datasets/{name}/rows/{row}/draft")
    def drop(name: str, row: str, me: Me, tab: str | None = None) -> Json:
        return {"dropped": drafts.drop(store, name, row, me, tab)}


def _add_rows(routes: APIRouter, studio: Studio) -> None:
    """Single rows."""
    store = studio.store

    @routes.get("/datasets/{name}/rows/{row}")
    def read(name: str, row: str, me: Me) -> Json:
        return row_json(editing.get(store, name, row)) | {"draft": drafts.find(store, name, row, me)}

    @routes.post("/datasets/{name}/rows")
    def add(name: str, given: Content, me: Me) -> Json:
        return row_json(editing.add(store, name, given.content, given.tags or (), me))

    @routes.put("/datasets/{name}/rows/{row}")
    def save(name: str, row: str, given: Content, me: Me) -> Json:
        revised = editing.revise(
            store, name, row, given.content, tags=given.tags, expected_revision=given.revision,
            expected_change=given.change, author=me,
        )  # fmt: skip
        return row_json(revised)

    @routes.delete("/datasets/{name}/rows/{row}")
    def remove(name: str, row: str, me: Me) -> Json:
        return {"deleted": editing.delete(store, name, [row], me)}

    @routes.post("/datasets/{name}/rows/{row}/duplicate")
    def copy(name: str, row: str, me: Me) -> Json:
        return row_json(editing.duplicate(store, name, row, me))

    @routes.post("/datasets/{name}/rows/{row}/status")
    def decide(name: str, row: str, given: Status, me: Me) -> Json:
        return row_json(editing.set_status(store, name, row, given.status, given.reason, me))


def _add_views(routes: APIRouter, studio: Studio) -> None:
    """What stands around a row: its past, and the rows before and after it."""
    store = studio.store

    @routes.get("/datasets/{name}/rows/{row}/history")
    def history(name: str, row: str) -> Json:
        return {"revisions": editing.history(store, name, row)}

    @routes.get("/datasets/{name}/rows/{row}/neighbours")
    def neighbours(request: Request, name: str, row: str, sort: str = "", page: int = 1, size: int = 25) -> Json:
        given = request.query_params
        filters = {key: given.getlist(key) for key in NAMES if key in given}
        query = query_of(store, filters, sort=sort, limit=min(max(size, 1), _MOST_ROWS))
        return editing.neighbours(store, name, row, query, max(page, 1))._asdict()


def _add_comments(routes: APIRouter, studio: Studio) -> None:
    """What people say about a row."""
    store = studio.store
    base = "/datasets/{name}/rows/{row}/comments"

    @routes.get(base)
    def read(name: str, row: str, me: Me) -> Json:
        return {"comments": comments.list_comments(store, name, row, me)}

    @routes.post(base)
    def add(name: str, row: str, said: Said, me: Me) -> Json:
        return comments.comment_json(comments.add(store, name, row, said.text, me), me)

    @routes.put(base + "/{comment}")
    def edit(name: str, row: str, comment: str, said: Said, me: Me) -> Json:
        return comments.comment_json(comments.edit(store, name, row, comment, said.text, me), me)

    @routes.delete(base + "/{comment}")
    def remove(name: str, row: str, comment: str, me: Me) -> Json:
        return {"removed": comments.remove(store, name, row, comment, me).id}

    @routes.post(base + "/{comment}/restore")
    def restore(name: str, row: str, comment: str, me: Me) -> Json:
        return comments.comment_json(comments.restore(store, name, row, comment, me), me)


def _add_models(routes: APIRouter, studio: Studio) -> None:
    """What a model writes into a row; how it reads one has its own route (studio/api/checks.py)."""
    store = studio.store

    @routes.post("/suggest")
    def suggest(asked: Suggestion) -> StreamingResponse:
        model = get_model(store, asked.model)
        messages = suggesting.question(asked.content, asked.part, asked.turn, asked.how)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_said(studio, model, messages), media_type="text/event-stream", headers=headers)


async def _said(studio: Studio, model: Model, messages: list[Json]) -> AsyncIterator[str]:
    """What a model says, piece by piece; what goes wrong is the last event, a sentence."""
    yield _event({"kind": "status", "phase": "starting"})
    try:
        async with aclosing(studio.engine.astream(model, studio.store, messages, suggesting.SAMPLING)) as answer:
            async for delta in answer:
                if delta.text:
                    yield _event({"kind": "text", "text": delta.text})
                elif delta.answer is not None:
                    yield _event({"kind": "done", "finish_reason": delta.answer.finish_reason})
    except RatchetError as error:
        yield _event({"kind": "error", "sentence": str(error)})
    except Exception:  # noqa: BLE001 - a bug, which report_bug logs
        yield _event({"kind": "error", "sentence": report_bug("POST /api/data/suggest")})


def _event(value: Json) -> str:
    return f"data: {json.dumps(value)}\n\n"


def row_json(example: Example) -> Json:
    """A row for the editor."""
    return {
        "id": example.id,
        "number": example.number,
        "revision": example.revision_id,
        "change": example.change,
        "content": example.content,
        "tags": example.tags,
        "status": example.status,
        "reason": example.reason,
        "author": example.author,
        "revised_at": example.revised_at,
    }
