"""JSON routes of /compare about asking: typed questions, asking again after failures, how answers are drawn."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from storage.comparisons import get_study
from studio.api.allowed import Asker, Me
from studio.feedback.queue import ask, present, try_again
from studio.feedback.sampling import Sampling
from studio.feedback.studies import set_sampling
from studio.studio import Studio

Json = dict[str, Any]


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


def add_routes(routes: APIRouter, studio: Studio) -> None:
    """Add the routes of this subject."""
    store = studio.store

    @routes.post("/prompt")
    def prompt(asked: PromptRequest, me: Me) -> Json:
        study = get_study(store, asked.study)
        lease = ask(store, study, me, asked.prompt)
        begun = studio.answerer.answer_now(study.id, lease.comparison_id)
        studio.answerer.look(study.id, me, short=not begun)
        return {"pair": present(store, study, lease).to_json()}

    @routes.post("/again")
    def again(asked: StudyRequest, me: Me) -> Json:
        study = get_study(store, asked.study)
        count = try_again(store, study, me)
        studio.answerer.look(study.id, me)
        return {"again": count}

    @routes.post("/sampling")
    def sampling(asked: SamplingRequest, asker: Asker) -> Json:
        wanted = Sampling(asked.max_tokens, asked.temperature, asked.top_p)
        set_sampling(store, get_study(store, asked.study), wanted, asker)
        return {"sampling": asked.model_dump(exclude={"study"})}
