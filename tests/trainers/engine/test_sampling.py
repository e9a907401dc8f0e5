"""The sampler against the distribution that it is meant to draw from."""

from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = pytest.mark.torch


@dataclass
class Drawn:
    sampling: Any
    generator: Any


def row(temperature: float = 1.0, top_p: float = 1.0, seed: int = 0) -> Drawn:
    from trainers.engine.sampling import Sampling, new_generator

    return Drawn(Sampling(10, temperature, top_p, seed), new_generator(seed))


def draws(logits: list[float], one: Drawn, count: int = 4000) -> list[int]:
    import torch

    from trainers.engine.sampling import choose_tokens

    rows = torch.tensor([logits])
    return [int(choose_tokens(rows, [one])[0]) for _ in range(count)]  # type: ignore[call-overload]


def share(tokens: list[int], token: int) -> float:
    return tokens.count(token) / len(tokens)


def test_temperature_zero_takes_the_likeliest() -> None:
    assert set(draws([0.1, 3.0, 2.9], row(temperature=0), 50)) == {1}


def test_draws_follow_the_softmax_of_the_logits_over_the_temperature() -> None:
    """Shares of e^0 : e^1 : e^2 at temperature 1, e^0 : e^2 : e^4 at one half; 4000 draws lie within 0.03."""
    whole = draws([0.0, 1.0, 2.0], row())
    half = draws([0.0, 1.0, 2.0], row(temperature=0.5))

    assert [share(whole, token) for token in range(3)] == pytest.approx([0.0900, 0.2447, 0.6652], abs=0.03)
    assert [share(half, token) for token in range(3)] == pytest.approx([0.0159, 0.1173, 0.8668], abs=0.03)


def test_top_p_keeps_the_fewest_tokens_that_reach_it() -> None:
    logits = [0.0, 1.0, 2.0]  # probabilities 0.09, 0.245, 0.665

    assert set(draws(logits, row(top_p=0.6))) == {2}
    assert set(draws(logits, row(top_p=0.7))) == {1, 2}
    kept = draws(logits, row(top_p=0.7))
    assert share(kept, 2) == pytest.approx(0.7311, abs=0.03)
    assert set(draws(logits, row(top_p=0.95))) == {0, 1, 2}


def test_a_seed_draws_the_same_again_and_another_seed_differently() -> None:
    flat = [0.0] * 100

    assert draws(flat, row(seed=4), 30) == draws(flat, row(seed=4), 30)
    assert draws(flat, row(seed=4), 30) != draws(flat, row(seed=5), 30)


def test_each_row_of_a_batch_has_its_own_settings() -> None:
    import torch

    from trainers.engine.sampling import choose_tokens

    logits = torch.tensor([[0.0, 5.0], [5.0, 0.0], [0.0, 0.0]])
    rows = [row(temperature=0), row(temperature=0), row(seed=1)]

    drawn = [choose_tokens(logits, rows) for _ in range(60)]

    assert {(first, second) for first, second, _ in drawn} == {(1, 0)}
    assert {third for _, _, third in drawn} == {0, 1}


def test_logits_that_are_no_numbers_fail_their_row_alone() -> None:
    import torch

    from trainers.engine.sampling import NotFiniteError, choose_tokens

    logits = torch.tensor([[0.0, 5.0], [float("nan"), 0.0], [float("inf"), 0.0], [float("-inf"), 1.0]])

    tokens = choose_tokens(logits, [row(temperature=0)] * 4)

    assert [type(token) for token in tokens] == [int, NotFiniteError, NotFiniteError, int]
    assert (tokens[0], tokens[3]) == (1, 1)
