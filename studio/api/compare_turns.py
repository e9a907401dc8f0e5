"""JSON route of /compare about conversations: writing the next turn."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage.comparisons import get_study
from studio.api.allowed import Me
from studio.feedback.ballots import SIDES, Ballot
from studio.feedback.continuing import go_on
from studio.feedback.queue import find
from studio.feedback.study_settings import MOST_SIDES
from studio.studio import Studio

Json = dict[str, Any]


class ContinueRequest(BaseModel):
    """The next turn, for both sides or after choosing one; `id` is that of the vote, where this counts as one."""

    id: str
    study: str
    comparison: str
    mode: str
    prompt: str
    shown: list[str | None] | None = Field(default=None, max_length=MOST_SIDES)
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)


def add_routes(routes: APIRouter, studio: Studio) -> None:
    """Add the routes of this subject."""
    store = studio.store

    @routes.post("/continue")
    def go_on_with(asked: ContinueRequest, me: Me) -> Json:
        study = get_study(store, asked.study)
        shown = find(store, study, me, asked.comparison)
        hashes = [answer.sha256 for answer in shown.answers] if asked.shown is None else asked.shown
        ballot = Ballot(asked.id, asked.comparison, asked.mode, [one or "" for one in hashes], asked.seconds)
        went = go_on(store, study, me, shown, asked.mode, asked.prompt, ballot if asked.mode in SIDES else None)
        begun = studio.answerer.answer_now(study.id, went.shown.whole.comparison.id)
        studio.answerer.look(study.id, me, short=not begun)
        return {"pair": went.shown.to_json(), "saved": went.vote.id if went.vote else None}
