"""The proof that an adapter acts: what a probe prompt's logits differ from its parent's, batch of one.

It is taken between two steps of the lane, eight tokens at a time, so that streams wait for no more than a step. The
number format is the one in which the adapter will answer: what is too small for it does not act there. Where nothing
differs in a rounded format, float32 tells whether the adapter is empty or was rounded away.
"""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from trainers.engine.lane import Lane

if TYPE_CHECKING:
    import torch

PROBE = "What is the capital of France, and which river runs through it?"
_TOKENS = 8


class Acts(NamedTuple):
    """The largest difference of logits from those of `parent`; None where they are not finite.

    `dtype`: the number format of the difference; `lost_in`: the format in which the adapter answers, where it is
    rounded away in that one.
    """

    max_difference: float | None
    parent: str
    dtype: str
    lost_in: str | None = None

    def warning(self, name: str) -> str | None:
        """What a person should know, in a sentence; None where the adapter does act."""
        if self.max_difference is None:
            return f'The adapter "{name}" computes numbers that are not finite: it cannot answer.'
        if self.max_difference == 0.0:
            return (
                f'The adapter "{name}" changes nothing: on a probe prompt its logits are those of "{self.parent}" '
                f"({self.dtype})."
            )
        if self.lost_in:
            return (
                f'The adapter "{name}" is too weak for {self.lost_in}: on a probe prompt its logits are those of '
                f'"{self.parent}", and differ in {self.dtype} alone.'
            )
        return None


def probe_logits(lane: Lane, adapter: str | None) -> "torch.Tensor":
    """The logits of the probe prompt, as an adapter of the lane answers it, or its base where that is None."""
    base = lane.base
    tokens = base.tokenizer(PROBE, add_special_tokens=False)["input_ids"][:_TOKENS] or [0]
    found: torch.Tensor = lane.call(lambda: _forward(lane, tokens, adapter))
    return found


def difference(mine: "torch.Tensor", parents: "torch.Tensor") -> float | None:
    """The largest distance between logits; None where ours are not finite."""
    largest = float((mine - parents).abs().max())
    return largest if math.isfinite(largest) else None


def _forward(lane: Lane, tokens: list[int], adapter: str | None) -> Any:
    import torch

    adapters, model = lane.adapters, lane.base.model
    inputs = torch.tensor([tokens], device=model.device)
    alone = adapter is not None and not adapters.mixes(adapter)
    with torch.inference_mode(), adapters.alone(str(adapter)) if alone else adapters.rows([adapter]):
        return model(input_ids=inputs, attention_mask=torch.ones_like(inputs), use_cache=False).logits.float().cpu()
