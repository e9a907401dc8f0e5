"""JSON routes of /compare, under /api/compare: the next pairs, votes, undo, and what the votes amount to.

Questions, tokens as they come, one's own votes and conversations have files of their own beside this one.
"""

import asyncio
import sqlite3
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from storage.comparisons import get_study
from storage.rows import Study
from storage.search import catch_up
from storage.store import Store
from studio.api import compare_asking, compare_mine, compare_stream, compare_turns
from studio.api.allowed import Asker, Me
from studio.bugs import report_bug
from studio.feedback import casting, sittings
from studio.feedback.ballots import Ballot, Edit
from studio.feedback.leaderboard import leaderboard
from studio.feedback.queue import AHEAD
from studio.feedback.study_settings import MOST_SIDES
from studio.people.roles import Action
from studio.studio import Studio

Json = dict[str, Any]


class EditRequest(BaseModel):
    """A mended answer: which side as shown, and its text."""

    side: int
    text: str


class VoteRequest(BaseModel):
    """A vote as the browser keeps it until it is saved; sides are counted from left to right."""

    id: str
    study: str
    comparison: str
    choice: str
    shown: list[str | None] = Field(default_factory=list, max_length=MOST_SIDES)
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    ranking: list[list[int]] | None = Field(default=None, max_length=MOST_SIDES)
    rating: float | None = Field(default=None, allow_inf_nan=False)
    strength: int | None = None
    criteria: dict[str, list[float | None]] | None = Field(default=None, max_length=100)
    chips: list[str] | None = Field(default=None, max_length=100)
    rationale: str | None = None
    edited: EditRequest | None = None
    reason: str | None = None
    guidelines: int | None = Field(default=None, ge=1, le=2**31)
    hold: list[str] = Field(default_factory=list, max_length=32)

    def ballot(self) -> Ballot:
        """The vote as the domain knows it."""
        return Ballot(
            self.id, self.comparison, self.choice, [digest or "" for digest in self.shown], self.seconds,
            ranking=self.ranking, rating=self.rating, strength=self.strength, criteria=self.criteria,
            chips=self.chips, rationale=self.rationale,
            edited=Edit(self.edited.side, self.edited.text) if self.edited else None,
            reason=self.reason, guidelines=self.guidelines,
        )  # fmt: skip


class UndoRequest(BaseModel):
    """Take back the vote on a comparison, or the last one."""

    id: str
    study: str
    comparison: str | None = None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/compare", tags=["compare"])
    _judging(routes, studio)
    _counting(routes, studio)
    compare_asking.add_routes(routes, studio)
    compare_mine.add_routes(routes, studio)
    compare_stream.add_routes(routes, studio)
    compare_turns.add_routes(routes, studio)
    return routes


def _judging(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/next")
    async def next_pairs(me: Me, study: str | None = None, hold: str = "") -> Response:
        def sit() -> Json:
            chosen = sittings.find_study(store, study or None, me)
            return _seated(studio, chosen, me, hold.split(",")) if chosen else {"study": None}

        return JSONResponse(await asyncio.wrap_future(studio.committer.submit(sit)))

    @routes.post("/vote")
    async def vote(asked: VoteRequest, asker: Asker) -> Response:
        def save() -> Json:
            study = get_study(store, asked.study)
            given = casting.cast(store, study, asker.name, asked.ballot())
            hidden = given.vote.choice == "skip" or not asker.may(Action.SEE_RESULTS)
            return {
                "saved": given.vote.id,
                "new": given.new,
                "reveal": None if hidden else given.reveal,
                "sitting": _seated(studio, study, asker.name, asked.hold),
            }

        saved = await asyncio.wrap_future(studio.committer.submit(save))
        if asked.edited:
            await run_in_threadpool(_index, store)
        return JSONResponse(saved)

    @routes.post("/undo")
    def undo(asked: UndoRequest, me: Me) -> Json:
        study = get_study(store, asked.study)
        taken = casting.take_back(store, study, me, asked.id, asked.comparison)
        return {
            "undone": taken.id,
            "pair": taken.pair.to_json() if taken.pair else None,
            "tally": sittings.tally(store, study, me)._asdict(),
        }


def _index(store: Store) -> None:
    """Let the mended answer be found; the vote is saved, whatever becomes of its words."""
    try:
        catch_up(store)
    except sqlite3.Error:
        report_bug("indexing a mended answer")


def _seated(studio: Studio, study: Study, annotator: str, hold: list[str]) -> Json:
    """What lies before a person now; whoever answers comparisons learns that somebody looked."""
    sitting = sittings.sit(studio.store, study, annotator, hold)
    studio.answerer.look(study.id, annotator, short=len(sitting.pairs) < AHEAD)
    return sitting.to_json()


def _counting(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/studies")
    def studies(asker: Asker) -> Json:
        return {"studies": sittings.choices(store, asker.name, asker.may(Action.SEE_RESULTS))}

    @routes.get("/progress")
    def progress(study: str, me: Me) -> Json:
        return sittings.progress(store, get_study(store, study), me).to_json()

    @routes.get("/standings")
    def standings(study: str, ties: str = "model") -> Json:
        return leaderboard(store, study, ties).to_json()
