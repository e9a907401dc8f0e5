"""JSON routes about results, under /api/results: who wins, how sure that is, who judged, what does not count.

All of them name models, so whoever looks judges the study blind no longer; the page says that before it shows one.
"""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage.comparisons import get_study, list_studies
from storage.judgements import opening, votes_given
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.feedback.agreement import agreement
from studio.feedback.annotators import annotators
from studio.feedback.criteria import tables
from studio.feedback.exclusions import days_and_sources, exclude, include
from studio.feedback.leaderboard import leaderboard
from studio.feedback.policies import Options
from studio.feedback.preferences import preview
from studio.feedback.splits import splits
from studio.feedback.studies import judgeable
from studio.studio import Studio
from studio.training.scoring import study_scores

Json = dict[str, Any]
# A disputed item is shown with the beginning of its prompt.
_EXCERPT = 140
_DISPUTED = 20


class Change(BaseModel):
    """Whose votes count no longer, or again."""

    kind: Literal["annotator", "day", "source"]
    value: str = Field(min_length=1, max_length=200)
    reason: str = Field(default="", max_length=500)
    count: bool = False
    """True: include again."""


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/results", tags=["results"], default_response_class=Ascii)
    _add_numbers(routes, studio)
    _add_people(routes, studio)
    return routes


def _add_numbers(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("")
    def studies() -> Json:
        return {
            "studies": [
                {"name": study.name, "votes": votes_given(store, study.id), "judgeable": judgeable(study)}
                for study in list_studies(store)
            ]
        }

    @routes.get("/board")
    def board(study: str, ties: str = "model", with_excluded: bool = False) -> Json:
        return leaderboard(store, study, ties, with_excluded).to_json()

    @routes.get("/scores")
    def scores(study: str) -> Json:
        return {"judges": study_scores(store, study)}

    @routes.get("/splits")
    def parts(study: str, by: str, ties: str = "model", with_excluded: bool = False) -> Json:
        return {"by": by, "parts": [part._asdict() for part in splits(store, study, by, ties, with_excluded)]}

    @routes.get("/policies")
    def policies(
        study: str,
        margin: str = "strength",
        ties: str = "drop",
        both_bad: str = "drop",
        ranking: str = "all",
        edited: str = "use",
        with_excluded: bool = False,
    ) -> Json:
        options = Options(margin=margin, ties=ties, both_bad=both_bad, ranking=ranking, edited=edited)
        return {"policies": preview(store, study, options, with_excluded)}


def _short(found: Json) -> Json:
    """What a table shows of the agreement on one criterion."""
    return {
        name: found[name] for name in ("level", "items", "annotators", "percent", "krippendorff_alpha", "low", "high")
    }


def _add_people(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/agreement")
    def agreed(study: str, level: str | None = None, with_excluded: bool = False, criterion: str | None = None) -> Json:
        found = agreement(store, study, level, with_excluded, criterion).to_json()
        disputed = found["disputed"][:_DISPUTED]
        return found | {"disputed": [{**one, "prompt": opening(store, one["item"], _EXCERPT)} for one in disputed]}

    @routes.get("/criteria")
    def by_criterion(study: str, with_excluded: bool = False) -> Json:
        found = tables(store, study, with_excluded)
        return {
            "criteria": [
                {**one.to_json(), "agreement": _short(agreement(store, study, None, with_excluded, one.key).to_json())}
                for one in found
            ]
        }

    @routes.get("/annotators")
    def people(study: str) -> Json:
        found = [one.to_json() for one in annotators(store, study)]
        return {"annotators": found, **days_and_sources(store, study)}

    @routes.post("/exclusions")
    def change(study: str, change: Change, asker: Asker) -> Json:
        name = get_study(store, study).name
        if change.count:
            include(store, name, change.kind, change.value, asker)
        else:
            exclude(store, name, change.kind, change.value, change.reason, asker)
        return {"kind": change.kind, "value": change.value, "excluded": not change.count}
