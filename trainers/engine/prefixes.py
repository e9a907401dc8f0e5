"""Prompts that were read lately, so that the next turn of a chat reads only what is new.

What is kept are the keys and values of a prompt, never of an answer: a prompt is read by one row alone, an answer is
written beside others. A row gets the columns of the longest beginning that it shares with one of them, read by the same
adapter on the same base. Reading in other pieces rounds differently, as sharing a step does, so rows that are asked
exactly neither give nor take (`Lane`).

Nothing is copied: the columns of a prompt are never written again. A batch writes behind them, and rows that join or
leave get tensors of their own (`trainers.engine.growing`).
"""

from typing import TYPE_CHECKING, NamedTuple

from trainers.engine.entry import Entry
from trainers.memory import CACHED_TOKENS

if TYPE_CHECKING:
    import torch

# Half of the tokens for which memory is reckoned when a base is loaded: 35 MB of the starter, 188 MB of a 90M base.
MOST_TOKENS = CACHED_TOKENS // 2
_LEAST_TOKENS = 64  # fewer are read in hardly more time than one


class Prefix(NamedTuple):
    """A prompt and, for each layer, its keys and values (1, heads, tokens, size)."""

    adapter: str | None
    ids: list[int]
    layers: list[tuple["torch.Tensor", "torch.Tensor"]]


class Prefixes:
    """The prompts kept by one lane, the one used last at the end. Only the lane's thread may call it."""

    def __init__(self, most_tokens: int = MOST_TOKENS) -> None:
        self._most_tokens = most_tokens
        self._kept: list[Prefix] = []

    @property
    def tokens(self) -> int:
        """Tokens of all prompts that are kept."""
        return sum(len(prefix.ids) for prefix in self._kept)

    def lend(self, entry: Entry) -> None:
        """Let an entry that has read nothing begin behind what it shares with a prompt that is kept."""
        # One token at least is left to be read: the first word of the answer comes from its logits.
        common = [min(_shared(prefix.ids, entry.ids), len(entry.ids) - 1) if prefix.adapter == entry.row.adapter else 0
                  for prefix in self._kept]  # fmt: skip
        most = max(common, default=0)
        if most < _LEAST_TOKENS:
            return
        prefix = self._kept.pop(common.index(most))
        self._kept.append(prefix)
        entry.begin_behind(prefix.layers, most)

    def keep(self, entry: Entry) -> None:
        """Keep what an entry has just read; what it continues goes, and then what was used longest ago."""
        if not _LEAST_TOKENS <= len(entry.ids) <= self._most_tokens:
            return
        if not all(layer.is_initialized for layer in entry.cache.layers):
            return  # an architecture in which some layers have no keys of their own
        layers = [(layer.keys, layer.values) for layer in entry.cache.layers]
        new = Prefix(entry.row.adapter, entry.ids, layers)
        self._kept = [one for one in self._kept if not _continues(new, one)] + [new]
        while self.tokens > self._most_tokens:
            self._kept.pop(0)

    def forget(self, adapter: str) -> None:
        """Drop what an adapter has read: it is unloaded."""
        self._kept = [prefix for prefix in self._kept if prefix.adapter != adapter]

    def clear(self) -> None:
        """Drop everything: the lane has ended, or memory was short."""
        self._kept = []


def _continues(new: Prefix, old: Prefix) -> bool:
    return new.adapter == old.adapter and new.ids[: len(old.ids)] == old.ids


def _shared(mine: list[int], its: list[int]) -> int:
    """How many tokens two prompts have in common from their beginning."""
    pairs = enumerate(zip(mine, its, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(mine), len(its)))
