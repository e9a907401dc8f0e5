"""Where a training starts: which weights it loads, and what DPO compares itself with.

DPO from an adapter must not be held against the bare base: every step would pull the model back behind the
round before. So the reference is the adapter that it starts from ("previous"; TRL keeps a frozen copy of it).
"""

from pathlib import Path
from typing import NamedTuple

from storage.errors import NotReady, Refused
from storage.models import base_of, get_model
from storage.rows import Model
from storage.store import Store


class Origin(NamedTuple):
    """The model that a training starts from, the base under it, and the reference of preference methods."""

    model: Model
    base: Model
    reference: str

    @property
    def adapter_path(self) -> str | None:
        """The adapter that is continued; None where a fresh one begins on a base."""
        return self.model.path if self.model.base_id else None

    @property
    def reference_name(self) -> str:
        """The reference by name, for people."""
        return self.model.name if self.reference == "previous" else self.base.name


def find_origin(store: Store, reference: str) -> Origin:
    """The origin named `reference`.

    Raises NotFound for an unknown model, Refused for an endpoint or a retired model, NotReady for weights that
    are no longer where they were.
    """
    model = get_model(store, reference)
    if model.kind == "endpoint":
        raise Refused(
            f'"{model.name}" answers from {model.url}: its weights are not on this machine, so it cannot be trained. '
            "Start from a base or an adapter, or add the model's folder with `ratchet add-model`."
        )
    if model.retired_at is not None:
        raise Refused(f'"{model.name}" has been retired; choose a model that is in use.')
    base = base_of(store, model)
    for needed in (base, model):
        _check_weights(needed)
    return Origin(model, base, "previous" if model.base_id else "base")


def _check_weights(model: Model) -> None:
    """Raise NotReady where the weights are gone."""
    if not model.path or not Path(model.path).is_dir():
        raise NotReady(
            f'The weights of "{model.name}" are no longer in {model.path}; bring the folder back '
            "or choose another model."
        )
