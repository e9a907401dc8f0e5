"""Studies: what is compared on which prompts, and how answers are sampled."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from storage.comparisons import create_study, get_study, list_studies
from storage.datasets import get_dataset
from storage.errors import BadInput, Conflict, NotFound
from storage.judgements import set_settings
from storage.models import get_model
from storage.rows import Study
from storage.store import Store
from studio.feedback.contestants import contestants_of, least, named, plain, read_contestant
from studio.feedback.sampling import Sampling
from studio.feedback.study_settings import Contestant, StudySettings, refuse_unknown, settings_of
from studio.people.roles import Action, Actor, require

ANSWERS = "answers_id"
"""Beside the settings of a study: the dataset whose answers it holds, where no model was asked."""


def sampling_of(study: Study) -> Sampling:
    """How the answers of this study are drawn."""
    return Sampling.from_json(study.settings.get("sampling", {}))


def set_sampling(store: Store, study: Study, sampling: Sampling, actor: Actor) -> Study:
    """Draw the answers of a study this way from now on; raises Forbidden."""
    require(actor, Action.RUN_STUDIES)
    with store.write():
        now = get_study(store, study.id)
        set_settings(store, now.id, {**now.settings, "sampling": asdict(sampling)})
    return get_study(store, study.id)


def target_of(study: Study) -> int:
    """How many votes a person is asked for."""
    return settings_of(study).target


def ensure_study(
    store: Store,
    name: str,
    models: Sequence[str],
    prompts: str | None,
    contestants: Sequence[Mapping[str, Any] | str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Study:
    """The study of that name, made if absent; raises Conflict where it compares other contestants or is set otherwise.

    `models`: as they stand; `contestants`: as `contestants.read_contestant` takes them. `settings`: of a new study.
    """
    wanted = [plain(store, model) for model in models] + [read_contestant(store, one) for one in contestants]
    prompts_id = get_dataset(store, prompts).id if prompts else None
    try:
        study = get_study(store, name)
    except NotFound:
        return _made(store, name, wanted, prompts_id, settings or {})
    if wanted and not _same(store, wanted, contestants_of(store, study)):
        raise Conflict(f'Study "{name}" compares other models; choose another name for the new study.')
    if changed := [key for key, value in _set(settings or {}).items() if value != settings_of(study).to_json()[key]]:
        raise Conflict(f'Study "{name}" stands with another "{changed[0]}"; change it with `ratchet study`.')
    return study


def ensure_answers_study(store: Store, name: str, dataset: str, settings: Mapping[str, Any]) -> Study:
    """The study of that name whose answers come from a dataset, made if absent; raises Conflict as `ensure_study`."""
    try:
        get_study(store, name)
    except NotFound:
        kept = _set(settings) | {ANSWERS: get_dataset(store, dataset).id}
        return create_study(store, name, [], None, kept, seed=len(list_studies(store)))
    return ensure_study(store, name, [], None, settings=settings)


def judgeable(study: Study) -> bool:
    """Whether people can judge in a study: a study that holds nothing but votes from files asks nothing."""
    return bool(study.models) or ANSWERS in study.settings


def _made(
    store: Store, name: str, wanted: Sequence[Contestant], prompts_id: str | None, settings: Mapping[str, Any]
) -> Study:
    """A new study; models that are only named stay plain, so that nothing is kept twice."""
    chosen = StudySettings.from_json(settings)
    if len(wanted) < least(chosen.sides):
        raise BadInput("A comparison needs two models; name the same one twice to compare two answers of it.")
    kept = {**_set(settings)}
    if not all(_is_plain(store, one) for one in wanted):
        wanted = named(store, wanted)
        kept["contestants"] = [asdict(one) for one in wanted]
    models = [get_model(store, one.model) for one in wanted]
    return create_study(store, name, models, prompts_id, kept, seed=len(list_studies(store)))


def _set(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was told of the settings, as it is kept; raises BadInput for what is no setting."""
    refuse_unknown(settings)
    whole = StudySettings.from_json(settings).to_json()
    told = {*settings, *({"sides"} if "layout" in settings else ())} - {"contestants"}
    return {key: value for key, value in whole.items() if key in told}


def _is_plain(store: Store, one: Contestant) -> bool:
    return one.system is None and one.sampling is None and one.name == get_model(store, one.model).name


def _same(store: Store, wanted: Sequence[Contestant], standing: Sequence[Contestant]) -> bool:
    """Whether both are the same contestants, in any order; a name that was not given is any name."""

    def known(one: Contestant) -> tuple[str, str, str]:
        return one.model, one.system or "", repr(one.sampling)

    told = {one.name for one in wanted if one.name and not _is_plain(store, one)}
    return sorted(map(known, wanted)) == sorted(map(known, standing)) and told <= {one.name for one in standing}


def newest_open(store: Store) -> Study | None:
    """The study that /compare shows unless another is asked for."""
    return next((study for study in list_studies(store) if study.state == "open" and judgeable(study)), None)
