"""What a pair may say beyond better and worse, and the DPO loss that listens: margins, weights, ties.

TRL's losses know none of the three, so a run whose rows carry them computes the sigmoid loss here; all other runs are
TRL's own. With d = beta * (log-ratio of chosen - log-ratio of rejected):

* margin m: -log s(d - m), the offset of Amini et al. 2024 (arXiv:2402.10571), as Llama 2 does in its reward model;
* weight w: the pair's loss times w, where the mean weight of a run is 1, so that the step size keeps its meaning;
* tie: -log s(d - a) - log s(-d - a), Rao and Kupper's model with a = ln 3, where a win then is -log s(d - a - m)
  (Chen et al. 2024, arXiv:2409.17431, who measured that ties fed to the plain loss as pairs do harm).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from trl.trainer.dpo_trainer import DataCollatorForPreference

from trainers.rows import NUMBER

TIE_WIDTH = math.log(3.0)
"""Rao and Kupper's threshold: between equal answers half of all votes are ties."""

TOLD = ("margin", "weight", "tie")
PROMPT_TOKENS = "prompt_tokens"
MASKS = ("chosen_learnt", "rejected_learnt")
"""For conversations: which tokens of an answer's turns the assistant said, 1, and which the user said, 0."""


class PairCollator(DataCollatorForPreference):
    """TRL's collator, which also hands on what a pair says and which row it is, and how long its prompt is.

    What the user said within the answers of a conversation is left out of the loss.
    """

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch: all chosen answers, then all rejected ones."""
        import torch

        batch: dict[str, Any] = super().torch_call(examples)
        batch[PROMPT_TOKENS] = torch.tensor([len(example["prompt_ids"]) for example in examples])
        for name in TOLD:
            if name in examples[0]:
                batch[name] = torch.tensor([float(example[name]) for example in examples])
        if NUMBER in examples[0]:
            batch[NUMBER] = torch.tensor([example[NUMBER] for example in examples])
        if MASKS[0] in examples[0]:
            masks = [[0] * len(example["prompt_ids"]) + example[name] for name in MASKS for example in examples]
            batch["completion_mask"] = _narrowed(batch["completion_mask"], masks)
        return batch


def _narrowed(mask: Any, learnt: Sequence[Sequence[int]]) -> Any:
    """A mask without the tokens that are not to be learnt; longer rows were cut at their end."""
    import torch

    width = mask.shape[1]
    rows = [list(row[:width]) + [0] * (width - len(row)) for row in learnt]
    return mask * torch.tensor(rows, dtype=mask.dtype)


SURE = 1e-3
"""Share of wrong votes that `exo_pair` assumes at least: with none its target has no logarithm."""


class FirstLoss(NamedTuple):
    """What a loss is where policy and reference are equal, and how fast it changes with a log-ratio."""

    value: float
    slope: float


def first_loss(loss_type: str, beta: float, smoothing: float) -> FirstLoss:
    """The first loss of a run, before any step; `smoothing`: the share of votes believed to be wrong."""
    half = math.log(2)
    known = {
        "hinge": 1.0,
        "ipo": 1 / (2 * beta) ** 2,
        "sppo_hard": 2 / (2 * beta) ** 2,
        "nca_pair": 2 * half,
        "bco_pair": 2 * half,
        "apo_zero": 1.0,
        "apo_down": 1.0,
        "discopop": (half + 1) / 2,
    }
    if loss_type == "exo_pair":
        return FirstLoss(-half - (math.log(1 - smoothing) + math.log(smoothing)) / 2, beta * -math.log(smoothing))
    return FirstLoss(known.get(loss_type, half), 2 / beta if loss_type in ("ipo", "sppo_hard") else beta)


def pair_losses(delta: Any, margin: Any, tie: Any, ties: bool) -> Any:
    """The loss of each pair. `delta`: beta times the difference of log-ratios; `ties`: whether the run holds any."""
    from torch.nn.functional import logsigmoid

    width = TIE_WIDTH if ties else 0.0
    win = -logsigmoid(delta - width - margin)
    draw = -logsigmoid(delta - width) - logsigmoid(-delta - width)
    return win * (1 - tie) + draw * tie
