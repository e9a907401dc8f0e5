"""A model as TRL's losses call it, which takes a batch in the cheapest passes (`trainers.passes`) and tells no tale.

TRL asks for the log-probability of every label of a batch that is filled up to its longest row. The answer has the
shape that it expects; only what goes through the model is less.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from trl.trainer.utils import FusedCausalLMOutput

from trainers.passes import Pass, Thrift, joined_length, plan_passes

_FIELDS = ("log_probs", "entropy", "mean_logits", "is_top1")


class Batch(NamedTuple):
    """A batch filled up on the right. `lengths`: tokens of each row."""

    ids: Any
    labels: Any
    lengths: list[int]


class _Taken(NamedTuple):
    """What a pass is given, and for each row that it answers: its place there, its place in the batch, how much."""

    given: dict[str, Any]
    spans: list["_Span"]


class _Span(NamedTuple):
    row: int
    start: int
    source: int
    tokens: int


class FrugalModel:
    """Called like the model. `prompts`: tokens of the prompt of each pair, where rows are pairs."""

    def __init__(self, model: Any, thrift: Thrift, prompts: Sequence[int] | None = None) -> None:
        self._model = model
        self._thrift = thrift
        self._prompts = prompts

    def __call__(self, *, input_ids: Any, attention_mask: Any, labels: Any, **more: Any) -> FusedCausalLMOutput:
        """Scores of all labels, zero where there is none."""
        batch = Batch(input_ids, labels, attention_mask.sum(1).tolist())
        passes = plan_passes(batch.lengths, self._thrift, self._prompts)
        if len(passes) == 1 and not passes[0].joined:
            return self._model(input_ids=input_ids, attention_mask=attention_mask, labels=labels, **more)
        taken = [self._take(batch, one, attention_mask) for one in passes]
        outputs = [self._model(**one.given, **more) for one in taken]
        return _gathered(outputs, [one.spans for one in taken], labels[:, 1:] != -100)

    def _take(self, batch: Batch, one: Pass, attention_mask: Any) -> _Taken:
        if one.joined:
            return _joined(batch, one, self._prompts or ())
        given = {
            "input_ids": batch.ids[one.rows, : one.length],
            "attention_mask": attention_mask[one.rows, : one.length],
            "labels": batch.labels[one.rows, : one.length],
        }
        width = one.length - 1
        return _Taken(given, [_Span(row, 0, at * width, width) for at, row in enumerate(one.rows)])


def _joined(batch: Batch, one: Pass, prompts: Sequence[int]) -> _Taken:
    """Pairs as one row each: prompt, chosen answer, the prompt's last token again, rejected answer."""
    size = (len(one.rows), one.length)
    ids = batch.ids.new_zeros(size)
    labels = batch.labels.new_full(size, -100)
    positions = torch.zeros_like(ids)
    parts = torch.full_like(ids, 3)  # 0: prompt, seen by all behind it; 1, 2: an answer, seen by itself; 3: filler
    spans = []
    for at, pair in enumerate(one.rows):
        other = pair + len(prompts)
        prompt, middle, end = prompts[pair], batch.lengths[pair], batch.lengths[other]
        whole = joined_length(middle, end, prompt)
        ids[at, :middle], ids[at, middle:whole] = batch.ids[pair, :middle], batch.ids[other, prompt - 1 : end]
        labels[at, :middle], labels[at, middle + 1 : whole] = (
            batch.labels[pair, :middle],
            batch.labels[other, prompt:end],
        )
        positions[at, :middle] = torch.arange(middle, device=ids.device)
        positions[at, middle:whole] = torch.arange(prompt - 1, end, device=ids.device)
        parts[at, : prompt - 1], parts[at, prompt - 1 : middle], parts[at, middle:whole] = 0, 1, 2
        begin = at * (one.length - 1)
        spans.append(_Span(pair, 0, begin, middle - 1))
        spans.append(_Span(other, prompt - 1, begin + middle, end - prompt))
    given = {"input_ids": ids, "labels": labels, "position_ids": positions, "attention_mask": _mask(parts)}
    return _Taken(given, spans)


def _mask(parts: Any) -> Any:
    """Who sees whom: nobody what comes later, and of what came before the prompt and the own answer."""
    length = parts.shape[1]
    before = torch.ones(length, length, dtype=torch.bool, device=parts.device).tril()
    seen = (parts[:, None, :] == 0) | (parts[:, None, :] == parts[:, :, None])
    return (seen & before)[:, None]


def _gathered(outputs: Sequence[Any], spans: Sequence[Sequence[_Span]], mask: Any) -> FusedCausalLMOutput:
    """The scores of all passes at their places in the batch."""
    places = torch.zeros(mask.shape, dtype=torch.long)
    begin = 0
    for output, own in zip(outputs, spans, strict=True):
        for span in own:
            start = begin + span.source
            places[span.row, span.start : span.start + span.tokens] = torch.arange(start, start + span.tokens)
        begin += output.log_probs.numel()
    places = places.to(mask.device)
    found = {}
    for name in _FIELDS:
        scores = torch.cat([getattr(output, name).flatten() for output in outputs])[places]
        found[name] = scores.masked_fill(~mask, 0)
    loss = -found["log_probs"].sum() / mask.sum().clamp(min=1)
    return FusedCausalLMOutput(loss=loss, label_mask=mask, **found)
