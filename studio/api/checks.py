"""JSON routes about checks, under /api/data: findings of a dataset and of a row, checking, mending, counting tokens.

Work runs as tasks (`/api/data/tasks/{id}` watches and cancels them); a mend of few rows is done at once.
"""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage import findings, tokens
from storage.datasets import get_dataset
from storage.models import get_model
from storage.segments import key_of
from studio import task as running
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.clients.tokens import render
from studio.curation import leftovers
from studio.curation.checks import mending, reporting
from studio.curation.checks.tasks import running_task
from studio.studio import Studio

Json = dict[str, Any]
# More rows than this are mended by a task.
_AT_ONCE = 2000
_EDGES = (0, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)


class Wish(BaseModel):
    """What a dataset is checked against, all of it optional: a model, its limit, another dataset."""

    model: str | None = None
    most_tokens: int | None = Field(default=None, ge=1)
    against: str | None = None


class Whose(BaseModel):
    """Whose tokenizer is meant."""

    model: str


class Shown(Whose):
    """An example as it stands in the editor, to be shown as a model sees it."""

    content: dict[str, Any]


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["checks"], default_response_class=Ascii)
    _add_findings(routes, studio)
    _add_work(routes, studio)
    _add_tokens(routes, studio)
    return routes


def _add_findings(routes: APIRouter, studio: Studio) -> None:
    """What was found."""
    store = studio.store

    @routes.get("/datasets/{name}/findings")
    def found(name: str) -> Json:
        leftovers.sweep_tasks(store)
        task = running_task(store, name)
        said = {"id": task.id, "kind": task.kind, "progress": task.progress, "message": task.message} if task else None
        return {**reporting.report(store, get_dataset(store, name)).to_json(), "task": said}

    @routes.get("/datasets/{name}/rows/{row}/findings")
    def of_row(name: str, row: str) -> Json:
        return {"findings": reporting.of_example(store, key_of(row))}


def _add_work(routes: APIRouter, studio: Studio) -> None:
    """Checking and mending."""
    store = studio.store

    @routes.post("/datasets/{name}/check")
    def check(name: str, wish: Wish) -> Json:
        get_dataset(store, name)
        if wish.model:
            get_model(store, wish.model)
        if wish.against:
            get_dataset(store, wish.against)
        return _start(studio, name, "check", {"dataset": name, **wish.model_dump()})

    @routes.post("/datasets/{name}/mend/{check}")
    def mend(name: str, check: str, author: Me) -> Json:
        dataset = get_dataset(store, name)
        mending.mendable(store, check)
        if findings.tally(store, dataset.id, check, most=0).total > _AT_ONCE:
            return _start(studio, name, "mend", {"dataset": name, "check": check, "author": author})
        mended = mending.mend(store, dataset, check, author, look_again=False).to_json()
        return mended | _look_again(studio, name)

    @routes.post("/datasets/{name}/rows/{row}/mend/{check}")
    def mend_row(name: str, row: str, check: str, author: Me) -> Json:
        mended = mending.mend_example(store, get_dataset(store, name), check, row, author).to_json()
        return mended | _look_again(studio, name)


def _add_tokens(routes: APIRouter, studio: Studio) -> None:
    """Tokens by a model's tokenizer, and what the model sees."""
    store = studio.store

    @routes.post("/datasets/{name}/tokens")
    def count(name: str, whose: Whose) -> Json:
        get_dataset(store, name)
        return _start(studio, name, "tokens", {"dataset": name, "model": get_model(store, whose.model).name})

    @routes.get("/tokenizers")
    def tokenizers() -> Json:
        return {"tokenizers": [tokenizer._asdict() for tokenizer in tokens.tokenizers(store)]}

    @routes.get("/datasets/{name}/tokens/{sha256}")
    def histogram(name: str, sha256: str) -> Json:
        bars = tokens.histogram(store, get_dataset(store, name).id, sha256, _EDGES)
        return {"bars": [bar._asdict() for bar in bars]}

    @routes.post("/render")
    def seen(shown: Shown) -> Json:
        picture = render(studio.engine, store, get_model(store, shown.model), shown.content)
        parts = [{"name": part.name, "tokens": part.tokens} for part in picture.parts]
        return {**picture._asdict(), "parts": parts}


def _look_again(studio: Studio, name: str) -> Json:
    """Have the new texts checked beside this process: the model of languages alone takes 100 MB."""
    return {"task": _start(studio, name, "check", {"dataset": name})["task"]}


def _start(studio: Studio, name: str, kind: str, payload: Json) -> Json:
    """Start a task, or name the one that works on this dataset already."""
    leftovers.sweep_tasks(studio.store)
    task = running_task(studio.store, name)
    if task is not None:
        return {"task": task.id, "kind": task.kind, "already": True}
    return {"task": running.start(studio.store, kind, payload).id, "kind": kind, "already": False}
