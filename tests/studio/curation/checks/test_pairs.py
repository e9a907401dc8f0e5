"""Numbers about preferences: length bias with its interval and effect size, contradictions."""

import math
from typing import Any

import pytest

from studio.curation.checks.pairs import Lengths, claims_of, contradictions, length_bias, lopsided


def lengths(*pairs: tuple[int, int]) -> list[Lengths]:
    return [Lengths(number, *pair) for number, pair in enumerate(pairs)]


def test_length_bias_by_hand() -> None:
    """Log ratios ln 2 three times and -ln 2 once: mean ln 2 / 2, deviation ln 2 · sqrt(3) / 2."""
    bias = length_bias(lengths((9, 4), (9, 4), (9, 4), (4, 9)))

    assert (bias.pairs, bias.share, bias.effect, bias.ratio) == (4, 0.75, round(1 / math.sqrt(3), 4), 1.4142)
    # Wilson's interval for 3 of 4, as R's prop.test(3, 4, correct = FALSE) gives it.
    assert (bias.low, bias.high) == (0.3006, 0.9544)
    assert not bias.biased  # four pairs say nothing


@pytest.mark.parametrize(
    ("pairs", "biased"),
    [
        ([(100, 10)] * 30, True),
        ([(10, 100)] * 30, True),
        ([(100, 10)] * 29, False),
        ([(100, 10), (10, 100)] * 30, False),
        ([(50, 50)] * 100, False),
        ([], False),
    ],
)
def test_bias_needs_enough_pairs_and_a_direction(pairs: list[tuple[int, int]], biased: bool) -> None:
    assert length_bias(lengths(*pairs)).biased is biased


def test_lopsided_pairs_are_those_in_the_direction_of_the_bias() -> None:
    pairs = lengths((100, 10), (10, 100), (100, 90), (19, 9))

    longer = length_bias(lengths((100, 10)))
    shorter = length_bias(lengths((10, 100)))

    assert [key for key, _ in lopsided(pairs, longer)] == [0, 3]
    assert [key for key, _ in lopsided(pairs, shorter)] == [1]


def pair(key: int, prompt: str, chosen: str, rejected: str) -> Any:
    said = [[{"role": role, "content": text}] for role, text in
            (("user", prompt), ("assistant", chosen), ("assistant", rejected))]  # fmt: skip
    return claims_of(key, dict(zip(("prompt", "chosen", "rejected"), said, strict=True)))


def verdict(key: int, answer: str, **said: Any) -> Any:
    return claims_of(key, {"prompt": [{"role": "user", "content": "q"}],
                           "completion": [{"role": "assistant", "content": answer}], **said})  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ([pair(1, "q", "a", "b"), pair(2, "q", "b", "a")], [1, 2]),
        ([pair(1, "q", "a", "b"), pair(2, "q", "b", "a"), pair(3, "q", "a", "b")], [1, 2, 3]),
        ([pair(1, "q", "a", "b"), pair(2, "p", "b", "a")], []),
        ([pair(1, "q", "a", "b"), pair(2, "q", "a", "b")], []),
        ([pair(1, "q", "a", "b"), pair(2, "q", "b", "c"), pair(3, "q", "a", "c")], []),
        ([pair(1, "q", "a", "a"), pair(2, "q", "a", "a")], []),
        ([pair(1, "q", " a", "b"), pair(2, "q ", "b", "a")], [1, 2]),
        ([verdict(1, "x", label=True), verdict(2, "x", label=False)], [1, 2]),
        ([verdict(1, "x", label=True), verdict(2, "y", label=False)], []),
        ([verdict(1, "x", score=1.0), verdict(2, "x", score=2.0)], [1, 2]),
        ([verdict(1, "x", score=1.0), verdict(2, "x", score=1.0)], []),
    ],
)
def test_contradictions(claims: list[Any], found: list[int]) -> None:
    assert sorted(key for key, _ in contradictions(claims)) == found


def test_what_is_no_preference_claims_nothing() -> None:
    assert claims_of(1, {"messages": []}) is None
    assert claims_of(1, {"prompt": []}) is None
