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
                    pad_token_id=tokenizer.pad_token_id,
                )
                width = inputs["input_ids"].shape[1]
                said += tokenizer.batch_decode(made[:, width:], skip_special_tokens=True)
    finally:
        model.train(training)
    return said


def encoded(tokenizer: Any, prompts: Sequence[Messages]) -> Any:
    """Prompts as one left-padded batch, as generation wants it."""
    side, cut = tokenizer.padding_side, tokenizer.truncation_side
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    try:
        return tokenizer.apply_chat_template(
            list(prompts),
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=LONGEST_PROMPT,
        )
    finally:
        tokenizer.padding_side, tokenizer.truncation_side = side, cut
