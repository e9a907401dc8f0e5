"""JSON routes of /compare, under /api/compare: next pairs, votes, undo, typed questions, tokens as they come."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from storage.comparisons import get_comparison, get_study
from storage.judgements import ask_again
from studio.api.allowed import Asker, Me
from studio.feedback import sittings, voting
from studio.feedback.comparing import add_free
from studio.feedback.leaderboard import leaderboard
from studio.feedback.sampling import Sampling
from studio.feedback.studies import set_sampling
from studio.people.roles import Action
from studio.studio import Studio

Json = dict[str, Any]

_BEAT = 0.04  # seconds between looks at what is being said: both sides move at one pace, 25 times a second
_QUIET = 0.3  # between looks while nothing is being said
_SAY_AGAIN = 1.0  # how often the seconds of a wait are told


class VoteRequest(BaseModel):
    """A vote as the browser keeps it until it is saved."""

    id: str
    study: str
    comparison: str
    choice: str
    shown: list[str | None] = Field(default_factory=list, max_length=8)
    seconds: float | None = Field(default=None, ge=0)
    hold: list[str] = Field(default_factory=list, max_length=32)

    def ballot(self) -> voting.Ballot:
        """The vote as the domain knows it."""
        shown = [digest or "" for digest in self.shown]
        return voting.Ballot(self.id, self.comparison, self.choice, shown, self.seconds)


class UndoRequest(BaseModel):
    """Take back the vote on a comparison, or the last one."""

    id: str
    study: str
    comparison: str | None = None


class PromptRequest(BaseModel):
    """A question that somebody typed."""

    study: str
    prompt: str


class SamplingRequest(BaseModel):
    """How answers are drawn from now on."""

    study: str
    max_tokens: int
    temperature: float
    top_p: float


class StudyRequest(BaseModel):
    """Something about a whole study."""

    study: str


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/compare", tags=["compare"])
    _judging(routes, studio)
    _asking(routes, studio)
    _counting(routes, studio)
    return routes


def _judging(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/next")
    def next_pairs(me: Me, study: str | None = None, hold: str = "") -> Json:
        chosen = sittings.find_study(store, study or None)
        if chosen is None:
            return {"study": None}
        studio.answerer.look(chosen.id, me)
        return sittings.sit(store, chosen, me).to_json(hold.split(","))

    @routes.post("/vote")
    def vote(asked: VoteRequest, asker: Asker) -> Json:
        study = get_study(store, asked.study)
        shown = [digest or "" for digest in asked.shown]
        me = asker.name
        given = voting.cast(
            store, study, me, voting.Ballot(asked.id, asked.comparison, asked.choice, shown, asked.seconds)
        )
        studio.answerer.look(study.id, me)
        sitting = sittings.sit(store, study, me).to_json(asked.hold)
        hidden = given.vote.choice == "skip" or not asker.may(Action.SEE_RESULTS)
        return {
            "saved": given.vote.id,
            "new": given.new,
            "reveal": None if hidden else given.reveal,
            "sitting": sitting,
        }

    @routes.post("/undo")
    def undo(asked: UndoRequest, me: Me) -> Json:
        study = get_study(store, asked.study)
        taken = voting.undo(store, study, me, asked.id, asked.comparison)
        comparison = taken.comparison_id if taken else asked.comparison
        pair = voting.show(study, get_comparison(store, comparison), me).to_json() if comparison else None
        return {
            "undone": taken.id if taken else None,
            "pair": pair,
            "tally": sittings.tally(store, study, me)._asdict(),
        }


def _asking(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.post("/prompt")
    def prompt(asked: PromptRequest, me: Me) -> Json:
        study = get_study(store, asked.study)
        comparison = add_free(store, study.name, asked.prompt)
        studio.answerer.look(study.id, me)
        return {"pair": voting.show(study, get_comparison(store, comparison.id), me).to_json()}

    @routes.post("/again")
    def again(asked: StudyRequest, me: Me) -> Json:
        study = get_study(store, asked.study)
        count = ask_again(store, study.id)
        studio.answerer.look(study.id, me)
        return {"again": count}

    @routes.post("/sampling")
    def sampling(asked: SamplingRequest) -> Json:
        wanted = Sampling(asked.max_tokens, asked.temperature, asked.top_p)
        set_sampling(store, get_study(store, asked.study), wanted)
        return {"sampling": asked.model_dump(exclude={"study"})}

    @routes.get("/stream/{comparison}")
    async def stream(comparison: str, me: Me) -> StreamingResponse:
        await run_in_threadpool(get_comparison, store, comparison)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_watch(studio, comparison, me), media_type="text/event-stream", headers=headers)


def _counting(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/studies")
    def studies(me: Me) -> Json:
        return {"studies": sittings.choices(store, me)}

    @routes.get("/progress")
    def progress(study: str, me: Me) -> Json:
        return sittings.progress(store, get_study(store, study), me).to_json()

    @routes.get("/standings")
    def standings(study: str, ties: str = "model") -> Json:
        return leaderboard(store, study, ties).to_json()


async def _watch(studio: Studio, comparison: str, me: str) -> AsyncIterator[str]:
    """What is being said on both sides, left and right as this person sees them, and at last the whole pair."""
    watcher = _Watcher(studio, comparison, me)
    while True:
        live = studio.answerer.hub.find(comparison)
        if live is not None:
            for event in watcher.news(live.now()):
                yield _event(event)
            await asyncio.sleep(_BEAT)
            continue
        pair = await run_in_threadpool(watcher.pair)
        if pair["state"] not in ("waiting", "answering"):
            yield _event({"kind": "done", "pair": pair})
            return
        yield _event({"kind": "status", "phase": "waiting", "seconds": 0})
        await asyncio.sleep(_QUIET)


class _Watcher:
    """Turns moments into what has changed since the last one."""

    def __init__(self, studio: Studio, comparison: str, me: str) -> None:
        self.studio = studio
        self.me = me
        self.comparison = comparison
        whole = get_comparison(studio.store, comparison)
        self.study = get_study(studio.store, whole.comparison.study_id)
        self.order = voting.show(self.study, whole, me).order
        self.sent = ["" for _ in self.order]
        self.told: tuple[str, int] | None = None

    def news(self, moment: Any) -> list[Json]:
        """Status once a second, texts as they grow."""
        events: list[Json] = []
        status = (moment.phase, int(moment.seconds / _SAY_AGAIN))
        if moment.phase != "answering" and status != self.told:
            events.append({"kind": "status", "phase": moment.phase, "seconds": status[1]})
        self.told = status
        texts = [moment.texts[position] for position in self.order]
        if texts != self.sent:
            grown = all(text.startswith(before) for text, before in zip(texts, self.sent, strict=True))
            adds = [text[len(before) :] if grown else text for text, before in zip(texts, self.sent, strict=True)]
            events.append({"kind": "text", "add": adds, "anew": not grown})
            self.sent = texts
        return events

    def pair(self) -> Json:
        """The comparison as the store has it."""
        whole = get_comparison(self.studio.store, self.comparison)
        return voting.show(self.study, whole, self.me).to_json()


def _event(value: Json) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
