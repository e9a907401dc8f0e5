"""Who computes when rows of several priorities are written at once, on a clock that the test turns."""

import pytest

from trainers.engine.pace import SHARE, Pace, level_of


def turned(costs: dict[int, float], turns: int) -> dict[int, float]:
    """Seconds that each level has computed after so many turns, where a turn of it costs so much."""
    pace, spent = Pace(), dict.fromkeys(costs, 0.0)
    for _ in range(turns):
        for level in pace.due(costs):
            spent[level] += costs[level]
            pace.spent(level, costs[level])
    return spent


@pytest.mark.parametrize("cost", [0.001, 0.031, 0.517])
def test_a_worse_level_takes_its_share_of_the_better_ones_time_whatever_its_steps_cost(cost: float) -> None:
    spent = turned({0: 0.03, 1: cost}, 2000)

    assert spent[0] == pytest.approx(60)
    assert spent[1] == pytest.approx(min(SHARE * 60, 2000 * cost), rel=0.1)


def test_each_level_yields_to_the_next_better_one_and_none_starves() -> None:
    spent = turned({0: 0.03, 1: 0.051, 2: 0.0517}, 3000)

    assert spent[1] == pytest.approx(90 * SHARE, rel=0.1)
    assert spent[2] == pytest.approx(90 * SHARE**2, rel=0.3)


def test_whoever_is_alone_computes_in_every_turn() -> None:
    assert turned({2: 0.05}, 10) == {2: pytest.approx(0.5)}


def test_what_was_owed_is_forgotten_when_nobody_better_is_there_any_more() -> None:
    pace = Pace()
    pace.due([0, 1])
    pace.spent(1, 5.0)

    assert pace.due([0, 1]) == [0]
    assert pace.due([1]) == [1]
    assert pace.due([0, 1]) == [0, 1]


def test_nobody_is_due_where_nobody_is() -> None:
    assert Pace().due([]) == []


def test_what_is_neither_urgent_nor_next_is_bulk() -> None:
    assert [level_of(priority) for priority in (-3, 0, 1, 2, 99)] == [0, 0, 1, 2, 2]
