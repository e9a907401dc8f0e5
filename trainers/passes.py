"""How the rows of a batch go through the model: in which passes, and whether both answers share one prompt.

A batch as TRL makes it is as wide as its longest row, and a pair goes through it as two rows, each with the whole
prompt. Both cost time and change nothing, so the cheapest of these is planned for every batch, by counting:

* rows of about one length go together, several passes instead of one wide one (on a processor, where a pass more costs
  little; an accelerator takes the wide one);
* a pair goes as one row: prompt, chosen answer, rejected answer, where the rejected one sees the prompt but not the
  chosen one (Wang and Hegde 2024, "Accelerating Direct Preference Optimization with Prefix Sharing",
  arXiv:2410.20305). Such a row has an attention mask of its own, which the kernels cannot leave half of undone.

The results are the same numbers but for rounding: every token sees what it saw before, at the same position.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

_PASS_FLOPS = 4e9
"""What a pass more costs by its many small operations, forth and back, in floating point operations of a processor:
0.02 s at the 2e11 a second that two cores reach."""
_SLOWER = 3.0  # attention against linear layers, for the same number of operations
_MOST_CUTS = 32
_GAIN = 0.95  # of the cost of two rows, below which a pair goes as one

JOINABLE = frozenset(
    {"llama", "mistral", "qwen2", "qwen3", "gemma", "phi3", "olmo2", "smollm3", "granite", "stablelm", "starcoder2"}
)
"""Models whose tokens know their position by a number and see what a mask says, in every layer (a test tries them)."""


class Thrift(NamedTuple):
    """What a model's passes cost. `width`: of its hidden states; `passing`: one pass more, in tokens, or None."""

    width: int
    passing: float | None
    joins: bool


class Pass(NamedTuple):
    """Rows that go through the model together: numbers of pairs where they are `joined`, else of rows."""

    rows: list[int]
    length: int
    joined: bool


class _Plan(NamedTuple):
    cost: float
    passes: list[Pass]


def thrift_of(model: Any, alone: bool) -> Thrift:
    """What a model's passes cost; `alone`: no other process computes a share of the batch."""
    config = model.config.get_text_config()
    parameters = sum(weight.numel() for weight in model.parameters())
    splits = alone and model.device.type == "cpu"
    return Thrift(config.hidden_size, _PASS_FLOPS / (6 * parameters) if splits else None, _joins(model.config))


def _joins(config: Any) -> bool:
    """Whether a mask of our own is what the model's attention goes by, in every layer."""
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    narrow = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    usual = getattr(config, "_attn_implementation", None) == "sdpa"
    return config.model_type in JOINABLE and usual and kinds == {"full_attention"} and not narrow


def plan_passes(lengths: Sequence[int], thrift: Thrift, prompts: Sequence[int] | None = None) -> list[Pass]:
    """The cheapest passes for rows of these lengths.

    `prompts`: tokens of the prompt of each pair, whose chosen answer is in the first half of the rows and whose
    rejected one in the second.
    """
    apart = _plan(list(lengths), thrift, joined=False)
    if prompts is None or not thrift.joins:
        return apart.passes
    pairs = list(zip(lengths, lengths[len(prompts) :], prompts, strict=False))
    if not all(0 < prompt < min(chosen, rejected) for chosen, rejected, prompt in pairs):
        return apart.passes
    joined = _plan([joined_length(*pair) for pair in pairs], thrift, joined=True)
    return joined.passes if joined.cost < _GAIN * apart.cost else apart.passes


def joined_length(chosen: int, rejected: int, prompt: int) -> int:
    """Tokens of a pair as one row: the prompt's last token comes twice, since both answers go on from it."""
    return chosen + rejected - prompt + 1


def _plan(lengths: list[int], thrift: Thrift, joined: bool) -> _Plan:
    """Rows in the order of their lengths, cut where that is cheapest (shortest path over the places to cut)."""
    order = sorted(range(len(lengths)), key=lambda row: lengths[row])
    parts = min(len(order), _MOST_CUTS) if thrift.passing is not None else 1
    cuts = [round(len(order) * part / parts) for part in range(parts + 1)]
    best = [_Plan(0.0, [])]
    for end in cuts[1:]:
        found = [
            _with(before, order[begin:end], lengths[order[end - 1]], thrift, joined)
            for begin, before in zip(cuts, best, strict=False)
        ]
        best.append(min(found, key=lambda plan: plan.cost))
    return best[-1]


def _with(before: _Plan, rows: list[int], length: int, thrift: Thrift, joined: bool) -> _Plan:
    seen = length if joined else length / 2  # a causal kernel leaves out the half that no token sees
    cost = len(rows) * length * (1 + _SLOWER * seen / (6 * thrift.width)) + (thrift.passing or 0.0)
    return _Plan(before.cost + cost, [*before.passes, Pass(rows, length, joined)])
