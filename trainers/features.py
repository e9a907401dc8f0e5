"""A frozen model as a reader: texts in, one vector each out; nothing of it is trained.

It may be a model that answers, an adapter on one (merged in memory), or an encoder.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.specs.run import RunSpec
from trainers.models import check_adapter, load_base, merged

if TYPE_CHECKING:
    from torch import Tensor

_TOKENS_AT_ONCE = 8192


class Reader(NamedTuple):
    """A model without a head, with its tokenizer. `reason`: where and how it computes, for people."""

    model: Any
    tokenizer: Any
    reason: str


def load_reader(spec: RunSpec) -> Reader:
    """The spec's base, with its adapter merged, for reading; raises BadInput or Refused as training does."""
    previous = Path(spec.adapter_path) if spec.adapter_path else None
    if previous:
        check_adapter(previous, reference=False)
    # Two labels stand for any number: the head that they would need is left aside.
    loaded = load_base(replace(spec, options={}), exact=previous is not None, labels=2)
    model = merged(loaded.model, previous) if previous else loaded.model
    backbone = model.base_model.to(loaded.placement.device).eval().requires_grad_(False)
    return Reader(backbone, loaded.tokenizer, loaded.placement.reason.replace("Training on", "Reading on"))


def read(
    reader: Reader,
    texts: Sequence[str],
    max_length: int,
    pooling: str,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> "Tensor":
    """One vector for each text, in float32; texts of like length are read together. `tell`: how many are done."""
    import torch

    ids = [reader.tokenizer(text, truncation=True, max_length=max_length)["input_ids"] for text in texts]
    order = sorted(range(len(ids)), key=lambda at: (len(ids[at]), at))
    found: list[Tensor | None] = [None] * len(ids)
    done = 0
    while done < len(order):
        longest = len(ids[order[min(done + 256, len(order)) - 1]])
        batch = order[done : done + max(1, min(256, _TOKENS_AT_ONCE // max(1, longest)))]
        tell(done, len(order))
        with torch.no_grad():
            for at, vector in zip(batch, _vectors(reader, [ids[at] for at in batch], pooling), strict=True):
                found[at] = vector
        done += len(batch)
    return torch.stack([vector for vector in found if vector is not None])


def _vectors(reader: Reader, rows: Sequence[Sequence[int]], pooling: str) -> "Tensor":
    """The pooled states of a batch, padded on the right."""
    import torch

    width = max(1, max(len(row) for row in rows))
    padding = reader.tokenizer.pad_token_id or 0
    ids = torch.tensor([[*row, *[padding] * (width - len(row))] for row in rows], device=reader.model.device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=reader.model.device)
    states: Tensor = reader.model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    ends = mask.sum(1).clamp(min=1)
    if pooling == "first":
        states = states[:, 0]
    elif pooling == "last":
        states = states[torch.arange(len(rows), device=ids.device), ends - 1]
    else:
        states = (states * mask[:, :, None]).sum(1) / ends[:, None]
    return states.cpu()
