"""JSON routes about the queue of trainings: its order under /api/queue, plans of several phases under /api/plans."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage import queueing
from studio.api.allowed import Me
from studio.api.ascii import Ascii
from studio.api.jobs import Asked
from studio.studio import Studio
from studio.training import phases, queue


class Move(BaseModel):
    """Where to: before that job, or to the end."""

    before: str | None = None


class Idle(BaseModel):
    """Whether to wait until nobody works here."""

    when_idle: bool = True


class Phases(BaseModel):
    """Trainings that follow one another."""

    phases: list[Asked] = Field(default_factory=list)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(tags=["queue"], default_response_class=Ascii)
    _add_order(routes, studio)

    @routes.post("/api/plans")
    def plan(asked: Phases, me: Me) -> dict[str, Any]:
        wishes = [replace(phase.request(), author=me) for phase in asked.phases]
        queued = phases.launch_plan(studio.store, studio.settings, [wish.to_json() for wish in wishes])
        _work(studio)
        return {"plan": queued.plan, "jobs": [job.id for job in queued.jobs]}

    return routes


def _add_order(routes: APIRouter, studio: Studio) -> None:
    @routes.get("/api/queue")
    def all_waiting() -> dict[str, Any]:
        return queue.listed(studio.store)

    @routes.post("/api/queue/{job}/hold")
    def hold(job: str) -> dict[str, Any]:
        queueing.hold(studio.store, job)
        return queue.listed(studio.store)

    @routes.post("/api/queue/{job}/release")
    def release(job: str) -> dict[str, Any]:
        queueing.release(studio.store, job)
        _work(studio)
        return queue.listed(studio.store)

    @routes.post("/api/queue/{job}/move")
    def move(job: str, to: Move) -> dict[str, Any]:
        queueing.move(studio.store, job, to.before)
        return queue.listed(studio.store)

    @routes.post("/api/queue/{job}/when-idle")
    def idle(job: str, wish: Idle) -> dict[str, Any]:
        queueing.when_idle(studio.store, job, wish.when_idle)
        _work(studio)
        return queue.listed(studio.store)


def _work(studio: Studio) -> None:
    """See to it that somebody works on the queue."""
    from studio.clients.processes import start_worker

    start_worker(studio.home)
