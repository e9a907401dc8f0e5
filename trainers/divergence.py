"""The trainer that holds a student against its teacher's distribution at every token that is learnt.

The divergence is GKD's generalised Jensen-Shannon (Agarwal et al. 2024, arXiv:2306.13649, equation 1): beta 0 is the
forward Kullback-Leibler divergence, 1 the reverse one.
"""

import math
from typing import TYPE_CHECKING, Any

from trl import SFTTrainer

from trainers.data import IGNORED

if TYPE_CHECKING:
    from torch import Tensor


def divergence(student: "Tensor", teacher: "Tensor", beta: float, softness: float = 1.0) -> "Tensor":
    """The divergence at every position, in nats; both are logits of shape (positions, words).

    Times the square of the softness, which keeps gradients of one size (Hinton et al. 2015, section 2).
    """
    import torch

    ours = (student.float() / softness).log_softmax(-1)
    theirs = (teacher.float() / softness).log_softmax(-1)
    if beta == 0.0:
        found = _kl(theirs, ours)
    elif beta == 1.0:
        found = _kl(ours, theirs)
    else:
        mixed = torch.logsumexp(torch.stack([ours + math.log(1 - beta), theirs + math.log(beta)]), 0)
        found = beta * _kl(theirs, mixed) + (1 - beta) * _kl(ours, mixed)
    return found * softness**2


def _kl(one: "Tensor", other: "Tensor") -> "Tensor":
    return (one.exp() * (one - other)).sum(-1)


class LogitsTrainer(SFTTrainer):
    """Learns the teacher's distribution over the next token, at the labelled tokens of every row."""

    def __init__(self, *given: Any, teacher: Any, beta: float, softness: float, **more: Any) -> None:
        super().__init__(*given, **more)
        self._teacher = teacher
        self._beta = beta
        self._softness = softness

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean divergence of the labelled tokens."""
        import torch

        learnt = inputs["labels"][:, 1:] != IGNORED
        read = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "use_cache": False}
        outputs = model(**read)
        with torch.no_grad():
            theirs = self._teacher(**read).logits[:, :-1][learnt]
        each = divergence(outputs.logits[:, :-1][learnt], theirs, self._beta, self._softness)
        tokens = learnt.sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
        loss = each.sum() / tokens.clamp(min=1)
        return (loss, outputs) if return_outputs else loss
