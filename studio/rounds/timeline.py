"""The rounds so far as cards: what each learnt from, the job, the model, and how it did against the one before."""

from dataclasses import dataclass
from typing import Any

from storage import promotions, rounds
from storage.blends import parts_of
from storage.comparisons import get_study
from storage.datasets import get_dataset
from storage.jobs import get_job
from storage.models import get_model
from storage.rows_training import Job, Round
from storage.store import Store
from storage.versions import get_version
from studio.feedback.counting import count_votes
from studio.rounds import gate
from studio.rounds.figures import Figures, figures
from studio.rounds.ledger import catch_up
from studio.rounds.standing import Standing, standing


@dataclass(frozen=True)
class Material:
    """What a round learnt from: rows of a dataset's version, the votes of a study, or the models that were mixed."""

    dataset: str | None = None
    version: int | None = None
    rows: int | None = None
    study: str | None = None
    votes: int | None = None
    mixed: tuple[str, ...] = ()


@dataclass(frozen=True)
class RoundCard:
    """One round as the timeline shows it. `kept`: None while the round is open; `against`: whom its model must beat.

    `gate`: what stands in the way of its candidate, or stood when it closed. `promotion`: how its model became
    champion; `rolled_back`: whether that was taken back. `figures`: agreement, losses, and what the round took.
    """

    number: int
    state: str
    parent: str | None
    against: str | None
    material: Material | None
    job: Job | None
    model: str | None
    measuring: str | None
    standing: Standing | None
    kept: bool | None
    reason: str | None
    gate: "gate.Report | None"
    promotion: promotions.Promotion | None
    rolled_back: bool
    figures: Figures
    opened_at: float
    closed_at: float | None

    def to_json(self) -> dict[str, Any]:
        """The card for the page and for `ratchet rounds`."""
        material = self.material
        return {
            "round": self.number,
            "state": self.state,
            "parent": self.parent,
            "against": self.against,
            "model": self.model,
            "material": None if material is None else vars(material),
            "job": None if self.job is None else _job_json(self.job),
            "measuring": self.measuring,
            "standing": None if self.standing is None else self.standing.to_json(),
            "kept": self.kept,
            "reason": self.reason,
            "gate": None if self.gate is None else self.gate.to_json(),
            "promotion": None if self.promotion is None else _promotion_json(self.promotion),
            "rolled_back": self.rolled_back,
            "figures": self.figures.to_json(),
            "opened_at": self.opened_at,
            "closed_at": self.closed_at,
        }


def timeline(store: Store) -> list[RoundCard]:
    """All rounds, oldest first, with what is known of each at this moment."""
    catch_up(store)
    return [card(store, turn) for turn in rounds.list_rounds(store)]


def card(store: Store, turn: Round) -> RoundCard:
    """One round's card."""
    closing = turn.verdict or {}
    made = [one for one in promotions.list_promotions(store) if turn.model_id and one.model_id == turn.model_id]
    made = [one for one in made if one.kind != promotions.ROLLED_BACK]
    stands = {one.id for one in promotions.standing(store)}
    kept = closing.get("kept")
    against = turn.against_id or turn.parent_id
    job = get_job(store, turn.job_id) if turn.job_id else None
    return RoundCard(
        number=turn.number,
        state=turn.state,
        parent=get_model(store, turn.parent_id).name if turn.parent_id else None,
        against=get_model(store, against).name if against else None,
        material=_material(store, turn),
        job=job,
        model=get_model(store, turn.model_id).name if turn.model_id else None,
        measuring=get_study(store, turn.measuring_study_id).name if turn.measuring_study_id else None,
        # Votes on a closed round go on counting, so the figure is of today; the verdict is of its day.
        standing=standing(store, turn),
        kept=made[-1].id in stands if made and kept is not None else kept,
        reason=made[-1].reason if made else closing.get("reason"),
        gate=None if made else _gate(store, turn),
        promotion=made[-1] if made else None,
        rolled_back=bool(made) and made[-1].id not in stands,
        figures=figures(store, turn, job, gate.evaluation_of(store, turn)),
        opened_at=turn.opened_at,
        closed_at=turn.closed_at,
    )


def _gate(store: Store, turn: Round) -> "gate.Report | None":
    """What the gate says; of a closed round what it said then, for today's champion may be another."""
    if turn.state == "open":
        return gate.report(store, turn)
    said = (turn.verdict or {}).get("gate")
    return gate.Report.from_json(said) if said else None


def _material(store: Store, turn: Round) -> Material | None:
    """What the round's model learns or learnt from; None before it has a job."""
    if turn.training_study_id:
        study = get_study(store, turn.training_study_id)
        return Material(study=study.name, votes=count_votes(store, study.id))
    if turn.version_id:
        version = get_version(store, turn.version_id)
        dataset = get_dataset(store, version.dataset_id)
        return Material(dataset=dataset.name, version=version.number, rows=version.rows)
    if turn.model_id and (parts := parts_of(store, turn.model_id)):
        return Material(mixed=tuple(get_model(store, part.model_id).name for part in parts))
    return None


def _promotion_json(made: promotions.Promotion) -> dict[str, Any]:
    """How a model became champion, without the whole evidence."""
    return {"kind": made.kind, "reason": made.reason, "author": made.author, "at": made.created_at}


def _job_json(job: Job) -> dict[str, Any]:
    """The little that a card shows of a job."""
    seconds = job.finished_at - job.started_at if job.finished_at and job.started_at else None
    return {
        "id": job.id,
        "number": job.number,
        "method": job.method,
        "status": job.status,
        "step": job.step,
        "total_steps": job.total_steps,
        "seconds": None if seconds is None else round(seconds, 1),
    }
