"""Defaults that fit the model and the data: what is advised, and why, before a person changes anything."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

# Weights below which a model behaves as the starter does: it needs step sizes that would ruin a large one.
TINY = 20_000_000
SMALL = 200_000_000

# Fewest optimiser steps in which an adapter learns something worth a vote.
_FEWEST_STEPS: Mapping[tuple[str, str], int] = MappingProxyType({("sft", "tiny"): 120, ("dpo", "tiny"): 40})
_FEWEST_STEPS_OTHERWISE = {"sft": 60, "dpo": 30}
_MOST_EPOCHS = {"sft": 20.0, "dpo": 6.0}
_BATCH_SIZE = 8  # the methods' default

# For the tiny size found by trial on the starter: SFT on 60 rows, DPO on 40 votes, three seeds each.
_BY_SIZE: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType(
    {
        ("sft", "tiny"): MappingProxyType({"learning_rate": 1.5e-3, "max_length": 512}),
        ("sft", "small"): MappingProxyType({"learning_rate": 5e-4}),
        ("sft", "large"): MappingProxyType({}),
        ("dpo", "tiny"): MappingProxyType({"learning_rate": 1.5e-3, "beta": 0.3, "batch_size": 4, "max_length": 512}),
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


def advise(method: str, parameters: int | None, rows: int, batch_size: int | None = None) -> Advice:
    """Options for a method on a model of `parameters` weights and `rows` rows; `batch_size` where one was asked for."""
    size = size_of(parameters)
    options = dict(_BY_SIZE[(method, size)])
    batch = batch_size or options.get("batch_size", _BATCH_SIZE)
    steps_per_epoch = max(1, math.ceil(rows / batch))
    fewest = _FEWEST_STEPS.get((method, size), _FEWEST_STEPS_OTHERWISE[method])
    epochs = min(_MOST_EPOCHS[method], max(3.0, math.ceil(fewest / steps_per_epoch)))
    options["epochs"] = epochs
    weights = "an unknown number of" if parameters is None else f"{parameters / 1e6:.1f} million"
    return Advice(
        options,
        f"The model has {weights} weights ({size}), so the step size peaks at "
        f"{options.get('learning_rate', 'the default')}; {rows} rows are seen {epochs:g} times, "
        f"{int(steps_per_epoch * epochs)} steps in all.",
    )
