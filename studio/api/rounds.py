"""JSON routes about the rounds, under /api/rounds: the timeline, the next step, the job at work."""

from typing import Any

from fastapi import APIRouter

from storage import jobs
from studio.rounds.next_step import next_step
from studio.rounds.timeline import timeline
from studio.studio import Studio
from studio.training.watching import report


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/rounds", tags=["rounds"])

    @routes.get("")
    def film() -> dict[str, Any]:
        cards = [card.to_json() for card in timeline(studio.store)]
        at_work = [report(studio.store, job).to_json() for job in jobs.list_jobs(studio.store, "running")]
        return {"rounds": cards, "next": next_step(studio.store).to_json(), "running": at_work}

    return routes
