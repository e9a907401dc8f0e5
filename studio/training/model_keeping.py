"""Models renamed, put away, taken back, deleted. What stands on a model, or on its votes, is never left without it.

Putting away hides a model and keeps everything. Deleting removes its weights, where they lie in the home: an endpoint,
or a folder of somebody's own, is only forgotten. The row stays, because votes, rounds and cards speak of it.
"""

import shutil
from pathlib import Path
from typing import Any

from storage import models, promotions
from storage.blends import blend_of
from storage.comparisons import list_studies
from storage.demos import list_demos
from storage.endpoint_keys import forget
from storage.errors import Conflict, Refused
from storage.models import get_model, list_models
from storage.rows_training import Model
from storage.store import Store
from studio.people.roles import Action, Actor, require
from studio.rounds.champion import champion


def rename(store: Store, actor: Actor, reference: str, name: str) -> Model:
    """Give a model another name; jobs and answers that knew the old one still find it.

    Raises Forbidden, NotFound, BadInput for a name that cannot be, Conflict for one that is taken.
    """
    require(actor, Action.MANAGE_MODELS)
    return models.rename(store, get_model(store, reference), name.strip())


def archive(store: Store, actor: Actor, reference: str) -> Model:
    """Put a model away; raises Forbidden, NotFound, and Refused while it is in use."""
    require(actor, Action.MANAGE_MODELS)
    model = get_model(store, reference)
    if used := in_use(store, model):
        raise Refused(f'"{model.name}" cannot be put away: {used[0]}')
    return models.set_retired(store, model, True)


def take_back(store: Store, actor: Actor, reference: str) -> Model:
    """Offer a model again that was put away; raises Forbidden, NotFound, Conflict where its weights are gone."""
    require(actor, Action.MANAGE_MODELS)
    model = get_model(store, reference)
    if model.gone_at is not None:
        raise Conflict(
            f'The weights of "{model.name}" were deleted, so it cannot be taken back; train or add it again.'
        )
    return models.set_retired(store, model, False)


def delete(store: Store, actor: Actor, reference: str) -> dict[str, Any]:
    """Delete a model's weights; `model, freed` in bytes, `stays`. Its row stays, for what was said of it.

    `stays`: the folder or address of what was never the project's, which is only forgotten here.

    Raises Forbidden, NotFound, and Refused with what depends on it.
    """
    require(actor, Action.MANAGE_MODELS)
    model = get_model(store, reference)
    if model.gone_at is not None:
        raise Conflict(f'The weights of "{model.name}" were deleted already.')
    if stands := [*in_use(store, model), *dependants(store, model)]:
        raise Refused(f'"{model.name}" cannot be deleted: {stands[0]}')
    models.set_gone(store, model)  # the row first: weights that are going must not be asked for
    forget(store, model.id)
    stays, freed = elsewhere(store, model), 0
    folder = Path(model.path) if model.path and stays is None else None
    if folder is not None and folder.is_dir():
        freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder)
    return {"model": model.name, "freed": freed, "stays": stays}


def elsewhere(store: Store, model: Model) -> str | None:
    """The folder or address of a model that is not the project's; None for weights that lie in the home."""
    if model.path is None:
        return model.url
    return None if Path(model.path).parent == store.home.models else model.path


def in_use(store: Store, model: Model) -> list[str]:
    """Why a model is needed now, in sentences."""
    first = champion(store)
    found = ["it is the champion; promote another first."] if first is not None and first.id == model.id else []
    waiting = store.rows(
        "select number, name from jobs where status in ('queued', 'running') and base_id = ? order by number",
        [model.id],
    )
    found += [f"job {row['number']} ({row['name']}) starts from it." for row in waiting]
    open_in = [study.name for study in list_studies(store) if study.state == "open" and model.id in study.models]
    found += [f"the open study {name} compares it; close the study first." for name in open_in]
    shown_in = [demo.name for demo in list_demos(store) if demo.closed_at is None and model.id in demo.models]
    found += [f"the demo {name} shows it; close the demo first." for name in shown_in]
    return found


def dependants(store: Store, model: Model) -> list[str]:
    """What stands on a model's weights, in sentences.

    A champion of before counts: once its weights are gone, rolling back ends there for good.
    """
    back = any(one.before_id == model.id for one in promotions.standing(store))
    others = [one for one in list_models(store, retired=True) if one.gone_at is None and one.id != model.id]
    found = ["rolling back leads to it, for it was champion; it may only be put away."] if back else []
    return found + [
        f"{one.name} {'lies on it' if one.base_id == model.id else _came(store, one)}; delete that first."
        for one in others
        if model.id in (one.base_id, *models.parent_ids(store, one))
    ]


def _came(store: Store, model: Model) -> str:
    return "was trained from it" if blend_of(store, model.id) is None else "was mixed from it"
