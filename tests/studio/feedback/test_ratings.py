"""Ratings equal published fits, count ties as they say, and stay finite where the maximum lies at infinity."""

import json
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from storage.errors import BadInput
from studio.feedback.ratings import Result, rate


def _wins(*counts: tuple[int, int, int]) -> list[Result]:
    """(winner, loser, how often), each on a prompt of its own."""
    return [Result(a, b, 1.0, f"{a}-{b}-{k}") for a, b, count in counts for k in range(count)]


def test_the_worked_example_of_arena_rank_and_wikipedia_comes_out() -> None:
    # A-B 2:3, A-D 1:4, B-C 5:3, C-D 1:3, as in arena-rank's tests/test_bradley_terry.py
    results = _wins((0, 1, 2), (1, 0, 3), (0, 3, 1), (3, 0, 4), (1, 2, 5), (2, 1, 3), (2, 3, 1), (3, 2, 3))

    assert [round(exp(strength), 3) for strength in rate(4, results).strength] == [0.640, 1.043, 0.660, 2.270]


def test_the_citations_of_statistics_journals_give_the_published_abilities(real_data: Path) -> None:
    examples = json.loads((real_data / "agree" / "worked_examples_shared.json").read_text("utf-8"))
    citations = next(example for example in examples if example["id"] == "citations_bradley_terry")
    matrix = citations["matrix_row_cited_by_col"]
    names = citations["names"]
    counts = [(i, j, matrix[i][j]) for i in range(4) for j in range(4) if i != j]

    strength = rate(4, _wins(*counts)).strength

    over_biometrika = {name: round(strength[i] - strength[0], 4) for i, name in enumerate(names) if i}
    assert over_biometrika == citations["expected"]["log_ability_ref_Biometrika"]


def test_a_cycle_leaves_everybody_equal(real_data: Path) -> None:
    case = json.loads((real_data / "agree" / "choix_testcase-pairwise-1.json").read_text("utf-8"))
    results = [Result(winner, loser, 1.0, str(n)) for n, (winner, loser) in enumerate(case["data"])]

    assert rate(case["n_items"], results).strength == pytest.approx(case["ml_est"], abs=1e-9)


def test_the_rating_is_the_strength_on_the_scale_of_elo() -> None:
    ratings = rate(2, _wins((0, 1, 30), (1, 0, 10)))

    assert ratings.strength == pytest.approx([log(3) / 2, -log(3) / 2])
    assert ratings.rating == pytest.approx([1000 + 400 * log(3) / 2 / log(10), 1000 - 400 * log(3) / 2 / log(10)])
    assert ratings.low[0] < ratings.rating[0] < ratings.high[0]
    assert ratings.notes == []


def test_ties_by_davidsons_model_meet_its_equations() -> None:
    """At the maximum of Davidson's likelihood, expected ties equal seen ones, and so do expected scores."""
    results = [*_wins((0, 1, 12), (1, 0, 6), (1, 2, 9), (2, 1, 5), (0, 2, 8), (2, 0, 1))]
    results += [Result(0, 1, 0.5, f"t{n}") for n in range(7)] + [Result(1, 2, 0.5, f"u{n}") for n in range(4)]

    strength = np.array(rate(3, results, "model").strength)

    games = np.array([[0, 25, 9], [25, 0, 18], [9, 18, 0]])
    roots = np.exp((strength[:, None] + strength[None, :]) / 2)
    sums = np.exp(strength)[:, None] + np.exp(strength)[None, :]

    def expected_ties(nu: float) -> float:
        return float((games * nu * roots / (sums + nu * roots)).sum() / 2)

    low, high = 1e-6, 1e3
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if expected_ties(middle) < 11 else (low, middle)
    tie = games * low * roots / (sums + low * roots)
    win = games * np.exp(strength)[:, None] / (sums + low * roots)
    assert (win + tie / 2).sum(axis=1) == pytest.approx([12 + 3.5 + 8, 6 + 3.5 + 9 + 2, 5 + 2 + 1], abs=1e-6)


def test_a_tie_may_count_as_half_a_win_each_or_not_at_all() -> None:
    results = [*_wins((0, 1, 6), (1, 0, 2)), *(Result(0, 1, 0.5, f"t{n}") for n in range(4))]

    half, drop = rate(2, results, "half").strength, rate(2, results, "drop").strength

    assert half[0] - half[1] == pytest.approx(log(8 / 4))
    assert drop[0] - drop[1] == pytest.approx(log(6 / 2))


def test_it_does_not_matter_who_is_named_first() -> None:
    one = rate(2, [Result(0, 1, 1.0, "p"), Result(0, 1, 0.5, "q"), Result(0, 1, 0.0, "r")])
    other = rate(2, [Result(1, 0, 0.0, "p"), Result(1, 0, 0.5, "q"), Result(1, 0, 1.0, "r")])

    assert one == other


def test_a_model_that_never_lost_gets_a_finite_rating_and_a_sentence() -> None:
    ratings = rate(2, _wins((0, 1, 5)))

    assert 1100 < ratings.rating[0] < 1500
    assert len(ratings.notes) == 1
    assert ratings.notes[0].startswith("Some models have won or lost every comparison so far, so half a win and half")


def test_models_that_never_met_get_wide_intervals_and_a_sentence() -> None:
    ratings = rate(4, _wins((0, 1, 30), (1, 0, 10), (2, 3, 20), (3, 2, 20)))

    assert "have not met yet" in ratings.notes[0]
    assert [round(rating) for rating in ratings.rating[2:]] == [1000, 1000]
    assert min(high - low for low, high in zip(ratings.low, ratings.high, strict=True)) > 300


def test_nothing_but_ties_leaves_two_models_equal() -> None:
    assert rate(2, [Result(0, 1, 0.5, str(n)) for n in range(5)]).strength == pytest.approx([0.0, 0.0])


def test_no_votes_and_no_models_are_no_trouble() -> None:
    assert rate(0, []).strength == []
    assert rate(2, []).rating == pytest.approx([1000.0, 1000.0])


def test_votes_repeated_on_the_same_prompts_do_not_narrow_the_interval() -> None:
    """Five people who always agree on 40 prompts are no surer than one."""
    once = [Result(0, 1, float(n % 4 != 0), f"p{n}") for n in range(40)]

    single, fivefold = rate(2, once), rate(2, once * 5)

    assert fivefold.strength == pytest.approx(single.strength)
    assert fivefold.high[0] - fivefold.low[0] == pytest.approx(single.high[0] - single.low[0], rel=0.02)


def test_intervals_hold_the_truth_in_about_95_of_100_studies() -> None:
    random = np.random.default_rng(7)
    truth = np.array([0.6, 0.1, -0.2, -0.5])
    covered = []
    for _ in range(150):
        results = []
        for n in range(300):
            a, b = random.choice(4, 2, replace=False)
            results.append(Result(int(a), int(b), float(random.random() < 1 / (1 + exp(truth[b] - truth[a]))), str(n)))
        ratings = rate(4, results)
        real = 1000 + 400 / log(10) * truth
        covered += [low <= value <= high for low, value, high in zip(ratings.low, real, ratings.high, strict=True)]

    assert 0.93 <= np.mean(covered) <= 0.98


def test_an_unknown_way_to_count_ties_is_refused() -> None:
    with pytest.raises(BadInput, match=r'Ties are counted by one of model, half, drop, not "elo"\.'):
        rate(2, [], "elo")
