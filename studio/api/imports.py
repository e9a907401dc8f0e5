"""JSON routes about files in, under /api/data: bring them here, look at them, import, watch, take back.

A file comes from the browser (upload, paste), from a folder that the administrator allowed, or from the Hub; each
becomes an upload with an id, and everything after that is the same. Imports and all that asks the Hub run as tasks.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from storage import mappings, tasks
from storage.errors import BadInput, NotFound
from storage.home import is_file
from storage.models import checked_name
from studio import task as running
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.curation import editing, hub_datasets, intake, leftovers, looking, uploads
from studio.curation.allowed_folders import AllowedFolders
from studio.studio import Studio

Json = dict[str, Any]
MOST_FILES = 100


class Look(BaseModel):
    """How a file shall be read, as far as the person says it."""

    encoding: str | None = None
    kind: str | None = None
    mapping: dict[str, str] | None = None


class File(Look):
    """One file of an import."""

    upload: str
    dataset: str


class Wanted(BaseModel):
    """An import as the form sends it: each file with its settings, or `uploads` that share theirs."""

    files: list[File] = Field(default_factory=list, max_length=MOST_FILES)
    uploads: list[str] = Field(default_factory=list, max_length=MOST_FILES)
    dataset: str = ""
    kind: str | None = None
    mapping: dict[str, str] | None = None
    encoding: str | None = None

    def all(self) -> list[File]:
        """The files with their settings."""
        shared = {"dataset": self.dataset, "kind": self.kind, "mapping": self.mapping, "encoding": self.encoding}
        return [*self.files, *(File(upload=upload, **shared) for upload in self.uploads)]  # type: ignore[arg-type]


class Place(BaseModel):
    """A place in a folder that was allowed."""

    path: str = Field(default="", max_length=4000)


class Choice(BaseModel):
    """Files in a folder that was allowed."""

    paths: list[str] = Field(min_length=1, max_length=MOST_FILES)


class HubLook(BaseModel):
    """A dataset on the Hub to be looked at."""

    id: str = Field(max_length=300)
    config: str | None = None
    split: str | None = None


class HubFetch(HubLook):
    """Rows of a dataset on the Hub to be fetched."""

    config: str
    split: str
    columns: list[str] = Field(default_factory=list)
    limit: int | None = Field(default=None, ge=1)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["imports"], default_response_class=Ascii)
    _add_uploads(routes, studio)
    _add_folders(routes, studio)
    _add_hub(routes, studio)
    _add_imports(routes, studio)
    _add_tasks(routes, studio)
    return routes


def _add_uploads(routes: APIRouter, studio: Studio) -> None:
    """Files from the browser, and a look at any upload."""

    @routes.put("/upload")
    async def upload(request: Request, name: str = "upload") -> Json:
        with uploads.Incoming(studio.home, name) as incoming:
            async for part in request.stream():
                await run_in_threadpool(incoming.write, part)
        return incoming.received._asdict()

    @routes.delete("/uploads/{upload_id}")
    def forget(upload_id: str) -> Json:
        uploads.remove(studio.home, upload_id)
        return {"removed": upload_id}

    @routes.post("/uploads/{upload_id}/look")
    def look(upload_id: str, wish: Look) -> Json:
        path, name = uploads.located(studio.home, upload_id)
        seen = looking.look(path, name, encoding=wish.encoding, kind=wish.kind, mapping=wish.mapping)
        known = mappings.recall(studio.store, seen.columns) if seen.columns else None
        return {**seen.to_json(), "remembered": asdict(known) if known else None}


def _add_folders(routes: APIRouter, studio: Studio) -> None:
    """Files in folders that the administrator allowed."""
    allowed = AllowedFolders(studio.settings.allow_folder, studio.home)

    @routes.get("/folders")
    def folders() -> Json:
        return {"folders": allowed.names()}

    @routes.post("/folders/{folder}/list")
    def contents(folder: int, place: Place) -> Json:
        return allowed.list(folder, place.path).to_json()

    @routes.post("/folders/{folder}/choose")
    def choose(folder: int, choice: Choice) -> Json:
        return {"uploads": [allowed.choose(folder, path)._asdict() for path in choice.paths]}


def _add_hub(routes: APIRouter, studio: Studio) -> None:
    """Datasets on the Hub: what there is, and its rows."""

    @routes.post("/hub/look")
    def look(wanted: HubLook) -> Json:
        payload = {**wanted.model_dump(), "id": hub_datasets.checked_id(wanted.id)}
        return {"task": running.start(studio.store, "hub-look", payload).id}

    @routes.post("/hub/fetch")
    def fetch(wanted: HubFetch) -> Json:
        payload = {**wanted.model_dump(), "id": hub_datasets.checked_id(wanted.id)}
        return {"task": running.start(studio.store, "hub-fetch", payload).id}


def _add_imports(routes: APIRouter, studio: Studio) -> None:
    """Import what was uploaded; its rejected rows; taking it back."""
    store = studio.store

    @routes.post("/import")
    def begin(wanted: Wanted, me: Me) -> Json:
        files = wanted.all()
        if not files:
            raise BadInput("Choose at least one file to import.")
        for file in files:
            uploads.located(studio.home, file.upload)
            checked_name(file.dataset)
        payload = {
            "files": [file.model_dump() for file in files],
            "uploads": [file.upload for file in files],
            "dataset": files[0].dataset,
            "author": me,
        }
        return {"task": running.start(store, "import", payload).id}

    @routes.post("/datasets/{name}/imports/{batch}/undo")
    def take_back(name: str, batch: str) -> Json:
        return {"label": editing.label_of(intake.take_back(store, name, batch))}

    @routes.get("/rejected/{file}")
    def rejected(file: str) -> FileResponse:
        path = studio.home.exports / Path(file).name
        if not path.name.startswith("rejected-") or not is_file(path):
            raise NotFound(f'There is no file of rejected rows named "{file}".')
        return FileResponse(path, filename=path.name, media_type="application/x-ndjson")


def _add_tasks(routes: APIRouter, studio: Studio) -> None:
    """Watch a task of any kind, and cancel it."""
    store = studio.store

    @routes.get("/tasks/{task_id}")
    def watch(task_id: str) -> Json:
        if tasks.get_task(store, task_id).status in ("queued", "running"):
            leftovers.sweep_tasks(store)
        task = tasks.get_task(store, task_id)
        kept = ("id", "kind", "status", "progress", "message", "result", "error")
        return {key: getattr(task, key) for key in kept} | {"dataset": task.payload.get("dataset")}

    @routes.post("/tasks/{task_id}/cancel")
    def cancel(task_id: str) -> Json:
        tasks.cancel(store, task_id)
        return {"status": tasks.get_task(store, task_id).status}
