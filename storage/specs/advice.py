"""Defaults that fit the model and the data: what is advised, and why, before a person changes anything."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

# Weights below which a model behaves as the starter does: it needs step sizes that would ruin a large one.
TINY = 20_000_000
SMALL = 200_000_000

_BATCH_SIZE = 8  # the methods' default


class Aim(NamedTuple):
    """How long a run should be: optimiser steps, and the epochs that these may become."""

    fewest_steps: int
    fewest_epochs: float
    most_epochs: float
    most_steps: int | None = None


# Fewest: steps in which an adapter learns something worth a vote. Most: DPO has no end of its own; on the starter 40
# steps moved the style by 35 to 41 points and cost at most 2 points of correctness, 90 steps of the same cost 65.
_AIMS: Mapping[tuple[str, str], Aim] = MappingProxyType(
    {
        ("sft", "tiny"): Aim(120, 3.0, 20.0),
        ("dpo", "tiny"): Aim(40, 1.0, 6.0, most_steps=50),
    }
)
_OTHER_AIMS: Mapping[str, Aim] = MappingProxyType({"sft": Aim(60, 3.0, 20.0), "dpo": Aim(30, 3.0, 6.0)})

# For the tiny size found by trial on the starter: SFT on 60 rows, DPO on 20, 40 and 120 votes, several seeds each.
_BY_SIZE: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType(
    {
        ("sft", "tiny"): MappingProxyType({"learning_rate": 5e-4, "max_length": 512}),
        ("sft", "small"): MappingProxyType({"learning_rate": 5e-4}),
        ("sft", "large"): MappingProxyType({}),
        ("dpo", "tiny"): MappingProxyType({"learning_rate": 3e-4, "beta": 0.3, "batch_size": 4, "max_length": 512}),
        ("dpo", "small"): MappingProxyType({"learning_rate": 1e-4}),
        ("dpo", "large"): MappingProxyType({}),
    }
)


class Advice(NamedTuple):
    """Options that differ from the method's defaults, and one sentence that says why."""

    options: dict[str, Any]
    why: str


def size_of(parameters: int | None) -> str:
    """tiny, small or large, by count of weights; unknown counts as large, whose step sizes harm nothing."""
    if parameters is None or parameters >= SMALL:
        return "large"
    return "tiny" if parameters < TINY else "small"


def advise(
    method: str, parameters: int | None, rows: int, batch_size: int | None = None, continued: bool = False
) -> Advice:
    """Options for a method on a model of `parameters` weights and `rows` rows.

    `batch_size` where one was asked for; `continued` where an adapter is trained on.
    """
    size = size_of(parameters)
    options = dict(_BY_SIZE[(method, size)])
    if continued and (method, size) == ("dpo", "tiny"):
        # A trained adapter moves faster than a fresh one: the full step cost the starter 20 points of correctness.
        options["learning_rate"] /= 2
    aim = _AIMS.get((method, size), _OTHER_AIMS[method])
    batch = batch_size or options.get("batch_size", _BATCH_SIZE)
    epochs = _epochs(aim, math.ceil(rows / batch))
    if aim.most_steps and not batch_size and rows * epochs > aim.most_steps * batch:
        batch = options["batch_size"] = math.ceil(rows * epochs / aim.most_steps)
    options["epochs"] = epochs
    weights = "an unknown number of" if parameters is None else f"{parameters / 1e6:.1f} million"
    return Advice(
        options,
        f"The model has {weights} weights ({size}), so the step size peaks at "
        f"{options.get('learning_rate', 'the default')}; {rows} rows are seen {epochs:g} times, "
        f"{math.ceil(math.ceil(rows / batch) * epochs)} steps in all.",
    )


def _epochs(aim: Aim, steps_per_epoch: int) -> float:
    """Epochs that make the fewest steps, to a tenth, within the aim's limits."""
    wanted = math.ceil(10 * aim.fewest_steps / max(1, steps_per_epoch)) / 10
    return min(aim.most_epochs, max(aim.fewest_epochs, wanted))
