"""JSON routes about files out, under /api/data: what can be exported, what would come out, to a file or to the Hub.

A small export is a file at once; a large one, and all that goes to the Hub, is a task that can be watched and stopped
(`/api/data/tasks`) and whose file waits for download.
"""

import json
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from storage import datasets, versions
from storage.clock import new_id
from storage.store import Store
from studio import task as running
from studio.api.ascii import Ascii
from studio.curation.export_card import data_card
from studio.curation.export_facts import facts_of
from studio.curation.export_formats import FITTING, FORMATS, target_of
from studio.curation.export_policies import POLICIES
from studio.curation.export_sources import count, kind_of
from studio.curation.export_tasks import download_name, located, recent, to_file, wish_of
from studio.curation.exporting import preview, write
from studio.studio import Studio

Json = dict[str, Any]

# Beyond this many examples an export is a task: writing them would keep the request open for more than a moment.
AT_ONCE = 20_000


class Wanted(BaseModel):
    """An export as the form sends it; `container`: what the file shall be, where the format leaves a choice."""

    dataset: str | None = None
    study: str | None = None
    version: int | str | None = None
    format: str
    container: Literal["", "jsonl", "json", "parquet", "csv"] = ""
    policies: list[str] = Field(default_factory=list, max_length=20)


class HubPlace(BaseModel):
    """Where on the Hub, and what the data card says."""

    repository: str = Field(min_length=1, max_length=200)
    private: bool = True
    licence: str = Field(default="", max_length=60)
    description: str = Field(default="", max_length=4000)


class ToHub(Wanted):
    """An export to the Hub."""

    place: HubPlace


class CardWanted(Wanted):
    """A data card to be looked at before it is sent."""

    licence: str = Field(default="", max_length=60)
    description: str = Field(default="", max_length=4000)


def router(studio: Studio, at_once: int = AT_ONCE) -> APIRouter:
    """The routes of this subject; `at_once`: examples up to which an export is made while the person waits."""
    routes = APIRouter(prefix="/api/data", tags=["data"], default_response_class=Ascii)
    _add_looking(routes, studio)
    _add_writing(routes, studio, at_once)
    return routes


def _add_looking(routes: APIRouter, studio: Studio) -> None:
    """What can be chosen, and what would come out."""
    store = studio.store

    @routes.get("/datasets/{name}/export-choices")
    def choices(name: str) -> Json:
        return _choices(store, name)

    @routes.post("/exports/preview")
    def look(wanted: Wanted) -> Json:
        return preview(store, wish_of(wanted.model_dump()), f"x.{wanted.container}").to_json()

    @routes.post("/exports/card")
    def card(wanted: CardWanted) -> Json:
        wish = wish_of(wanted.model_dump())
        found = preview(store, wish)
        files = {"train": "data/train.parquet"}
        facts = facts_of(store, wish, {"train": found.rows}, files, found.dropped, wanted.licence, wanted.description)
        return {"card": data_card(facts)}


def _choices(store: Store, name: str) -> Json:
    """The formats, policies and versions of a dataset."""
    dataset = datasets.get_dataset(store, name)
    ties = dataset.kind == "prompts"
    return {
        "formats": [_format(one, dataset.kind) for one in FITTING[dataset.kind]],
        "policies": [
            {"name": policy.name, "help": policy.help, "of": policy.of}
            for policy in POLICIES.values()
            if not policy.votes and (policy.of != "ties" or ties)
        ],
        "versions": [
            {"number": version.number, "name": version.name, "rows": version.rows}
            for version in reversed(versions.list_versions(store, dataset))
        ],
        "recent": recent(store, name),
    }


def _format(name: str, kind: str) -> Json:
    """One format as the form offers it."""
    found = FORMATS.get(name)
    target = target_of(name, kind)
    if found:
        return {"name": name, "help": found.help, "containers": list(found.containers)}
    what = {"csv": "a table for spreadsheets", "parquet": "Parquet, as the Hub likes it"}[name]
    return {"name": name, "help": f"{what}: {target.format.help}", "containers": [name]}


def _add_writing(routes: APIRouter, studio: Studio, most: int) -> None:
    """Files and the Hub."""
    store = studio.store

    @routes.post("/exports")
    def begin(wanted: Wanted) -> Json:
        said = wanted.model_dump()
        wish = wish_of(said)
        target_of(wish.format, kind_of(store, wish.source), f"x.{wanted.container}")
        if count(store, wish.source) > most:
            return {"task": running.start(store, "export", said).id}
        return {"report": to_file(store, wish, wanted.container).to_json()}

    @routes.post("/exports/hub")
    def send(wanted: ToHub) -> Json:
        said = wanted.model_dump()
        wish = wish_of(said)
        target_of(wish.format, kind_of(store, wish.source))
        return {"task": running.start(store, "hub-push", said).id}

    @routes.get("/exports/files/{file}")
    def download(file: str) -> FileResponse:
        path = located(studio.home, file)
        return FileResponse(path, filename=download_name(path), media_type="application/octet-stream")

    @routes.get("/datasets/{name}/export")
    def at_once(
        name: str, format: str = "messages", policy: str = "", version: str | None = None, container: str = ""
    ) -> FileResponse:
        wish = wish_of({"dataset": name, "version": version, "format": format, "policies": policy.split(",")})
        target = target_of(format, kind_of(store, wish.source), f"x.{container}")
        path = studio.home.exports / f".download-{new_id()}.{target.ending}"
        report = write(store, wish, path)
        if not report.rows:
            path.touch()
        headers = {"X-Rows": str(report.rows), "X-Dropped": json.dumps(report.dropped)}
        return FileResponse(
            path, filename=f"{report.dataset}.{target.ending}", headers=headers,
            media_type="application/octet-stream", background=BackgroundTask(path.unlink, True),
        )  # fmt: skip
