"""Studies: what is compared on which prompts, and how answers are sampled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.comparisons import create_study, get_study, list_studies
from storage.datasets import get_dataset
from storage.errors import BadInput, Conflict, NotFound
from storage.judgements import set_settings
from storage.models import get_model
from storage.rows import Model, Study
from storage.store import Store

TARGET = 30
"""Votes that one sitting aims at: about ten minutes, and as many pairs as move the starter model visibly."""


@dataclass(frozen=True)
class Sampling:
    """How the answers of a study are drawn; both sides always alike."""

    max_tokens: int = 256
    """The longest answer, in tokens."""

    temperature: float = 1.0
    """0 takes the likeliest token each time; 1 draws as the model was trained to."""

    top_p: float = 1.0
    """Draw from the likeliest tokens that together have this chance."""

    def __post_init__(self) -> None:
        """Raise BadInput for values that no engine takes."""
        if not 1 <= self.max_tokens <= 8192:
            raise BadInput(f"The longest answer is 1 to 8192 tokens, not {self.max_tokens}.")
        if not 0 <= self.temperature <= 5:
            raise BadInput(f"The temperature lies between 0 and 5, not at {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise BadInput(f"Top-p lies above 0 and is 1 at most, not {self.top_p}.")


def sampling_of(study: Study) -> Sampling:
    """How the answers of this study are drawn."""
    known = {name: study.settings.get("sampling", {}).get(name) for name in Sampling.__dataclass_fields__}
    return Sampling(**{name: value for name, value in known.items() if value is not None})


def set_sampling(store: Store, study: Study, sampling: Sampling) -> Study:
    """Draw the answers of a study this way from now on."""
    values: dict[str, Any] = {name: getattr(sampling, name) for name in Sampling.__dataclass_fields__}
    set_settings(store, study.id, {**study.settings, "sampling": values})
    return get_study(store, study.id)


def target_of(study: Study) -> int:
    """How many votes a person is asked for."""
    return int(study.settings.get("target", TARGET))


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
