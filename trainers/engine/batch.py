"""Rows that take each step together: one KV cache, padded on the left, that rows join and leave.

A row joins with the cache of its own prefill; the shorter side is padded with zeros that the attention mask
hides, and each row keeps its own positions. When a row leaves, padding that no row needs any more goes too.
All layers keep all their keys (a cache made without a config), because a sliding window's own layer throws keys
away by count and would throw a short row's real ones after a long row's: the mask, not the cache, makes the window.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from trainers.engine.pace import level_of
from trainers.engine.row import Row

if TYPE_CHECKING:
    import torch

Forward = Callable[..., Any]

# Layers whose cache is keys and values by position; anything else (state spaces, convolutions) cannot be padded.
_PADDABLE = frozenset({"full_attention", "sliding_attention", "chunked_attention"})


def paddable(config: Any) -> bool:
    """Whether rows of different length can share a cache of this architecture."""
    from transformers.cache_utils import get_layer_types_and_kwargs

    layer_types, _ = get_layer_types_and_kwargs(config.get_text_config(decoder=True))
    return set(layer_types) <= _PADDABLE


def new_cache(config: Any) -> Any:
    """An empty cache: plain keys and values where rows may share it, what the architecture needs otherwise."""
    from transformers import DynamicCache

    from trainers.engine.attention import is_wide
    from trainers.engine.growing import GrowingLayer, WideLayer

    if not paddable(config):
        return DynamicCache(config=config)
    cache = DynamicCache()
    cache.layer_class_to_replicate = WideLayer if is_wide(config) else GrowingLayer
    return cache


class Kind(NamedTuple):
    """Which rows may share a batch: those of one level; `adapter` is one that cannot be mixed with others.

    `row`: the only row where it must be alone, because it is asked exactly or its cache cannot be padded.
    """

    level: int
    adapter: str | None
    row: int | None

    @classmethod
    def of(cls, row: Row, mixable: bool, paddable: bool) -> "Kind":
        """The kind of batch that a row belongs to."""
        alone = row.exact or not paddable
        return cls(level_of(row.priority), None if mixable else row.adapter, id(row) if alone else None)


class Batch:
    """Rows of one forward pass."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.rows: list[Row] = []
        self._cache: Any = None

    @property
    def width(self) -> int:
        """Columns of the cache: the length of the longest row."""
        return max((row.length for row in self.rows), default=0)

    def join(self, row: Row, cache: Any) -> None:
        """Let a row in whose prefill has filled `cache` with `row.length` tokens."""
        if not self.rows:
            self._cache = cache
        else:
            width = max(self.width, row.length)
            for mine, its in zip(self._cache.layers, cache.layers, strict=True):
                mine.replace(_stack(mine.keys, its.keys, width), _stack(mine.values, its.values, width))
        self.rows = [*self.rows, row]

    def leave(self) -> None:
        """Drop the rows that are over or cancelled."""
        for row in self.rows:
            if row.cancelled:
                row.finish("cancelled")
        self._keep([index for index, row in enumerate(self.rows) if not row.over])

    def park(self, row: Row) -> None:
        """Drop a row that will come back: what it has said stays with it, its part of the cache goes."""
        self._keep([index for index, other in enumerate(self.rows) if other is not row])

    def _keep(self, stay: Sequence[int]) -> None:
        if len(stay) == len(self.rows):
            return
        width = self.width
        self.rows = [self.rows[index] for index in stay]
        if not self.rows:
            self._cache = None
            return
        spare = width - self.width
        for layer in self._cache.layers:
            layer.replace(layer.keys[stay, :, spare:], layer.values[stay, :, spare:])

    def step(self, forward: Forward, device: "torch.device") -> "torch.Tensor":
        """Run each row's newest token; returns the logits of the next (rows, vocabulary)."""
        import torch

        lengths = torch.tensor([row.length for row in self.rows], device=device)
        newest = torch.tensor([[row.tokens[-1]] for row in self.rows], device=device)
        columns = torch.arange(self.width + 1, device=device)
        mask = (columns[None, :] >= (self.width - lengths)[:, None]).long()
        output = forward(
            input_ids=newest,
            attention_mask=mask,
            position_ids=lengths[:, None],
            past_key_values=self._cache,
            use_cache=True,
        )
        for row in self.rows:
            row.length += 1
        logits: torch.Tensor = output.logits[:, -1]
        return logits


def _stack(mine: "torch.Tensor", its: "torch.Tensor", width: int) -> "torch.Tensor":
    import torch

    return torch.cat([_pad_left(mine, width), _pad_left(its, width)])


def _pad_left(states: "torch.Tensor", width: int) -> "torch.Tensor":
    """Zeros before the first column of (rows, heads, columns, size) until it has `width` columns."""
    import torch

    missing = width - states.shape[-2]
    return torch.nn.functional.pad(states, (0, 0, missing, 0)) if missing else states
