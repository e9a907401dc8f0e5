"""Sees that champion and candidate have answered the canaries of which something is expected.

Without it the gate would wait for somebody to remember them. A keeper looks while the studio is served, and only where
people expect something: a project without expectations is asked nothing. Each pair of models is tried once; what fails
(a server that is away) is left to a person, who sees it at the gate.
"""

from typing import NamedTuple

from storage import canaries as stored
from storage import tasks
from storage.models import get_model
from storage.prompts import content_sha256
from storage.rows_training import Model
from storage.store import Store
from studio.rounds.canaries import answerer_of, list_canaries
from studio.rounds.champion import champion
from studio.rounds.ledger import current

_LOOKED_BACK = 50


class Due(NamedTuple):
    """Models that should answer, and what names this very wish, so that it is not tried twice."""

    models: list[str]
    key: str


def look(store: Store) -> str | None:
    """Start a task where something is due; its id."""
    wish = due(store)
    if wish is None:
        return None
    from studio import task

    return task.start(store, "canaries", {"models": wish.models, "again": False, "due": wish.key}).id


def due(store: Store) -> Due | None:
    """What champion and candidate have not answered yet, or None where nothing is expected, missing or new."""
    turn, first = current(store), champion(store)
    if turn is None or turn.model_id is None or first is None or turn.model_id == first.id:
        return None
    if not stored.standing_expectations(store):
        return None
    everything = list_canaries(store)
    if not any(one.expected for one in everything):
        return None
    prompts = {one.sha256 for one in everything}
    missing = [one for one in (first, get_model(store, turn.model_id)) if prompts - _answered(store, one)]
    key = content_sha256([*(one.id for one in missing), *sorted(prompts)])
    tried = {task.payload.get("due") for task in tasks.list_tasks(store, "canaries", _LOOKED_BACK)}
    return Due([one.name for one in missing], key) if missing and key not in tried else None


def _answered(store: Store, model: Model) -> set[str]:
    return set(stored.answers_of(store, answerer_of(store, model)))
