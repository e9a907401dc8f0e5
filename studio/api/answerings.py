"""JSON routes about whole datasets answered by models, under /api/answerings: begin, look at, stop, resume, undo."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage.answerings import get_answering
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.feedback import answerings
from studio.feedback.answerings import Wish, report, reports
from studio.feedback.sampling import Sampling
from studio.studio import Studio

Json = dict[str, Any]


class Asked(BaseModel):
    """A dataset to be answered; see `studio.feedback.answerings.Wish`."""

    dataset: str = Field(max_length=100)
    models: list[str] = Field(max_length=50)
    into: str = Field(max_length=200)
    system: str = ""
    max_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    count: int | None = None

    def wish(self) -> Wish:
        """The wish as the domain knows it."""
        sampling = Sampling(self.max_tokens, self.temperature, self.top_p)
        return Wish(self.dataset, self.models, self.into, self.system, sampling, self.seed, self.count)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/answerings", tags=["answerings"], default_response_class=Ascii)
    store = studio.store

    @routes.get("")
    def all_of(dataset: str | None = None) -> Json:
        return {"answerings": reports(store, dataset)}

    @routes.post("")
    def begin(asked: Asked, asker: Asker) -> Json:
        return report(store, answerings.begin(studio.ready, asker, asked.wish()))

    @routes.get("/{answering}")
    def one(answering: str) -> Json:
        return report(store, get_answering(store, answering))

    @routes.post("/{answering}/stop")
    def stop(answering: str, asker: Asker) -> Json:
        return report(store, answerings.stop(store, asker, answering))

    @routes.post("/{answering}/resume")
    def resume(answering: str, asker: Asker) -> Json:
        return report(store, answerings.resume(store, asker, answering))

    @routes.post("/{answering}/undo")
    def undo(answering: str, asker: Asker) -> Json:
        return report(store, answerings.undo(store, asker, answering))

    return routes
