"""JSON routes of /compare about one's own votes: what I said, and keeping an answer that I see."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage.comparisons import get_study
from studio.api.allowed import Asker
from studio.feedback.keeping import keep
from studio.feedback.mine import MOST, my_votes
from studio.feedback.queue import find
from studio.people.roles import Action
from studio.studio import Studio

Json = dict[str, Any]


class KeepRequest(BaseModel):
    """Which answer, as shown from left to right, goes into which dataset."""

    study: str
    comparison: str
    side: int
    dataset: str = Field(min_length=1, max_length=64)


def add_routes(routes: APIRouter, studio: Studio) -> None:
    """Add the routes of this subject."""
    store = studio.store

    @routes.get("/mine")
    def mine(study: str, asker: Asker, before: str | None = None, limit: int = 20) -> Json:
        found = my_votes(store, get_study(store, study), asker.name, before, min(limit, MOST))
        names = asker.may(Action.SEE_RESULTS)
        return {"votes": [one.to_json(names) for one in found.votes], "more": found.more}

    @routes.post("/keep")
    def keep_answer(asked: KeepRequest, asker: Asker) -> Json:
        study = get_study(store, asked.study)
        shown = find(store, study, asker.name, asked.comparison)
        kept = keep(store, asker, study.name, shown, asked.side, asked.dataset)
        return {
            "dataset": kept.dataset, "example": kept.example.id, "new": kept.new, "split": kept.example.split,
            "note": kept.note,
        }  # fmt: skip
