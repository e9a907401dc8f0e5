"""JSON routes of the adjudication queue, under /api/results/adjudications: what is disputed, what was decided.

Looking needs a role that sees results, deciding one that runs studies. Nothing here names a model: whoever decides
does it blind.
"""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from studio.api.allowed import Asker, Me
from studio.api.ascii import Ascii
from studio.feedback.adjudication import Decision, decide, look, queue, undo
from studio.studio import Studio

Json = dict[str, Any]


class Decided(BaseModel):
    """What is decided, by the sides as they were shown."""

    comparison: str = Field(min_length=1, max_length=64)
    choice: Literal["left", "right", "tie", "both_bad", "ranking", "rating"]
    ranking: list[int | list[int]] | None = Field(default=None, max_length=8)
    rating: float | None = None
    reason: str = Field(default="", max_length=2000)
    shown: list[str] | None = Field(default=None, max_length=8)


class Which(BaseModel):
    """The comparison whose decision is taken back."""

    comparison: str = Field(min_length=1, max_length=64)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/results/adjudications", tags=["results"], default_response_class=Ascii)
    store = studio.store

    @routes.get("")
    def waiting(study: str, me: Me) -> Json:
        return queue(store, study, me)

    @routes.get("/{comparison}")
    def one(study: str, comparison: str, me: Me) -> Json:
        return look(store, study, comparison, me)

    @routes.post("")
    def decided(study: str, said: Decided, asker: Asker) -> Json:
        made = decide(
            store,
            study,
            asker,
            Decision(said.comparison, said.choice, said.ranking, said.rating, said.reason, said.shown),
        )
        return {"comparison": made.comparison_id, "decided": True}

    @routes.post("/undo")
    def taken_back(study: str, which: Which, asker: Asker) -> Json:
        undo(store, study, asker, which.comparison)
        return {"comparison": which.comparison, "decided": False}

    return routes
