"""What was measured of a candidate, from the champion on.

A run measures what it changed against the model that it began from, and that need not be the champion: a refused
candidate is trained on, a plan has several phases. What each of these steps forgot adds up, and an answer that the
first of them broke was whole with the champion. So the steps are followed back to the champion, or, where it stands on
another branch, to where the two branches part: what the champion has learnt since then the candidate never knew.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from storage import rounds
from storage.blends import blend_of
from storage.jobs import get_job
from storage.models import base_of, get_model, lineage
from storage.rows_training import Model
from storage.store import Store

_KINDS = (("earlier", "earlier rows"), ("base_answers", "what the base said"))


class Step(NamedTuple):
    """A training or a mixture on the way: the model that came of it, and what was measured of it (None: nothing)."""

    model: Model
    found: Mapping[str, Any] | None


class Rise(NamedTuple):
    """By how much the loss rose, in nats per token; `of`: on what it was measured."""

    loss: float
    of: str


class Way(NamedTuple):
    """The steps from `origin` to a candidate, oldest first; None where the first began at what nobody measured."""

    origin: Model | None
    steps: Sequence[Step]

    @property
    def unmeasured(self) -> Model | None:
        """The first model on the way of which nobody knows what it forgot."""
        return next((step.model for step in self.steps if _rise(step) is None), None)

    @property
    def forgotten(self) -> Rise | None:
        """What all steps together forgot; of several, a fall makes up for no rise, for it is on other rows.

        None where a step was not measured.
        """
        rises = [rise for step in self.steps if (rise := _rise(step))]
        if len(rises) < len(self.steps):
            return None
        of = " and ".join(dict.fromkeys(rise.of for rise in rises))
        return rises[0] if len(rises) == 1 else Rise(sum(max(0.0, rise.loss) for rise in rises), of)

    @property
    def canaries(self) -> Sequence[Mapping[str, Any]]:
        """What was said to each canary before the oldest step that asked it, and after the last one.

        Nothing where a step asked none.
        """
        said: list[Sequence[Mapping[str, Any]]] = [(step.found or {}).get("canaries") or [] for step in self.steps]
        if len(said) == 1 or not all(said):
            return said[0] if len(said) == 1 else []
        before: dict[str, Any] = {}
        for asked in said:
            for one in asked:
                before.setdefault(str(one.get("prompt")), one.get("before"))
        return [_told(one, before[str(one.get("prompt"))]) for one in said[-1]]


def found_of(store: Store, model: Model) -> Mapping[str, Any] | None:
    """What was measured of a model at the end of its training, or when it was mixed; None: nothing."""
    if model.job_id is not None:
        return get_job(store, model.job_id).evaluation
    mixed = blend_of(store, model.id)
    return mixed.evaluation if mixed else None


def way(store: Store, candidate: Model, first: Model) -> Way:
    """The steps that lead to a candidate, from the champion or from where their branches part."""
    known = {model.id for model in lineage(store, first)}
    steps, at = [Step(candidate, found_of(store, candidate))], _origin(store, candidate)
    # A base of its own is where its branch begins: nothing was taught before it that could be forgotten.
    while at is not None and at.id not in known and (at.kind != "base" or at.job_id is not None):
        steps.append(Step(at, found_of(store, at)))
        at = _origin(store, at)
    return Way(at, steps[::-1])


def _rise(step: Step) -> Rise | None:
    """What one step forgot: of earlier rows where there are any, else of what the base said."""
    known = (step.found or {}).get("forgetting") or {}
    for kind, of in _KINDS:
        if one := known.get(kind):
            return Rise(float(one["after"]) - float(one["before"]), of)
    return None


def _told(one: Mapping[str, Any], before: Any) -> Mapping[str, Any]:
    return {**one, "before": before, "same": before == one.get("after")}


def _origin(store: Store, model: Model) -> Model | None:
    """The model that another's measurements compare it with; None for one that was neither trained nor mixed here."""
    if model.job_id is not None:
        job = get_job(store, model.job_id)
        began = get_model(store, model.parent_id or job.base_id)
        return base_of(store, began) if job.request.get("start") == "fresh" else began
    return _beaten(store, model) if blend_of(store, model.id) else None


def _beaten(store: Store, mixture: Model) -> Model:
    """Whom a mixture was measured against: the champion of its day if that lies on the same base, else the base."""
    base = base_of(store, mixture)
    first = next((turn.against_id for turn in rounds.list_rounds(store) if turn.model_id == mixture.id), None)
    against = get_model(store, first) if first else base
    return against if base_of(store, against).id == base.id else base
