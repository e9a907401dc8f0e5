"""The order of rows in training: those of one step are about equally long, steps come in no order of length.

Padding costs what the longest row of a step costs. Transformers' own sampler groups by length too, but hands every
group out from long to short, and it draws from torch's global state, so that the order of a resumed run depends on
what was drawn before. Here the order follows from seed and epoch alone.
"""

import random
from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

_MOST_STEPS = 50  # a group; with fewer rows a quarter of them, so that the same rows do not meet in every epoch


class LengthGroups(Sampler[int]):
    """Places of rows: shuffled, sorted by length within groups of steps, the steps of all groups shuffled again."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths = list(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The trainer tells which epoch begins."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        rng = random.Random(f"{self._seed}:{self._epoch}")
        places = list(range(len(self._lengths)))
        rng.shuffle(places)
        size = self._batch_size * max(1, min(len(places) // (self._batch_size * 4), _MOST_STEPS))
        whole: list[list[int]] = []
        rest: list[int] = []
        for begin in range(0, len(places), size):
            group = sorted(places[begin : begin + size], key=lambda place: self._lengths[place])
            steps = [group[at : at + self._batch_size] for at in range(0, len(group), self._batch_size)]
            rest += [place for step in steps if len(step) < self._batch_size for place in step]
            whole += [step for step in steps if len(step) == self._batch_size]
        rng.shuffle(whole)
        # What fills no step comes last: in between it would shift the steps after it across their lengths.
        yield from (place for step in whole for place in step)
        yield from rest
