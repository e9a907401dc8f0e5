"""Attention on a processor where the model computes in a short number format: in float32, over a cache in float32.

For one new token torch's attention in bfloat16 takes 7 to 9 times as long as in float32 (one row of ten heads after
1,000 tokens: 1.1 ms a layer of one core instead of 0.13; three rows after 100: 0.27 ms instead of 0.04). After 400
tokens a step of a 90M base with an adapter took 24.7 ms before and 21.8 ms so; after 40 the same. The cache takes twice
its memory for that. A prompt's first piece is read as before.
"""

from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

_NAME = "wide_sdpa"
_SHORT = (torch.bfloat16, torch.float16)


def widen(model: Any) -> None:
    """Have a model on a processor attend in float32, if it computes in less and lets its attention be chosen."""
    if model.device.type != "cpu" or model.dtype not in _SHORT or model.config._attn_implementation != "sdpa":
        return
    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, sdpa_mask)
    model.set_attn_implementation(_NAME)


def is_wide(config: Any) -> bool:
    """Whether a model with this configuration attends in float32, and so wants its cache in it."""
    return bool(config.get_text_config(decoder=True)._attn_implementation == _NAME)


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention in the number format of what is kept."""
    if attention_mask is not None and attention_mask.is_floating_point():
        attention_mask = attention_mask.to(key.dtype)
    output, _ = sdpa_attention_forward(module, query.to(key.dtype), key, value, attention_mask, **more)
    return output.to(query.dtype), None
