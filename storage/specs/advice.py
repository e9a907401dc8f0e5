"""Defaults that fit the model and the data: what is advised, and why, before a person changes anything."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from storage.specs.method import Aim
from storage.specs.registry import method_named

# Weights below which a model behaves as the starter does: it needs step sizes that would ruin a large one.
TINY = 20_000_000
SMALL = 200_000_000

_BATCH_SIZE = 8  # the methods' default
# What of an adapter's step size other tunings want: all weights move further together than an adapter's, and IA3's few
# numbers, which begin at 1, hardly at all.
_STEPS = {"full": 0.1, "ia3": 10.0}
_STEPS_TINY = {"full": 0.3, "ia3": 100.0}  # by trial on the starter: all, and 7 of 10, of its new facts were learnt
_LARGEST_BATCH = 1024  # the methods' limit


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
    method: str,
    parameters: int | None,
    rows: int,
    batch_size: int | None = None,
    continued: bool = False,
    compared: bool = False,
    tuning: str = "lora",
) -> Advice:
    """Options for a method on a model of `parameters` weights and `rows` rows.

    `batch_size` where one was asked for; `continued` where an adapter is trained on, `compared` where that learnt
    from comparisons itself; `tuning`: which weights are trained.
    """
    size = size_of(parameters)
    known = method_named(method)
    options = dict(known.advised.get(size, {}))
    if continued and known.compares and size == "tiny":
        # A trained adapter moves faster than a fresh one: the full step cost the starter 20 points of correctness. One
        # that has learnt the same taste before moves faster still: after three rounds of DPO 83 % of the answers were
        # right with half the step and 92 % with a third; on an adapter made by SFT a third teaches too little.
        options["learning_rate"] = float(f"{options['learning_rate'] / (3 if compared else 1.4):.2g}")
    factor = (_STEPS_TINY if size == "tiny" else _STEPS).get(tuning)
    if factor is not None:
        usual = options.get("learning_rate", getattr(known.options, "learning_rate", 2e-4))
        options["learning_rate"] = min(0.1, float(f"{usual * factor:.3g}"))
    aim = known.aim(size)
    batch = batch_size or options.get("batch_size", _BATCH_SIZE)
    tried = rows * int(options.get("answers", getattr(known.options, "answers", 1)))
    epochs = _epochs(aim, math.ceil(tried / batch))
    if aim.most_steps and not batch_size and rows * epochs > aim.most_steps * batch:
        batch = options["batch_size"] = _whole_groups(math.ceil(rows * epochs / aim.most_steps), options)
    options["epochs"] = epochs
    weights = "an unknown number of" if parameters is None else f"{parameters / 1e6:.1f} million"
    return Advice(
        options,
        f"The model has {weights} weights ({size}), so the step size peaks at "
        f"{options.get('learning_rate', 'the default')}; {rows} rows are seen {epochs:g} times, "
        f"{math.ceil(math.ceil(tried / batch) * epochs)} steps in all.",
    )


def _whole_groups(batch: int, options: Mapping[str, Any]) -> int:
    """The batch size within its limit; where a prompt gets several answers, their groups stay whole."""
    group = int(options.get("answers", 1))
    return min(_LARGEST_BATCH // group, math.ceil(batch / group)) * group


def _epochs(aim: Aim, steps_per_epoch: int) -> float:
    """Epochs that make the fewest steps, to a tenth, within the aim's limits."""
    wanted = math.ceil(10 * aim.fewest_steps / max(1, steps_per_epoch)) / 10
    return min(aim.most_epochs, max(aim.fewest_epochs, wanted))
