"""Rows of any shape as questions with the answer that was wanted, and how likely a model finds that answer."""

import json
import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from trainers.asking import Messages

_PIECE = 256  # positions whose logits are turned into probabilities at once
_ANSWERS = ("chosen", "completion", "answer", "reference")


class Reference(NamedTuple):
    """A question and its wanted answer; `prompt` is empty for plain text."""

    id: str
    prompt: Messages
    answer: Messages

    @property
    def text(self) -> str:
        """What the answer says."""
        return str(self.answer[-1].get("content") or "")


class Likelihood(NamedTuple):
    """The sum of an answer's negative log-likelihood in nats, and its tokens."""

    loss: float
    tokens: int


def references(rows: Iterable[dict[str, Any]]) -> list[Reference]:
    """The rows that say what is wanted; a bad thumb, a question without an answer do not."""
    return [found for row in rows if (found := _reference(row)) is not None]


def pairs(rows: Iterable[dict[str, Any]]) -> list[tuple[Reference, Reference]]:
    """The better and the worse answer of rows that hold both; ties say neither."""
    told = [row for row in rows if row.get("chosen") is not None and row.get("rejected") is not None]
    return [
        (better, worse)
        for row in told
        if not row.get("tie")
        and (better := _reference(row)) is not None
        and (worse := _reference({**row, "chosen": row["rejected"]})) is not None
    ]


def _reference(row: dict[str, Any]) -> Reference | None:
    name = str(row.get("id"))
    if row.get("text") is not None:
        return Reference(name, [], [{"role": "text", "content": str(row["text"])}])
    if row.get("messages") is not None:
        messages = _messages(row["messages"], "user")
        answers = [at for at, message in enumerate(messages) if message.get("role") == "assistant"]
        if not answers or not answers[-1]:
            return None
        return Reference(name, messages[: answers[-1]], messages[answers[-1] : answers[-1] + 1])
    answer = next((row[key] for key in _ANSWERS if row.get(key) is not None), None)
    if row.get("prompt") is None or answer is None or row.get("label") in (False, 0):
        return None
    return Reference(name, _messages(row["prompt"], "user"), _messages(answer, "assistant"))


def _messages(value: Any, role: str) -> Messages:
    """Messages from messages, from their JSON, or from a text."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError):  # a text that begins with a bracket
            value = json.loads(value)
    return value if isinstance(value, list) else [{"role": role, "content": str(value)}]


def likelihoods(model: Any, tokenizer: Any, wanted: Sequence[Reference], max_length: int) -> list[Likelihood]:
    """How likely the model finds each answer; the model is left as it was found."""
    import torch

    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return [_likelihood(model, *_encoded(tokenizer, one, max_length)) for one in wanted]
    finally:
        model.train(training)


def mean_loss(found: Sequence[Likelihood]) -> float | None:
    """Negative log-likelihood per token, in nats; None where there is no token."""
    tokens = sum(one.tokens for one in found)
    loss = sum(one.loss for one in found) / tokens if tokens else math.nan
    return round(loss, 5) if math.isfinite(loss) else None


def _encoded(tokenizer: Any, wanted: Reference, max_length: int) -> tuple[list[int], int]:
    """Token ids of question and answer, and where the answer begins."""
    if not wanted.prompt:
        ids: list[int] = tokenizer(wanted.text)["input_ids"][:max_length]
        return ids, 1
    from trainers.data import Conversation, encode_completion

    row = Conversation(wanted.id, wanted.prompt + wanted.answer, None)
    ids, labels = encode_completion(tokenizer, row, wanted.prompt)
    start = next((at for at, label in enumerate(labels) if label >= 0), len(ids))
    return ids[:max_length], start


def _likelihood(model: Any, ids: list[int], start: int) -> Likelihood:
    """One row alone: no padding, and the logits of the answer only."""
    import torch
    from torch.nn.functional import cross_entropy

    wanted = ids[max(1, start) :]
    if not wanted:
        return Likelihood(0.0, 0)
    inputs = torch.tensor([ids], device=model.device)
    logits = model(input_ids=inputs, use_cache=False, logits_to_keep=len(wanted) + 1).logits[0, -len(wanted) - 1 : -1]
    targets = inputs[0, -len(wanted) :]
    loss = 0.0
    for at in range(0, len(wanted), _PIECE):
        loss += float(cross_entropy(logits[at : at + _PIECE].float(), targets[at : at + _PIECE], reduction="sum"))
    return Likelihood(loss, len(wanted))
