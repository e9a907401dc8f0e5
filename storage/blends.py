"""Blends: models whose weights were mixed from those of others, with how, by whom, and what was measured of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage.clock import now
from storage.rows import Row
from storage.store import Store

HOWS: Mapping[str, str] = {
    "linear": "weighted sum of the factors; rough, and as small as its parts",
    "ties": "small weights dropped, signs put to a vote, what agrees is added",
    "dare_linear": "weights dropped at random and the rest scaled up, then summed",
    "dare_ties": "weights dropped at random, then as ties",
    "cat": "exact weighted sum; its rank is the sum of all ranks",
}
"""The ways to mix adapters, by PEFT's names for them."""
THINNED = ("ties", "dare_linear", "dare_ties")
"""Those that keep only a share of the weights: `density`."""


class Part(NamedTuple):
    """A model that went into a mixture, and the weight that its adapter got."""

    model_id: str
    weight: float


@dataclass(frozen=True)
class Blend(Row):
    """How a model was mixed. `how`: PEFT's word for it; `density`: the share of weights that was kept, where one was.

    `evaluation`: what was found of it, in the shape of a job's.
    """

    model_id: str
    how: str
    density: float | None
    seed: int
    author: str
    evaluation: dict[str, Any] | None
    created_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"evaluation"})


@dataclass(frozen=True)
class NewBlend:
    """A mixture that is to be noted; its model's row must be there."""

    model_id: str
    how: str
    density: float | None
    seed: int
    author: str
    evaluation: Mapping[str, Any] | None
    parts: Sequence[Part]


def add(store: Store, new: NewBlend) -> None:
    """Note a mixture with its parts, together."""
    row = {
        "model_id": new.model_id, "how": new.how, "density": new.density, "seed": new.seed, "author": new.author,
        "evaluation": None if new.evaluation is None else json.dumps(new.evaluation), "created_at": now(),
    }  # fmt: skip
    with store.write():
        store.insert("blends", row)
        for place, part in enumerate(new.parts):
            store.insert(
                "model_parents",
                {"model_id": new.model_id, "parent_id": part.model_id, "place": place, "weight": part.weight},
            )


def blend_of(store: Store, model_id: str) -> Blend | None:
    """How a model was mixed; None for one that was not."""
    row = store.one("select * from blends where model_id = ?", [model_id])
    return Blend.from_row(row) if row else None


def parts_of(store: Store, model_id: str) -> list[Part]:
    """What went into a mixture, in the order in which it was named; nothing for a model that is none."""
    rows = store.rows("select parent_id, weight from model_parents where model_id = ? order by place", [model_id])
    return [Part(row["parent_id"], row["weight"]) for row in rows]
