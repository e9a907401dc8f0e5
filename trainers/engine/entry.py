"""A row on its way into a batch: what it has to read, in pieces, so that rows being written go on in between."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainers.engine.row import Row

if TYPE_CHECKING:
    import torch


class Entry:
    """A row and the cache of its own that its prompt fills; after it was parked also what it had said by then."""

    def __init__(self, row: Row, cache: Any) -> None:
        self.row = row
        self.cache = cache
        self.ids = row.past
        row.length = 0

    def begin_behind(self, layers: Sequence[tuple["torch.Tensor", "torch.Tensor"]], tokens: int) -> None:
        """Take the first tokens as read: keys and values of each layer that has read the same ones, and maybe more."""
        for index, (keys, values) in enumerate(layers):
            self.cache.update(keys[..., :tokens, :], values[..., :tokens, :], index)
        self.row.length = tokens

    @property
    def left(self) -> int:
        """Tokens that it has still to read."""
        return len(self.ids) - self.row.length

    def piece(self, tokens: int, device: "torch.device") -> dict[str, Any]:
        """The model's inputs for the next piece of at most so many tokens."""
        import torch

        start = self.row.length
        ids = torch.tensor([self.ids[start : start + tokens]], device=device)
        reached = start + ids.shape[1]
        return {
            "input_ids": ids,
            "attention_mask": torch.ones(1, reached, dtype=torch.long, device=device),
            "position_ids": torch.arange(start, reached, device=device)[None],
            "past_key_values": self.cache,
            "use_cache": True,
        }
