"""Rows of one step are about equally long, in an order that follows from seed and epoch alone."""

import itertools
import random

import pytest

pytestmark = pytest.mark.torch

LENGTHS = [random.Random(at).randint(8, 200) for at in range(203)]
BATCH = 8


def _order(seed: int = 1, epoch: int = 0, lengths: list[int] = LENGTHS) -> list[int]:
    from trainers.grouping import LengthGroups

    sampler = LengthGroups(lengths, BATCH, seed)
    sampler.set_epoch(epoch)
    return list(sampler)


def _padded(order: list[int]) -> int:
    """Tokens that go through the model, filling included."""
    steps = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    return sum(len(step) * max(LENGTHS[place] for place in step) for step in steps)


def test_every_row_comes_once_an_epoch() -> None:
    assert sorted(_order()) == list(range(len(LENGTHS)))


def test_far_less_is_filled_up_than_in_random_order() -> None:
    shuffled = random.Random(0).sample(range(len(LENGTHS)), len(LENGTHS))

    assert sum(LENGTHS) <= _padded(_order()) < 1.2 * sum(LENGTHS)
    assert _padded(shuffled) > 1.5 * sum(LENGTHS)


def test_long_rows_do_not_come_before_short_ones() -> None:
    """Steps in order of length would teach long rows first, in every epoch."""
    orders = [_order(epoch=epoch) for epoch in range(10)]
    longest = [
        [max(LENGTHS[place] for place in order[at : at + BATCH]) for at in range(0, 200, BATCH)] for order in orders
    ]
    falls = [before > after for steps in longest for before, after in itertools.pairwise(steps)]

    assert 0.35 < sum(falls) / len(falls) < 0.65


def test_the_order_follows_from_seed_and_epoch() -> None:
    assert _order() == _order()
    assert len({tuple(_order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


def test_fewer_rows_than_a_step_come_all_the_same() -> None:
    assert sorted(_order(lengths=[5, 3, 9])) == [0, 1, 2]
