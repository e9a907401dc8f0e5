"""JSON routes about canaries, under /api/canaries: prompts by models, two models side by side, expectations, votes."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage.errors import Conflict
from studio import task as running
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.rounds.asking_canaries import Opinion, begin, expect, lift, vote
from studio.rounds.canaries import answerers, find_canary
from studio.rounds.canary_tables import answer_json, changes, overview
from studio.rounds.expectations import KINDS, says
from studio.studio import Studio

Json = dict[str, Any]
_HASH = Field(pattern=r"^[0-9a-f]{64}$")


class Asked(BaseModel):
    """Which models are to answer (none: all that do), and whether also what they have answered already."""

    models: list[str] = Field(max_length=200)
    again: bool = False


class Begun(BaseModel):
    """Of what the project's own canaries are made."""

    of: Literal["starter"]


class Expected(BaseModel):
    """What is to be expected of a canary's answers."""

    canary: str = Field(min_length=1, max_length=200)
    kind: str
    value: Any


class Lifted(BaseModel):
    """Whether something is expected no longer."""

    lifted: bool


class Said(BaseModel):
    """Which of two answers is better, as seen from the later one; no choice takes back what was said."""

    id: str = Field(min_length=8, max_length=64)
    prompt_sha256: str = _HASH
    before: str = _HASH
    after: str = _HASH
    choice: Literal["better", "worse", "same"] | None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/canaries", tags=["canaries"], default_response_class=Ascii)
    _add_tables(routes, studio)
    _add_changes(routes, studio)
    return routes


def _add_tables(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("")
    def table() -> Json:
        at_work = [one for one in running.running_tasks(store) if one.kind == "canaries"]
        return {**overview(store), "kinds": KINDS, "task": at_work[0].id if at_work else None}

    @routes.get("/changes")
    def side_by_side(after: str, asker: Asker, before: str | None = None) -> Json:
        return changes(store, after, before, asker.name)

    @routes.get("/answer")
    def answer(model: str, number: int) -> Json:
        return answer_json(store, model, number)


def _add_changes(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.post("/run")
    def run(wish: Asked) -> Json:
        names = [model.name for model in answerers(store, wish.models)]
        if running.busy(store, "canaries"):
            raise Conflict("The canaries are being asked already; wait until that has ended.")
        return {"task": running.start(store, "canaries", {"models": names, "again": wish.again}).id}

    @routes.post("/begin")
    def make(wish: Begun, asker: Asker) -> Json:
        return {"prompts": len(begin(store, asker)), "of": wish.of}

    @routes.post("/expectations")
    def add(wish: Expected, asker: Asker) -> Json:
        made = expect(store, asker, find_canary(store, wish.canary), wish.kind, wish.value)
        return {"id": made.id, "says": says(made)}

    @routes.patch("/expectations/{expectation}")
    def change(expectation: str, wish: Lifted, asker: Asker) -> Json:
        changed = lift(store, asker, expectation, wish.lifted)
        return {"id": changed.id, "says": says(changed), "lifted": changed.lifted_at is not None}

    @routes.post("/votes")
    def say(said: Said, asker: Asker) -> Json:
        kept = vote(store, asker, Opinion(said.id, said.prompt_sha256, said.before, said.after, said.choice))
        return {"id": said.id, "stored": kept}
