"""JSON routes about the rounds, under /api/rounds: timeline, next step, champion, promotion, rolling back."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from storage import jobs
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.clients.processes import start_worker
from studio.rounds.champion import champion
from studio.rounds.next_step import next_step
from studio.rounds.promoting import promote, rollback
from studio.rounds.reporting import report as tell
from studio.rounds.timeline import timeline
from studio.rounds.undoing import Blame, retrain
from studio.studio import Studio
from studio.training.watching import report


class Wish(BaseModel):
    """Which model is to become champion (none: the open round's candidate), and why the gate is overruled."""

    model: str | None = None
    reason: str = ""
    overrule: bool = False


class Back(BaseModel):
    """Why the champion is rolled back, and which one is meant (none: whoever it is)."""

    reason: str = ""
    champion: str | None = None


class Blamed(BaseModel):
    """What turned out bad, and what is to be done about it (see `studio.rounds.undoing`)."""

    kind: str
    study: str = ""
    value: str = ""
    dataset: str = ""
    number: int = 0
    reason: str = ""
    dry_run: bool = False

    def blame(self) -> Blame:
        """The part that is blamed."""
        return Blame(self.kind, self.study, self.value, self.dataset, self.number)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/rounds", tags=["rounds"], default_response_class=Ascii)

    @routes.get("")
    def film() -> dict[str, Any]:
        cards = [card.to_json() for card in timeline(studio.store)]
        at_work = [report(studio.store, job).to_json() for job in jobs.list_jobs(studio.store, "running")]
        first = champion(studio.store)
        return {
            "rounds": cards,
            "next": next_step(studio.store).to_json(),
            "running": at_work,
            "champion": first.name if first else None,
        }

    @routes.get("/{number}/report")
    def told(number: int) -> dict[str, Any]:
        return tell(studio.store, number).to_json()

    @routes.post("/promote")
    def promote_one(wish: Wish, actor: Asker) -> dict[str, Any]:
        return promote(studio.store, actor, wish.model, wish.reason, wish.overrule).to_json()

    @routes.post("/rollback")
    def roll_back(back: Back, actor: Asker) -> dict[str, Any]:
        return rollback(studio.store, actor, back.reason, back.champion).to_json()

    @routes.post("/retrain")
    def train_again(said: Blamed, actor: Asker) -> dict[str, Any]:
        done = retrain(studio.store, studio.settings, actor, said.blame(), said.reason, said.dry_run)
        if done["jobs"]:
            start_worker(studio.home)
        return done

    return routes
