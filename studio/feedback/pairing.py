"""Two models set against each other: in the open study that compares them already, or in a new one."""

from typing import NamedTuple

from storage.comparisons import list_studies
from storage.datasets import find_dataset, get_dataset, list_datasets
from storage.errors import BadInput, Refused
from storage.models import get_model
from storage.rows import Study
from storage.rows_training import ANSWERING, Model
from storage.store import Store
from studio.feedback.running import Wish, make
from studio.feedback.studies import judgeable
from studio.people.roles import Actor

_SHARE = 28  # characters of each name in the study's, which may have 64
_USUAL_PROMPTS = "starter-prompts"


class Paired(NamedTuple):
    """The study of two models, and whether it was made for this."""

    study: Study
    made: bool


def pair(store: Store, actor: Actor, one: str, other: str, prompts: str | None = None) -> Paired:
    """The open study of these two models alone, made where there is none; `prompts`: a dataset, or the usual one.

    Raises NotFound, BadInput for a model with itself or where there are no prompts, Refused for a model that cannot
    answer, Forbidden where a study must be made and the person may not.
    """
    models = [_answering(store, one), _answering(store, other)]
    if models[0].id == models[1].id:
        raise BadInput(f'"{models[0].name}" is compared with another model; choose which.')
    wanted = get_dataset(store, prompts).id if prompts else None
    for study in list_studies(store):
        if _is_of(study, models) and wanted in (None, study.prompts_id):
            return Paired(study, False)
    asked = prompts or usual_prompts(store)
    if asked is None:
        raise BadInput("There is no dataset of prompts to ask yet; import or write some on the page Data.")
    names = [model.name for model in models]
    return Paired(make(store, actor, Wish(_free_name(store, names), models=names, prompts=asked)), True)


def usual_prompts(store: Store) -> str | None:
    """The dataset of prompts that the newest study asks, else the starter's, else any; None where there is none."""
    asked = [find_dataset(store, study.prompts_id) for study in list_studies(store) if study.prompts_id]
    held = sorted(count.dataset.name for count in list_datasets(store) if count.dataset.kind == "prompts")
    named = [dataset.name for dataset in asked if dataset is not None and not dataset.name.startswith(".")]
    return next(iter([*named, *(name for name in held if name == _USUAL_PROMPTS), *held]), None)


def _answering(store: Store, reference: str) -> Model:
    model = get_model(store, reference)
    if model.kind not in ANSWERING:
        raise Refused(f'"{model.name}" judges answers and gives none, so it cannot be compared.')
    if model.retired_at is not None:
        raise Refused(f'"{model.name}" was put away; take it back first.')
    return model


def _is_of(study: Study, models: list[Model]) -> bool:
    """Whether people can judge these two models in a study, as they stand and with nobody else."""
    plain = not study.settings.get("contestants")
    same = sorted(study.models) == sorted(model.id for model in models)
    return study.state == "open" and judgeable(study) and plain and same


def _free_name(store: Store, names: list[str]) -> str:
    """A name for the study that says who is compared."""
    taken = {study.name for study in list_studies(store)}
    wish = "-vs-".join(name[:_SHARE] for name in names)
    name, number = wish, 2
    while name in taken:
        name, number = f"{wish}-{number}", number + 1
    return name
