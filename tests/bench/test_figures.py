"""Percentiles, goals, and the object that every measurement prints."""

import pytest

from bench.figures import Times, ratio, reached, report, times


def test_percentiles_of_a_hundred_times() -> None:
    assert times([float(ms) for ms in range(1, 101)]) == Times(50.5, 95.05, 99.01, 100.0, 100)


def test_one_time_is_all_of_its_percentiles() -> None:
    assert times([7.0]) == Times(7.0, 7.0, 7.0, 7.0, 1)


def test_nothing_timed_is_no_figure() -> None:
    with pytest.raises(ValueError, match="Nothing was timed"):
        times([])


@pytest.mark.parametrize(
    ("value", "goal", "better", "kept"),
    [(49.9, 50.0, "lower", True), (50.1, 50.0, "lower", False), (0.9, 1.0, "higher", False), (1.0, 1.0, "higher", True),
     (9e9, None, "lower", True), (0, 0, "lower", True)],
)  # fmt: skip
def test_a_goal_is_kept_or_not(value: float, goal: float | None, better: str, kept: bool) -> None:
    assert reached(ratio("x", value, goal, better)) is kept


def test_a_measurement_is_met_where_every_goal_is_and_what_must_be_right_is() -> None:
    good, bad = ratio("a", 1.0, 2.0), ratio("b", 3.0, 2.0)

    assert report("x", {}, {}, [good])["met"] is True
    assert report("x", {}, {}, [good, bad])["met"] is False
    assert report("x", {}, {}, [good], sound=False)["met"] is False
    assert report("x", {"p95": 1}, {"bare": {}}, [good], rows=3) == {
        "name": "x", "rows": 3, "ours": {"p95": 1}, "baselines": {"bare": {}}, "ratios": [good], "ratio": 1.0,
        "met": True,
    }  # fmt: skip
