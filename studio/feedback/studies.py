"""Studies: what is compared on which prompts, and how answers are sampled."""

from collections.abc import Sequence
from dataclasses import asdict

from storage.comparisons import create_study, get_study, list_studies
from storage.datasets import get_dataset
from storage.errors import BadInput, Conflict, NotFound
from storage.judgements import set_settings
from storage.models import get_model
from storage.rows import Model, Study
from storage.store import Store
from studio.feedback.sampling import Sampling
from studio.feedback.study_settings import settings_of


def sampling_of(study: Study) -> Sampling:
    """How the answers of this study are drawn."""
    return Sampling.from_json(study.settings.get("sampling", {}))


def set_sampling(store: Store, study: Study, sampling: Sampling) -> Study:
    """Draw the answers of a study this way from now on."""
    set_settings(store, study.id, {**study.settings, "sampling": asdict(sampling)})
    return get_study(store, study.id)


def target_of(study: Study) -> int:
    """How many votes a person is asked for."""
    return settings_of(study).target


def ensure_study(store: Store, name: str, models: Sequence[str], prompts: str | None) -> Study:
    """The study of that name, made if absent; raises Conflict where it compares other models or prompts."""
    contestants = [get_model(store, model) for model in models]
    prompts_id = get_dataset(store, prompts).id if prompts else None
    try:
        study = get_study(store, name)
    except NotFound:
        _refuse_lonely(contestants)
        return create_study(store, name, contestants, prompts_id, seed=len(list_studies(store)))
    if contestants and sorted(study.models) != sorted(model.id for model in contestants):
        raise Conflict(f'Study "{name}" compares other models; choose another name for the new study.')
    return study


def _refuse_lonely(models: Sequence[Model]) -> None:
    if len(models) < 2:
        raise BadInput("A comparison needs two models; name the same one twice to compare two answers of it.")


def newest_open(store: Store) -> Study | None:
    """The study that /compare shows unless another is asked for."""
    return next((study for study in list_studies(store) if study.state == "open" and study.models), None)
