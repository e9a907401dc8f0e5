"""JSON routes about searches over options, under /api/searches: begin, look at, stop; trials are jobs of their own."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from storage.specs.search import SAMPLERS
from studio.api.ascii import Ascii
from studio.api.jobs import Asked
from studio.studio import Studio
from studio.training.planning import plan
from studio.training.searching import (
    USUAL_TRIALS,
    Wish,
    begin_search,
    list_reports,
    ranges_of,
    report_search,
    stop_search,
)


class Searched(Asked):
    """A training whose options are searched over; see `studio.training.searching.Wish`."""

    trials: int = USUAL_TRIALS
    sampler: str = "tpe"
    space: str = ""
    seconds: float | None = None
    objectives: list[str] = Field(default_factory=list)

    def wish(self) -> Wish:
        """How to search; the search has the name that was sent, its trials are numbered."""
        return Wish(self.trials, self.sampler, self.space, self.seconds, tuple(self.objectives), self.name)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/searches", tags=["searches"], default_response_class=Ascii)

    @routes.get("")
    def all_searches() -> dict[str, Any]:
        return {"searches": list_reports(studio.store), "samplers": dict(SAMPLERS)}

    @routes.post("")
    def begin(asked: Searched) -> dict[str, Any]:
        search = begin_search(studio.store, asked.request(), asked.wish())
        return report_search(studio.store, search.id)

    @routes.post("/space")
    def space(asked: Searched) -> dict[str, Any]:
        thought = plan(studio.store, asked.request())
        ranges = ranges_of(thought, asked.space) if thought.method else ()
        return {"space": ",".join(map(str, ranges)), "refusals": thought.refusals}

    @routes.get("/{search}")
    def one_search(search: str) -> dict[str, Any]:
        return report_search(studio.store, search)

    @routes.post("/{search}/stop")
    def stop(search: str) -> dict[str, Any]:
        return report_search(studio.store, stop_search(studio.store, search).id)

    return routes
