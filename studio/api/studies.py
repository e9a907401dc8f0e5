"""JSON routes about studies, under /api/studies: they are made, listed, changed, closed; guidelines and known answers.

All of them name models, so they are for those who see results. The one that whoever judges may read, the guidelines,
stands under /api/compare.
"""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from storage.comparisons import get_study
from storage.errors import Forbidden
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.feedback import gold, guidelines, running
from studio.feedback.queue import closed_to
from studio.feedback.replaying import saved
from studio.feedback.study_settings import StudySettings, settings_of
from studio.people.roles import Action
from studio.studio import Studio

Json = dict[str, Any]


class NewContestant(BaseModel):
    """A contestant: a model, and what it is told and how it is drawn where that is its own."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=200)
    name: str | None = None
    system: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None


class NewStudy(BaseModel):
    """A study to be made."""

    name: str = Field(max_length=200)
    models: list[str] = Field(default_factory=list, max_length=50)
    contestants: list[NewContestant] = Field(default_factory=list, max_length=50)
    prompts: str | None = None
    answers: str | None = None
    settings: Json = Field(default_factory=dict)
    n: int | None = Field(default=None, ge=1, le=1_000_000)
    guidelines: str = ""

    def wish(self) -> running.Wish:
        """The study as the domain knows it."""
        contestants = [one.model_dump(exclude_none=True) for one in self.contestants]
        return running.Wish(
            self.name, self.models, contestants, self.prompts or None, self.answers or None, self.settings, self.n,
            self.guidelines,
        )  # fmt: skip


class Text(BaseModel):
    """Guidelines, as Markdown."""

    text: str


class Known(BaseModel):
    """A known answer: a choice, a ranking or a rating, by position."""

    comparison: str
    expected: Json
    note: str = Field(default="", max_length=2000)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(tags=["studies"], default_response_class=Ascii)
    _add_studies(routes, studio)
    _add_guidelines(routes, studio)
    _add_gold(routes, studio)
    return routes


def _add_studies(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/api/studies")
    def listed() -> Json:
        return running.listed(store) | {"usual": StudySettings().to_json()}

    @routes.post("/api/studies")
    def make(asked: NewStudy, asker: Asker) -> Json:
        study = running.make(studio.ready, asker, asked.wish())
        studio.answerer.look(study.id, asker.name)
        return running.described(store, study.id)

    @routes.get("/api/studies/{name}")
    def show(name: str) -> Json:
        return running.described(store, name)

    @routes.patch("/api/studies/{name}")
    def change(name: str, changes: Json, asker: Asker) -> Json:
        before = running.change(store, asker, name, changes)
        return running.described(store, name) | {"before": before}

    @routes.post("/api/studies/{name}/close")
    def close(name: str, asker: Asker) -> Json:
        return running.described(store, running.close(store, asker, name).id)

    @routes.post("/api/studies/{name}/open")
    def open_again(name: str, asker: Asker) -> Json:
        return running.described(store, running.open_again(store, asker, name).id)

    @routes.get("/api/studies/{name}/choice")
    def choice(name: str) -> Json:
        return saved(store, name).to_json()


def _add_guidelines(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/api/studies/{name}/guidelines")
    def versions(name: str) -> Json:
        return {"versions": [one._asdict() for one in guidelines.versions_of(store, name)]}

    @routes.post("/api/studies/{name}/guidelines")
    def write(name: str, asked: Text, asker: Asker) -> Json:
        return guidelines.write_guidelines(store, asker, name, asked.text)._asdict()

    @routes.get("/api/compare/guidelines")
    def read(study: str, asker: Asker) -> Json:
        stranger = closed_to(settings_of(get_study(store, study)), asker.name)
        if stranger and not asker.may(Action.SEE_RESULTS):
            raise Forbidden(stranger)
        versions = guidelines.versions_of(store, study)
        return {
            "versions": [{"number": one.number, "text": one.text, "created_at": one.created_at} for one in versions]
        }


def _add_gold(routes: APIRouter, studio: Studio) -> None:
    store = studio.store

    @routes.get("/api/studies/{name}/comparisons")
    def comparisons(name: str, search: str = "", after: int = 0, limit: int = 10) -> Json:
        return running.comparisons(store, name, search[:200], after, max(1, min(limit, 50)))

    @routes.get("/api/studies/{name}/gold")
    def known(name: str) -> Json:
        return {"gold": gold.gold_items(store, get_study(store, name))}

    @routes.post("/api/studies/{name}/gold")
    def tell(name: str, asked: Known, asker: Asker) -> Json:
        study = get_study(store, name)
        made = gold.set_gold(store, study, asked.comparison, asked.expected, asked.note, asker)
        return made._asdict()

    @routes.delete("/api/studies/{name}/gold/{comparison}")
    def lift(name: str, comparison: str, asker: Asker) -> Json:
        gold.lift_gold(store, get_study(store, name), comparison, asker)
        return {"comparison": comparison, "lifted": True}
