"""Making, listing and closing demos. A link's secret is shown once; who has it may talk, and do nothing else."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from storage import demo_talk, demos
from storage.clock import now
from storage.comparisons import get_study
from storage.demos import Demo
from storage.errors import BadInput, NotFound, NotReady
from storage.models import get_model
from storage.rows_training import ANSWERING, Model
from storage.store import Store
from studio.demos.terms import Terms
from studio.people.accounts import secret_sha256
from studio.people.roles import Action, Actor, require
from studio.rounds.champion import champion

_MOST_MODELS = 8
CLOSED = "There is no demo at this address, or it has been closed."


class Made(NamedTuple):
    """A fresh demo; `token` is the secret part of its link, shown now and never again."""

    token: str
    demo: Demo

    @property
    def path(self) -> str:
        """The link within the studio."""
        return f"/demo/{self.token}"


def make(
    store: Store, actor: Actor, name: str, models: Sequence[str] = (), terms: Mapping[str, Any] | None = None
) -> Made:
    """Make a demo of these models, or of whoever is champion when the question comes.

    Raises Forbidden, BadInput for terms that cannot be, NotFound for a model, Conflict for a name that is taken.
    """
    require(actor, Action.RUN_STUDIES)
    wanted = Terms.from_json(terms or {})
    chosen = [get_model(store, one) for one in models]
    if silent := [model.name for model in chosen if model.kind not in ANSWERING]:
        raise BadInput(f'"{silent[0]}" judges answers and gives none.')
    if len(chosen) > _MOST_MODELS or len({model.id for model in chosen}) != len(chosen):
        raise BadInput(f"A demo shows each model once, and {_MOST_MODELS} at most; without any it shows the champion.")
    token = secrets.token_urlsafe(24)
    ids = [model.id for model in chosen]
    made = demos.add(store, name, secret_sha256(token), ids, wanted.to_json(), actor.name)
    return Made(token, made)


def listed(store: Store, actor: Actor) -> list[dict[str, Any]]:
    """Every demo with its terms and how many votes wait; nothing that opens it. Raises Forbidden."""
    require(actor, Action.SEE_RESULTS)
    return [to_json(store, one) for one in demos.list_demos(store)]


def to_json(store: Store, demo: Demo) -> dict[str, Any]:
    """A demo for JSON."""
    return {
        "name": demo.name,
        "models": [get_model(store, one).name for one in demo.models],
        "terms": Terms.from_json(demo.settings).to_json(),
        "study": get_study(store, demo.study_id).name if demo.study_id else None,
        "created_by": demo.created_by,
        "created_at": demo.created_at,
        "closed_at": demo.closed_at,
        "votes": demo_talk.counts(store, demo.id),
        "decided": demo_talk.last_decision(store, demo.id),
    }


def close(store: Store, actor: Actor, name: str) -> Demo:
    """Let a link open nothing any more, at once, and forget what nobody voted on; raises Forbidden, NotFound."""
    require(actor, Action.RUN_STUDIES)
    demos.close(store, demos.get(store, name))
    closed = demos.get(store, name)
    demo_talk.forget(store, closed.id, unvoted_before=now(), refused_before=0.0)
    return closed


def demo_of(store: Store, token: str) -> Demo:
    """The demo behind a link; raises NotFound for a wrong and a closed one alike."""
    found = demos.find(store, secret_sha256(token)) if len(token) <= 200 else None
    if found is None:
        raise NotFound(CLOSED)
    return found


def answering(store: Store, demo: Demo) -> list[Model]:
    """Who answers in a demo now, models that were put away left out; raises NotReady where nobody does."""
    if demo.models:
        found = [model for model in (get_model(store, one) for one in demo.models) if model.retired_at is None]
    else:
        first = champion(store)
        found = [first] if first else []
    if not found:
        raise NotReady("Nobody answers here at the moment.")
    return found
