"""Where a training starts: which weights it loads, and what DPO compares itself with.

DPO from an adapter must not be held against the bare base: every step would pull the model back behind the
round before. So the reference is the adapter that it starts from ("previous"; TRL keeps a frozen copy of it).
"""

from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import BadInput, NotReady, Refused
from storage.models import base_of, get_model
from storage.rows_training import ANSWERING, ENCODER, Model
from storage.specs.method import Method
from storage.specs.options import option_fields
from storage.specs.run import Helper
from storage.store import Store
from studio.training.request import STARTS, Request


class Origin(NamedTuple):
    """The model that a training starts from, the base under it, how, and the reference of preference methods."""

    model: Model
    base: Model
    start: str
    reference: str

    @property
    def adapter_path(self) -> str | None:
        """The adapter that is gone on from; None where a fresh one begins on the base."""
        return self.model.path if self.reference == "previous" else None

    @property
    def reference_name(self) -> str:
        """The reference by name, for people."""
        return self.model.name if self.reference == "previous" else self.base.name


def find_origin(store: Store, reference: str, start: str | None = None, reads: bool = False) -> Origin:
    """The origin named `reference`; `start`: one of `STARTS`, "continue" where nothing is said.

    `reads`: the method only reads with it, as classifiers do, so that an encoder will do.
    Raises NotFound for an unknown model, Refused for an endpoint or a retired model, NotReady for weights that
    are no longer where they were.
    """
    model = get_model(store, reference)
    if model.kind == "endpoint":
        raise Refused(
            f'"{model.name}" answers from {model.url}: its weights are not on this machine, so it cannot be trained. '
            "Start from a base or an adapter, or add the model's folder with `ratchet add-model`."
        )
    if model.kind == ENCODER and not reads:
        raise Refused(
            f'"{model.name}" is an encoder: it reads and cannot answer. Train a classifier on it (`ratchet train '
            "classify`), or start from a base or an adapter."
        )
    if model.kind not in (*ANSWERING, ENCODER):
        raise Refused(f'"{model.name}" judges answers and gives none; start from a base or an adapter.')
    if start is not None and start not in STARTS:
        raise BadInput(f'A training cannot start with "{start}"; choose {", ".join(STARTS)}.')
    if model.retired_at is not None:
        raise Refused(f'"{model.name}" has been retired; choose a model that is in use.')
    base = base_of(store, model)
    for needed in (base, model):
        _check_weights(needed)
    goes_on = model.base_id is not None and start != "fresh"
    return Origin(model, base, (start or "continue") if model.base_id else "fresh", "previous" if goes_on else "base")


def starts_of(origin: Origin) -> list[dict[str, str]]:
    """The ways to start from an adapter, each in a sentence; none where the origin is a base."""
    if origin.model.base_id is None:
        return []
    name, base = origin.model.name, origin.base.name
    return [
        {"name": "continue", "sentence": f'Train the adapter "{name}" on: the new model is that adapter, further on.'},
        {"name": "stack", "sentence": f'Train a fresh adapter on top of "{name}", which stays as it is below it.'},
        {"name": "fresh", "sentence": f'Train a fresh adapter on "{base}": what "{name}" learnt is left out.'},
    ]


def needs_of(method: Method) -> dict[str, bool]:
    """Which models and datasets beside the base and the rows a method can use, by the names of its options."""
    names = [item.name for item in option_fields(method.options)]
    return {
        "teacher": method.name == "distill",
        "rewards": method.name in ("rloo", "grpo"),
        "replay": any(name.startswith("replay") for name in names),
    }


def _check_weights(model: Model) -> None:
    """Raise NotReady where the weights are gone."""
    if not model.path or not Path(model.path).is_dir():
        raise NotReady(
            f'The weights of "{model.name}" are no longer in {model.path}; bring the folder back '
            "or choose another model."
        )


def find_helpers(store: Store, request: Request) -> dict[str, Any]:
    """The models beside the policy as `spec.json` holds them: `teacher`, and `rewards` in the order they were named.

    Raises NotFound, Refused or NotReady as `find_origin` does.
    """
    found: dict[str, Any] = {}
    if request.method == "distill" and request.teacher in (None, request.base):
        raise BadInput("Distillation needs a teacher other than the student; name the model to learn from (--teacher).")
    if request.teacher:
        found["teacher"] = helper_of(store, request.teacher, ANSWERING)
    if request.rewards:
        found["rewards"] = [helper_of(store, name, ("reward",)) for name in request.rewards]
    return found


def helper_of(store: Store, name: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    """A model beside the policy as `spec.json` holds it; raises Refused where it is none of these kinds."""
    model = get_model(store, name)
    if model.kind not in kinds or model.kind == "endpoint":
        raise Refused(f'"{model.name}" is of kind {model.kind}, and {" or ".join(kinds)} is wanted here.')
    base = base_of(store, model)
    for needed in (base, model):
        _check_weights(needed)
    adapter = model.path if model.base_id else None
    return Helper(model.name, model.kind, str(base.path), adapter)._asdict()
