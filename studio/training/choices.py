"""What the form can offer: methods, models to start from, datasets, and studies with votes."""

from dataclasses import dataclass
from typing import Any

from storage import jobs
from storage.comparisons import list_studies
from storage.datasets import list_datasets
from storage.models import list_models
from storage.rows_training import Job
from storage.specs.registry import METHODS
from storage.store import Store
from studio.feedback.counting import count_votes
from studio.rounds.ledger import catch_up, starting_model
from studio.training.hardware import accelerators


@dataclass(frozen=True)
class Choices:
    """The form's lists, newest first where time matters, and what is chosen unless somebody chooses."""

    methods: list[dict[str, Any]]
    models: list[dict[str, Any]]
    datasets: list[dict[str, Any]]
    studies: list[dict[str, Any]]
    waiting: list[dict[str, Any]]
    devices: int
    base: str | None
    study: str | None

    def to_json(self) -> dict[str, Any]:
        """The lists for the page."""
        return vars(self)


def choices(store: Store) -> Choices:
    """What there is to choose from now."""
    catch_up(store)
    start = starting_model(store)
    studies = _studies(store)
    return Choices(
        methods=[
            {
                "name": method.name,
                "title": method.title,
                "summary": method.summary,
                "paper": method.paper,
                "rows": list(method.rows),
                "votes": method.votes,
                "makes": method.makes,
                "compares": method.compares,
            }
            for method in METHODS.values()
        ],
        models=_models(store),
        datasets=[
            {"name": count.dataset.name, "kind": count.dataset.kind, "rows": count.rows}
            for count in list_datasets(store)
        ],
        studies=studies,
        waiting=_waiting(store),
        devices=accelerators(),
        base=start.name if start else None,
        study=next((study["name"] for study in studies if study["votes"]), None),
    )


def _models(store: Store) -> list[dict[str, Any]]:
    """Models, newest first; endpoints too, so that the form can say why they cannot be trained."""
    found = list_models(store, retired=True)
    names = {model.id: model.name for model in found}
    return [
        {
            "name": model.name,
            "kind": model.kind,
            "base": names.get(model.base_id or ""),
            "parameters": model.parameters,
        }
        for model in reversed(found)
        if model.retired_at is None
    ]


def _studies(store: Store) -> list[dict[str, Any]]:
    """Studies with the count of votes that can train or decide, newest first."""
    return [{"name": study.name, "votes": count_votes(store, study.id)} for study in list_studies(store)]


def _waiting(store: Store) -> list[dict[str, Any]]:
    """Jobs that have not ended, for those that shall wait for one of them."""
    found = [job for status in ("running", "queued") for job in jobs.list_jobs(store, status)]
    return [{"job": job.id, "number": job.number, "name": job.name} for job in sorted(found, key=_number)]


def _number(job: Job) -> int:
    return job.number
