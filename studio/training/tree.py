"""The tree of models: what was made from what, by which training, and how it did against the champion of its day.

A model hangs under the one that it was trained from, an added adapter under its base. What was put away, and what is
gone from the disk, stays in the tree: others hang under it, and votes speak of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from storage import blends, rounds
from storage.comparisons import get_study
from storage.datasets import get_dataset
from storage.jobs import list_jobs
from storage.models import list_models
from storage.rows_training import Job, Model, Round
from storage.store import Store
from storage.versions import get_version
from studio.feedback.counting import count_votes
from studio.rounds.champion import champion
from studio.rounds.ledger import catch_up
from studio.rounds.standing import Standing, standing
from studio.rounds.timeline import Material


@dataclass(frozen=True)
class Leaf:
    """A model as the tree shows it. `parent`: the model that it hangs under.

    `job`: what trained it, from `material`; or `mixed`: names and weights of what it was mixed from. `turn`: the newest
    round whose candidate it is, with how it stands there against `against`. `loaded`: whether the engine holds it now.
    """

    model: Model
    parent: Model | None
    job: Job | None
    material: Material | None
    mixed: tuple[tuple[str, float], ...]
    turn: Round | None
    against: str | None
    standing: Standing | None
    is_champion: bool
    loaded: bool

    def to_json(self) -> dict[str, Any]:
        """The leaf for the page and for programs."""
        model, stands = self.model, self.standing
        return {
            "id": model.id,
            "name": model.name,
            "former_names": model.former_names or [],
            "kind": model.kind,
            "parent": None if self.parent is None else self.parent.id,
            "base_id": model.base_id,
            "from": None if self.parent is None else self.parent.name,
            "method": None if self.job is None else self.job.method,
            "material": None if self.material is None else vars(self.material),
            "mixed": [{"name": name, "weight": weight} for name, weight in self.mixed],
            "round": None if self.turn is None else self.turn.number,
            "against": self.against,
            "standing": None if stands is None or not stands.votes else stands.to_json(),
            "parameters": model.parameters,
            "champion": self.is_champion,
            "loaded": self.loaded,
            "archived": model.retired_at is not None,
            "gone": model.gone_at is not None,
            "created_at": model.created_at,
        }


def tree(store: Store, loaded: Collection[str] = ()) -> list[Leaf]:
    """Every model there is or was, oldest first, each after the one that it hangs under; `loaded`: by name."""
    catch_up(store)
    models = {model.id: model for model in list_models(store, retired=True)}
    jobs = {job.id: job for job in list_jobs(store)}
    turns = {turn.model_id: turn for turn in rounds.list_rounds(store) if turn.model_id}  # the newest one stays
    first = champion(store)
    return [
        _leaf(store, model, models, jobs.get(model.job_id or ""), turns.get(model.id), first, model.name in loaded)
        for model in _in_order(models)
    ]


def leaf(store: Store, model: Model, loaded: Collection[str] = ()) -> Leaf:
    """One model as the tree shows it."""
    return next(one for one in tree(store, loaded) if one.model.id == model.id)


def parent_of(model: Model) -> str | None:
    """The id of the model that a model hangs under: what it was trained from, else its base, else its host."""
    return model.parent_id or model.base_id or model.serves


def material_of(store: Store, job: Job) -> Material | None:
    """What a job learnt from: rows of a dataset's version, or the votes of a study."""
    if job.study_id:
        study = get_study(store, job.study_id)
        return Material(study=study.name, votes=count_votes(store, study.id))
    if job.version_id:
        version = get_version(store, job.version_id)
        return Material(get_dataset(store, version.dataset_id).name, version.number, version.rows)
    return None


def _leaf(
    store: Store,
    model: Model,
    models: Mapping[str, Model],
    job: Job | None,
    turn: Round | None,
    first: Model | None,
    loaded: bool,
) -> Leaf:
    against = models.get((turn.against_id or turn.parent_id or "") if turn else "")
    return Leaf(
        model=model,
        parent=models.get(parent_of(model) or ""),
        job=job,
        material=material_of(store, job) if job else None,
        mixed=tuple((models[part.model_id].name, part.weight) for part in blends.parts_of(store, model.id)),
        turn=turn,
        against=against.name if against else None,
        standing=standing(store, turn) if turn else None,
        is_champion=first is not None and first.id == model.id,
        loaded=loaded,
    )


def _in_order(models: Mapping[str, Model]) -> list[Model]:
    """By age, but nobody before their parent: what was restored or renamed keeps its moment, so ages may lie."""
    placed: dict[str, Model] = {}
    waiting = sorted(models.values(), key=lambda model: (model.created_at, model.id))
    while waiting:
        ready = [model for model in waiting if (parent_of(model) or "") not in models or parent_of(model) in placed]
        ready = ready or waiting  # a circle would be a broken store; its models are still shown
        placed |= {model.id: model for model in ready}
        waiting = [model for model in waiting if model.id not in placed]
    return list(placed.values())
