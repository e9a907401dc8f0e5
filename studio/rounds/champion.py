"""The champion: the model that the project stands behind. Rounds open from it; the demo and programs ask it.

Until somebody has been promoted, that is the model from which the first round began.
"""

from storage import promotions, rounds
from storage.models import get_model, list_models
from storage.rows_training import ENCODER, Model
from storage.store import Store


def champion(store: Store) -> Model | None:
    """The champion, or None in a project without any model; a model that was put away cannot be it."""
    for one in reversed(promotions.standing(store)):
        model = get_model(store, one.model_id)
        if model.retired_at is None:
            return model
    return _first(store)


def _first(store: Store) -> Model | None:
    """The model from which the first round began, or may begin."""
    began = [turn.parent_id for turn in rounds.list_rounds(store) if turn.parent_id]
    known = [get_model(store, began[0])] if began else []
    for model in [*known, *list_models(store)]:
        if model.kind in ("base", "adapter") and model.kind != ENCODER and model.retired_at is None:
            return model
    return None
