"""The last layer of a language model, scoring only what is learnt, several times as fast on a processor.

TRL puts a fused head on a model that it trains: it gives the log-probability of each label without keeping the logits.
Off CUDA it scores every position, learnt or not, in tiles that it computes again on the way back; half of a step of a
90M model went there. Here only learnt positions are scored, and their gradient is found on the way forward, while the
logits are at hand: the log-probability of a label depends on the hidden state of its own position alone, so whatever
a loss makes of it later, the gradient is one number per position times

    d log p(y) / d h  =  W[y] - sum over v of p(v) W[v]

Tiles are small enough that their logits stay in the processor's cache. Measured on two cores (1,024 positions, 640
wide, 32,768 words, bfloat16): 0.37 s, where torch's own linear layer and cross-entropy took 0.59 s, TRL's head 2.9 s.
"""

import functools
import types
from typing import Any

import torch
from trl.trainer.utils import FusedCausalLMOutput

TILE = 64
"""Positions at once: with 32,768 words their logits are 8 MB in float32."""
_MOST_LOGITS = 1 << 27
"""Where the head itself is trained its logits are kept: at most so many, 0.5 GB in float32; else TRL's head serves."""

_SCALES = ("final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling")


def score_quickly(model: Any) -> bool:
    """Replace the fused head that TRL put on a model, where this one computes the same; returns whether it did.

    TRL's stays on CUDA, whose kernels are quick, and for models that change their logits after the head.
    """
    config = model.config.get_text_config()
    scaled = any(getattr(config, name, None) not in (None, 0.0, 1.0) for name in _SCALES)
    routed = getattr(config, "output_router_logits", False)
    if (
        model.device.type == "cuda"
        or scaled
        or routed
        or not isinstance(model.get_output_embeddings(), torch.nn.Linear)
    ):
        return False
    theirs = model.forward

    @functools.wraps(type(model).forward)
    def forward(self: Any, *args: Any, fused_lm_head: bool = False, **given: Any) -> Any:
        head = self.get_output_embeddings()
        if not fused_lm_head or given.get("shift_labels") is not None or not _kept(head, given["labels"]):
            return theirs(*args, fused_lm_head=fused_lm_head, **given)
        labels, count = given.pop("labels")[:, 1:], given.pop("num_items_in_batch", None)
        hidden = self.base_model(*args, **{**given, "use_cache": False}).last_hidden_state[:, :-1]
        return _scored(hidden, head, labels, count)

    model.forward = types.MethodType(forward, model)
    return True


def _kept(head: Any, labels: Any) -> bool:
    """Whether the logits need not be kept, or are few enough."""
    return not head.weight.requires_grad or int((labels != -100).sum()) * head.weight.shape[0] <= _MOST_LOGITS


def _scored(hidden: Any, head: Any, labels: Any, count: Any) -> FusedCausalLMOutput:
    """What TRL's head returns: zero at positions that are not learnt."""
    mask = labels != -100
    score = _with_head if head.weight.requires_grad else _without_head
    found = score(hidden[mask], head, labels[mask])
    # Scattering keeps the output connected to the model where no position is learnt.
    log_probs, entropy, top, mean = (one.new_zeros(mask.shape).masked_scatter(mask, one) for one in found)
    loss = -log_probs.sum() / (mask.sum().clamp(min=1) if count is None else count)
    return FusedCausalLMOutput(
        loss=loss, log_probs=log_probs, entropy=entropy, mean_logits=mean, is_top1=top, label_mask=mask
    )


def _without_head(hidden: Any, head: Any, labels: Any) -> tuple[Any, ...]:
    """Log-probability, entropy, whether the label is the likeliest, and the mean logit; the head is frozen."""
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else head.weight.dtype
    scored: tuple[Any, ...] = _Scores.apply(hidden, head.weight.to(dtype), head.bias, labels)  # type: ignore[no-untyped-call]
    return scored


def _with_head(hidden: Any, head: Any, labels: Any) -> tuple[Any, ...]:
    """The same by autograd, where the head is trained as well."""
    logits = head(hidden).float()
    logs = torch.log_softmax(logits, -1)
    log_probs = logs.gather(1, labels[:, None]).squeeze(1)
    with torch.no_grad():
        entropy = -torch.linalg.vecdot(logs.exp(), logs)
        top = log_probs >= logs.amax(-1)
        mean = logits.mean(-1)
    return log_probs, entropy, top, mean


class _Scores(torch.autograd.Function):
    """Scores of labels under a frozen head, tile by tile, with the gradient of the hidden states found at once."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, bias: Any, labels: Any) -> tuple[Any, ...]:
        shift = bias if bias is None else bias.to(weight)
        parts: list[list[Any]] = [[], [], [], [], []]
        for states, wanted in zip(hidden.split(TILE), labels.split(TILE), strict=True):
            logits = torch.nn.functional.linear(states.to(weight.dtype), weight, shift)
            logs = torch.log_softmax(logits, -1, dtype=torch.float32)
            log_probs = logs.gather(1, wanted[:, None]).squeeze(1)
            top = log_probs >= logs.amax(-1)
            likely = logs.exp()
            entropy = -torch.linalg.vecdot(likely, logs)
            # What all logits of a position share, log of the sum of their exponentials, is the same at any word.
            mean = logs.mean(-1) + logits[:, 0].float() - logs[:, 0]
            for part, one in zip(parts, (log_probs, entropy, top, mean), strict=False):
                part.append(one)
            if ctx.needs_input_grad[0]:
                parts[4].append(weight[wanted].float() - (likely.to(weight.dtype) @ weight).float())
        log_probs, entropy, top, mean, slopes = (torch.cat(part) if part else hidden.new_zeros(0) for part in parts)
        ctx.save_for_backward(slopes)
        ctx.dtype = hidden.dtype
        ctx.mark_non_differentiable(entropy, top, mean)
        return log_probs, entropy, top, mean

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, None, None, None]:
        (slopes,) = ctx.saved_tensors
        return (gradients[0][:, None] * slopes).to(ctx.dtype), None, None, None
