"""JSON route of /compare that tells what is being said, as server-sent events, side by side as a person sees them.

A watcher sleeps until the hub rings: the first words are on their way at once, later ones are gathered for a beat.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from storage import leases
from storage.comparisons import get_comparison, get_study
from studio.api.allowed import Me
from studio.feedback.queue import find
from studio.feedback.showing import Shown
from studio.feedback.study_settings import settings_of
from studio.studio import Studio

Json = dict[str, Any]

_BEAT = 0.04  # seconds between two pieces of text: all sides move at one pace, 25 times a second
_QUIET = 0.3  # between looks where no bell rings: another process may be answering; seconds of a wait are told
_SAY_AGAIN = 1.0  # how often the seconds of a wait are told
_WAITS = ("waiting", 0)


def add_routes(routes: APIRouter, studio: Studio) -> None:
    """Add the routes of this subject."""

    @routes.get("/stream/{comparison}")
    async def stream(comparison: str, me: Me) -> StreamingResponse:
        shown = await run_in_threadpool(_admit, studio, comparison, me)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_watch(studio, shown, me), media_type="text/event-stream", headers=headers)


def _admit(studio: Studio, shown_id: str, me: str) -> Shown:
    """What a person knows by this id, a second look as well; raises NotFound, or Forbidden for who takes no part."""
    store = studio.store
    second = leases.by_alias(store, shown_id, me)
    study_id = second.study_id if second else get_comparison(store, shown_id).comparison.study_id
    return find(store, get_study(store, study_id), me, shown_id)


async def _watch(studio: Studio, shown: Shown, me: str) -> AsyncIterator[str]:
    """What is being said from left to right as this person sees it, and at last the whole pair."""
    watcher = _Watcher(studio, shown, me)
    comparison = shown.whole.comparison.id
    with studio.answerer.hub.watch(comparison) as bell:
        while True:
            bell.hush()
            live = studio.answerer.hub.find(comparison)
            if live is not None:
                for event in watcher.news(live.now()):
                    yield _event(event)
                    if event["kind"] == "text":
                        await asyncio.sleep(_BEAT)
            else:
                pair = await run_in_threadpool(watcher.pair)
                if pair["state"] not in ("waiting", "answering"):
                    yield _event({"kind": "done", "pair": pair})
                    return
                if waits := watcher.waits():
                    yield _event(waits)
            await bell.wait(_QUIET)


class _Watcher:
    """Turns moments into what has changed since the last one."""

    def __init__(self, studio: Studio, shown: Shown, me: str) -> None:
        self.studio = studio
        self.me = me
        self.shown = shown
        self.order = shown.order
        study = get_study(studio.store, shown.whole.comparison.study_id)
        self.together = settings_of(study).pace == "together"
        self.sent = ["" for _ in self.order]
        self.told: tuple[str, int] | None = None

    def news(self, moment: Any) -> list[Json]:
        """Status once a second, texts as they grow; nothing of them where the answers are to appear together."""
        events: list[Json] = []
        status = (moment.phase, int(moment.seconds / _SAY_AGAIN))
        if (self.together or moment.phase != "answering") and status != self.told:
            events.append({"kind": "status", "phase": moment.phase, "seconds": status[1]})
        self.told = status
        if self.together:
            return events
        texts = [moment.texts[position] for position in self.order]
        if texts != self.sent:
            grown = all(text.startswith(before) for text, before in zip(texts, self.sent, strict=True))
            adds = [text[len(before) :] if grown else text for text, before in zip(texts, self.sent, strict=True)]
            events.append({"kind": "text", "add": adds, "anew": not grown})
            self.sent = texts
        return events

    def waits(self) -> Json | None:
        """That nobody answers it yet, told once."""
        if self.told == _WAITS:
            return None
        self.told = _WAITS
        return {"kind": "status", "phase": _WAITS[0], "seconds": 0}

    def pair(self) -> Json:
        """The comparison as the store has it."""
        return _admit(self.studio, self.shown.id, self.me).to_json()


def _event(value: Json) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
