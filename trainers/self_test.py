"""Does what was written answer as the tested model does? Five prompts, greedy, compared token by token."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

_ANSWER_TOKENS = 32


class SelfTest(NamedTuple):
    """How the written model answered beside the tested one. `agreement`: share of tokens that are alike.

    None where it could not be asked; `tensors`: how many of a GGUF file were compared with the model's.
    """

    prompts: int
    same_answers: int
    tokens: int
    agreement: float | None
    tensors: int | None = None


class Expected(NamedTuple):
    """Prompts with the tested model's answers as token ids; the answers begin at `start`."""

    prompts: list[str]
    ids: Any
    mask: Any
    start: int
    said: Any
    """Which places of the answers are theirs; the others are padding behind their ends."""

    answers: list[str]

    @property
    def most_tokens(self) -> int:
        """How long an answer may be."""
        return _ANSWER_TOKENS


def tested(base: str, adapter: str | None, tokenizer: Any) -> Expected:
    """What the tested model answers: the adapter beside its base, not merged, as the engine answers."""
    from peft import PeftModel

    from trainers.asking import encoded
    from trainers.canaries import BUILT_IN
    from trainers.whole import load_exactly

    model = load_exactly(Path(base))
    if adapter:
        model = PeftModel.from_pretrained(model, adapter, torch_device="cpu")
    prompts = list(BUILT_IN[:5])
    inputs = encoded(tokenizer, [[{"role": "user", "content": text}] for text in prompts])
    ids = _generate(model.eval(), inputs, tokenizer)
    start = inputs["input_ids"].shape[1]
    said = _said(ids[:, start:], model.generation_config.eos_token_id)
    return Expected(prompts, ids, inputs["attention_mask"], start, said, _texts(ids, start, tokenizer))


def compared(model: Any, tokenizer: Any, expected: Expected) -> SelfTest:
    """The written model reads the tested one's answers and says at each place what it would say itself."""
    import torch

    ids, start = expected.ids, expected.start
    answers = ids[:, start:]
    mask = torch.cat([expected.mask, torch.ones_like(answers)], dim=1)
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    guesses = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits[
        :, start - 1 : -1
    ]
    alike = ((guesses.argmax(dim=-1) == answers) & expected.said).sum()
    inputs = {"input_ids": ids[:, :start], "attention_mask": expected.mask}
    own = _texts(_generate(model, inputs, tokenizer), start, tokenizer)
    tokens = int(expected.said.sum())
    return SelfTest(len(own), _same(own, expected), tokens, round(int(alike) / tokens, 4))


def compared_texts(own: Sequence[str] | None, tokenizer: Any, expected: Expected) -> SelfTest:
    """Answers that come as text, from another program: alike as far as both say the same from the beginning."""
    if own is None:
        return SelfTest(0, 0, 0, None)
    alike = tokens = 0
    for one, other in zip(own, expected.answers, strict=True):
        mine, wanted = (tokenizer(text.strip())["input_ids"] for text in (one, other))
        tokens += len(wanted)
        for left, right in zip(mine, wanted, strict=False):
            if left != right:
                break
            alike += 1
    return SelfTest(len(own), _same(own, expected), tokens, round(alike / tokens, 4) if tokens else 1.0)


def _same(own: Sequence[str], expected: Expected) -> int:
    return sum(one.strip() == other.strip() for one, other in zip(own, expected.answers, strict=True))


def _said(answers: Any, ends: int | list[int] | None) -> Any:
    """Which places of the answers are theirs: those up to the first token that ended them.

    Not told by the padding: where a tokenizer has none, answers are padded with a token that may end them.
    """
    import torch

    known = torch.tensor([ends] if isinstance(ends, int) else ends or [], dtype=answers.dtype)
    ended = torch.isin(answers, known).long()
    return ended.cumsum(dim=1) == ended


def _generate(model: Any, inputs: Any, tokenizer: Any) -> Any:
    from trainers.asking import padding_of

    padding = padding_of(tokenizer)
    return model.generate(
        **inputs, max_new_tokens=_ANSWER_TOKENS, do_sample=False, use_cache=True, pad_token_id=padding
    )


def _texts(ids: Any, start: int, tokenizer: Any) -> list[str]:
    texts: list[str] = tokenizer.batch_decode(ids[:, start:], skip_special_tokens=True)
    return texts
