"""Win rates may be looked at after every vote: equal models get a false winner in at most 5 % of streams."""

from math import lgamma, log

import numpy as np
import pytest
from numpy.typing import NDArray

from studio.feedback.intervals import is_told, told_after, votes_needed, win_rate

pytestmark = pytest.mark.heavy

VOTES = 1000


def _false_winners(streams: NDArray[np.float64]) -> float:
    """The share of streams in which a look after any of the votes would have named a winner."""
    return float(np.mean([told_after(stream) is not None for stream in streams]))


def test_equal_models_watched_after_every_vote_seldom_get_a_winner() -> None:
    random = np.random.default_rng(20)
    streams = (random.random((300, VOTES)) < 0.5).astype(float)

    assert _false_winners(streams) <= 0.05


def test_ties_do_not_make_it_rasher() -> None:
    random = np.random.default_rng(21)
    streams = random.choice([0.0, 0.5, 1.0], p=[0.3, 0.4, 0.3], size=(300, VOTES))

    assert _false_winners(streams) <= 0.05


@pytest.mark.parametrize("in_turn", [True, False], ids=["prompt by prompt", "person by person"])
def test_three_people_who_mostly_agree_do_not_make_it_rasher(in_turn: bool) -> None:
    """Overlap 3, correlated votes, 40 % ties: the unit is the prompt, also while its votes come in."""
    random = np.random.default_rng(22)
    named = [_watched(_correlated(random, VOTES // 3), in_turn) for _ in range(200)]

    assert np.mean(named) <= 0.05


def _correlated(random: np.random.Generator, prompts: int) -> NDArray[np.float64]:
    """Votes by prompt and person: three in four follow what the prompt makes everybody think."""
    choices = [0.0, 0.5, 1.0]
    common = random.choice(choices, p=[0.3, 0.4, 0.3], size=(prompts, 1))
    own = random.choice(choices, p=[0.3, 0.4, 0.3], size=(prompts, 3))
    return np.where(random.random((prompts, 3)) < 0.75, common, own)


def _watched(votes: NDArray[np.float64], in_turn: bool, every: int = 10) -> bool:
    """Whether a winner is named at a look after every tenth vote (or each), while the votes come in one by one."""
    order = votes if in_turn else votes.T
    flat = order.reshape(-1)
    places = np.arange(votes.size).reshape(order.shape) // 3 if in_turn else np.tile(np.arange(len(votes)), (3, 1))
    places = places.reshape(-1)
    sums, counts = np.zeros(len(votes)), np.zeros(len(votes))
    for number, (place, value) in enumerate(zip(places, flat, strict=True), start=1):
        sums[place] += value
        counts[place] += 1
        if number % every == 0 and is_told((sums / np.maximum(counts, 1))[counts > 0]):
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("in_turn", [True, False], ids=["prompt by prompt", "person by person"])
def test_after_every_single_vote_equal_models_get_a_winner_in_one_stream_of_twenty_at_most(in_turn: bool) -> None:
    """1,000 votes a stream, overlap 3, correlated votes, 40 % ties, a look after each vote."""
    random = np.random.default_rng(24)
    named = [_watched(_correlated(random, VOTES // 3), in_turn, every=1) for _ in range(400)]

    assert np.mean(named) <= 0.05


@pytest.mark.slow
def test_two_thousand_streams_of_equal_models_watched_after_every_vote() -> None:
    random = np.random.default_rng(25)
    for shares in ([0.5, 0.0, 0.5], [0.3, 0.4, 0.3]):
        streams = random.choice([0.0, 0.5, 1.0], p=shares, size=(1000, VOTES))

        assert _false_winners(streams) <= 0.05


def test_a_clear_difference_is_found_and_named() -> None:
    assert win_rate([1.0] * 10).verdict == "a better"
    assert win_rate([0.0] * 10).verdict == "b better"
    assert win_rate([1.0, 0.0] * 100).verdict == "not decided"


def test_the_interval_is_robbins_mixture_for_wins_and_losses() -> None:
    """Where the beta-binomial mixture with a Beta(2, 2) prior reaches 20, the interval ends."""

    def log_factor(wins: int, losses: int, m: float) -> float:
        mixed = lgamma(2 + wins) + lgamma(2 + losses) - lgamma(4 + wins + losses) + log(6)
        return mixed - wins * log(m) - losses * log(1 - m)

    rate = win_rate([1.0] * 70 + [0.0] * 30)

    assert rate.rate == pytest.approx(0.7)
    assert log_factor(70, 30, rate.low) == pytest.approx(log(20), abs=1e-3)
    assert log_factor(70, 30, rate.high) == pytest.approx(log(20), abs=1e-3)


def test_the_quick_ways_say_what_the_interval_says() -> None:
    random = np.random.default_rng(23)
    for _ in range(10):
        stream = random.choice([0.0, 0.5, 1.0], p=[0.25, 0.2, 0.55], size=60)
        first = next((n for n in range(1, 61) if win_rate(stream[:n]).verdict != "not decided"), None)

        assert told_after(stream) == first
        assert is_told(stream) == (win_rate(stream).verdict != "not decided")


def test_the_order_of_the_votes_does_not_matter() -> None:
    assert win_rate([1.0, 1.0, 0.0, 0.5]) == win_rate([0.0, 0.5, 1.0, 1.0])


def test_turning_the_sides_turns_the_interval() -> None:
    straight, turned = win_rate([1.0] * 12 + [0.0] * 5 + [0.5] * 3), win_rate([0.0] * 12 + [1.0] * 5 + [0.5] * 3)

    assert (1 - turned.high, 1 - turned.low) == pytest.approx((straight.low, straight.high), abs=1e-6)


def test_without_votes_nothing_is_known() -> None:
    assert win_rate([]) == (None, 0.0, 1.0, 0)
    assert votes_needed([], 0) is None


def test_votes_needed_is_about_what_is_needed_then() -> None:
    """At 65 % wins the published median is 97 votes; after 40 of them about 50 are missing."""
    values = [1.0] * 26 + [0.0] * 14

    missing = votes_needed(values, 40)

    assert missing is not None
    assert 30 <= missing <= 120
    assert votes_needed([1.0] * 40, 40) == 0


def test_votes_needed_counts_votes_where_the_units_are_prompts() -> None:
    values = [1.0] * 13 + [0.0] * 7

    single, threefold = votes_needed(values, 20), votes_needed(values, 60)

    assert single is not None
    assert threefold == pytest.approx(3 * single, abs=2)


def test_too_close_to_call_is_said_as_none() -> None:
    assert votes_needed([1.0, 0.0] * 50, 100) is None
