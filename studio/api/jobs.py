"""JSON routes about jobs, under /api/jobs: what can be trained, plans, starting, watching and stopping.

Plain functions run in threads: each has its own connection to the store.
"""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from storage import jobs
from storage.rows_training import Job
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.studio import Studio
from studio.training.choices import choices
from studio.training.curve_book import CurveBook
from studio.training.curves import MOST_POINTS, curves
from studio.training.examining import examined
from studio.training.launching import again, launch
from studio.training.log_search import search_log
from studio.training.planning import plan
from studio.training.request import Request
from studio.training.retrying import retry
from studio.training.samples import samples
from studio.training.watching import log_tail, report, report_all, resume, stop

_SHOWN = 30  # jobs in the list; older ones are reached by their number


class Asked(BaseModel):
    """A training as the form sends it; see `studio.training.request.Request`."""

    method: str = ""
    base: str = ""
    dataset: str | None = None
    votes: str | None = None
    study: str | None = None
    name: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    preset: str | None = None
    start: str | None = None
    eval: str | None = None
    replay: str | None = None
    teacher: str | None = None
    rewards: list[str] = Field(default_factory=list)
    after: str | None = None
    when_idle: bool = False
    devices: int = 1
    start_id: str | None = None

    def request(self) -> Request:
        """The domain's record of it."""
        return Request.from_json(self.model_dump())


class Stop(BaseModel):
    """How to stop: save a checkpoint first, or at once."""

    now: bool = False


class Again(BaseModel):
    """A repeated start; `start_id` keeps a double click from starting two."""

    start_id: str | None = None


class Retry(BaseModel):
    """Another try at a failed job: with these options, or from where it stopped where there are none."""

    options: dict[str, Any] = Field(default_factory=dict)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/jobs", tags=["jobs"], default_response_class=Ascii)
    book = CurveBook()
    _add_starting(routes, studio)
    _add_watching(routes, studio, book)
    _add_curves(routes, studio, book)
    return routes


def _add_starting(routes: APIRouter, studio: Studio) -> None:
    """Routes that say what can be trained, and start it."""

    @routes.get("/choices")
    def offer() -> dict[str, Any]:
        return choices(studio.store).to_json()

    @routes.post("/plan")
    def think(asked: Asked) -> dict[str, Any]:
        return plan(studio.store, asked.request()).to_json()

    @routes.post("")
    def start(asked: Asked, me: Me) -> dict[str, Any]:
        request = replace(asked.request(), author=me)
        return _working(studio, launch(studio.store, studio.settings, request))

    @routes.post("/{job}/again")
    def repeat(job: str, asked: Again) -> dict[str, Any]:
        return _working(studio, again(studio.store, studio.settings, jobs.get_job(studio.store, job), asked.start_id))

    @routes.post("/{job}/retry")
    def try_again(job: str, asked: Retry) -> dict[str, Any]:
        return _working(studio, retry(studio.store, studio.settings, job, asked.options))

    @routes.post("/{job}/resume")
    def go_on(job: str) -> dict[str, Any]:
        return _working(studio, resume(studio.store, job))


def _add_watching(routes: APIRouter, studio: Studio, book: CurveBook) -> None:
    """Routes that show jobs, and stop them."""

    @routes.get("")
    def all_jobs() -> dict[str, Any]:
        reports = report_all(studio.store, _SHOWN)
        return {"jobs": [one.to_json() for one in reports], "unfinished": jobs.unfinished(studio.store)}

    @routes.get("/{job}")
    def one_job(job: str) -> dict[str, Any]:
        return examined(studio.store, job, book)

    @routes.get("/{job}/log")
    def log(job: str, find: str = "") -> dict[str, Any]:
        known = jobs.get_job(studio.store, job)
        if find.strip():
            return search_log(studio.home.run(known.id), find)._asdict()
        return {"log": log_tail(studio.store, known)}

    @routes.get("/{job}/samples")
    def written(job: str) -> dict[str, Any]:
        return {"samples": samples(studio.home.run(jobs.get_job(studio.store, job).id))}

    @routes.post("/{job}/stop")
    def end(job: str, how: Stop) -> dict[str, Any]:
        return report(studio.store, stop(studio.store, job, now=how.now)).to_json()


def _add_curves(routes: APIRouter, studio: Studio, book: CurveBook) -> None:
    """The route of the curves: all of a run, what is new since an offset, or a range of its steps."""

    @routes.get("/{job}/curves")
    def series(
        job: str,
        offset: int = 0,
        points: int = MOST_POINTS,
        first: Annotated[float | None, Query(alias="from")] = None,
        last: Annotated[float | None, Query(alias="to")] = None,
    ) -> dict[str, Any]:
        folder = studio.home.run(jobs.get_job(studio.store, job).id)
        most = min(max(points, 10), MOST_POINTS)
        if offset > 0:
            return curves(folder, offset, most).to_json()
        return book.curves(folder, first, last, most).to_json()


def _working(studio: Studio, job: Job) -> dict[str, Any]:
    """The report of a job that has just been queued, with a worker to do it."""
    from studio.clients.processes import start_worker

    start_worker(studio.home)
    return report(studio.store, job).to_json()
