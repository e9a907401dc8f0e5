"""A model in memory is asked: prompts in, greedy answers out, a few at once."""

from collections.abc import Sequence
from typing import Any

Messages = list[dict[str, Any]]

LONGEST_PROMPT = 512  # tokens; longer ones lose their beginning
_AT_ONCE = 16


def ask(model: Any, tokenizer: Any, prompts: Sequence[Messages], most_tokens: int) -> list[str]:
    """The greedy answer to each prompt, at most so many tokens; the model is left as it was found."""
    import torch

    training = model.training
    model.eval()
    said: list[str] = []
    try:
        with torch.no_grad():
            for start in range(0, len(prompts), _AT_ONCE):
                inputs = encoded(tokenizer, prompts[start : start + _AT_ONCE]).to(model.device)
                made = model.generate(
                    **inputs,
                    max_new_tokens=most_tokens,
                    do_sample=False,
                    use_cache=True,
                    pad_token_id=padding_of(tokenizer),
                )
                width = inputs["input_ids"].shape[1]
                said += tokenizer.batch_decode(made[:, width:], skip_special_tokens=True)
    finally:
        model.train(training)
    return said


def encoded(tokenizer: Any, prompts: Sequence[Messages]) -> Any:
    """Prompts as one left-padded batch, as generation wants it; the tokenizer is left as it was found.

    Cut and padded here, because a tokenizer refuses to pad without a token for it, which Llama 3 has not, and because
    it would keep both settings: an exported tokenizer.json would cut every text at 512 tokens.
    """
    import torch
    from transformers import BatchEncoding

    found = tokenizer.apply_chat_template(list(prompts), add_generation_prompt=True, tokenize=True, return_dict=True)
    rows = [ids[-LONGEST_PROMPT:] for ids in found["input_ids"]]
    width, padding = max(len(ids) for ids in rows), padding_of(tokenizer)
    return BatchEncoding(
        {
            "input_ids": torch.tensor([[padding] * (width - len(ids)) + ids for ids in rows]),
            "attention_mask": torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in rows]),
        }
    )


def padding_of(tokenizer: Any) -> int:
    """The token to pad with: its own, else the one that ends answers, else any: the mask hides it."""
    for token in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    return 0
