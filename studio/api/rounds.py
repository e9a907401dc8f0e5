"""JSON routes about the rounds, under /api/rounds: timeline, champion, gate, promotion, replay, undo of data."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from storage import jobs
from storage import rounds as stored
from storage.errors import Conflict
from studio import task as running
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.clients.processes import start_worker
from studio.rounds.champion import champion
from studio.rounds.gate import Limits
from studio.rounds.next_step import next_step
from studio.rounds.promoting import promote, rollback
from studio.rounds.reporting import report as tell
from studio.rounds.timeline import timeline
from studio.rounds.undoing import Blame, retrain, touched
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


class Limit(BaseModel):
    """What the gate is to ask from now on (see `studio.rounds.gate.Limits`)."""

    forgetting: float


class Blamed(BaseModel):
    """What turned out bad (see `studio.rounds.undoing`)."""

    kind: str
    study: str = ""
    value: str = ""
    dataset: str = ""
    number: int = 0

    def blame(self) -> Blame:
        """The part that is blamed."""
        return Blame(self.kind, self.study, self.value, self.dataset, self.number)


class Undo(Blamed):
    """The same, and what is to be done about it."""

    reason: str = ""
    dry_run: bool = False


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/rounds", tags=["rounds"], default_response_class=Ascii)
    _add_film(routes, studio)
    _add_champion(routes, studio)
    _add_second_thoughts(routes, studio)
    return routes


def _add_film(routes: APIRouter, studio: Studio) -> None:
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
            "limits": asdict(Limits.of(studio.store)),
        }

    @routes.get("/{number}/report")
    def told(number: int) -> dict[str, Any]:
        return tell(studio.store, number).to_json()


def _add_champion(routes: APIRouter, studio: Studio) -> None:
    @routes.post("/promote")
    def promote_one(wish: Wish, actor: Asker) -> dict[str, Any]:
        return promote(studio.store, actor, wish.model, wish.reason, wish.overrule).to_json()

    @routes.post("/rollback")
    def roll_back(back: Back, actor: Asker) -> dict[str, Any]:
        return rollback(studio.store, actor, back.reason, back.champion).to_json()

    @routes.patch("/gate")
    def set_limit(wish: Limit) -> dict[str, Any]:
        before = Limits.of(studio.store)
        after = before.changed(studio.store, {"forgetting": wish.forgetting})
        return {"limits": asdict(after), "before": asdict(before)}


def _add_second_thoughts(routes: APIRouter, studio: Studio) -> None:
    @routes.get("/touched")
    def learnt(said: Annotated[Blamed, Query()]) -> dict[str, Any]:
        blame = said.blame()
        return {"blame": str(blame), "touched": [one.to_json() for one in touched(studio.store, blame)]}

    @routes.post("/retrain")
    def train_again(said: Undo, actor: Asker) -> dict[str, Any]:
        done = retrain(studio.store, studio.settings, actor, said.blame(), said.reason, said.dry_run)
        if done["jobs"]:
            start_worker(studio.home)
        return done

    @routes.post("/{number}/replay")
    def run_again(number: int) -> dict[str, Any]:
        turn = stored.get_round(studio.store, number)
        if running.busy(studio.store, "replay"):
            raise Conflict("A round is being replayed already; wait until that has ended.")
        return {"task": running.start(studio.store, "replay", {"round": turn.number}).id}
