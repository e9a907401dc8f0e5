"""How many pairs are wrong, by how often people disagree: against simulated people whose errors are known."""

from random import Random

import pytest

from studio.training.doubts import MOST, Sides, doubt


def people(wrong: float, voters: int, comparisons: int = 4000, seed: int = 0) -> list[Sides]:
    """Votes of people who are each wrong with that probability; the first answer is always the better one."""
    rng = Random(seed)
    found = []
    for _ in range(comparisons):
        second = sum(rng.random() < wrong for _ in range(voters))
        found.append(Sides(voters - second, second))
    return found


@pytest.mark.parametrize("wrong", [0.05, 0.2])
@pytest.mark.parametrize("voters", [2, 3, 5])
def test_the_share_of_wrong_votes_is_found(wrong: float, voters: int) -> None:
    assert doubt(people(wrong, voters), "each") == pytest.approx(wrong, abs=0.02)


@pytest.mark.parametrize("voters", [3, 5])
def test_pairs_of_a_majority_are_wrong_less_often_than_single_votes(voters: int) -> None:
    sides = people(0.2, voters)
    truly = sum(one.second > one.first for one in sides) / len(sides)

    assert doubt(sides, "majority") == pytest.approx(truly, abs=0.02)
    assert doubt(sides, "unanimous") == pytest.approx(
        sum(one.first == 0 for one in sides) / sum(0 in one for one in sides), abs=0.02
    )


def test_who_always_agrees_is_not_doubted() -> None:
    assert doubt([Sides(2, 0)] * 20, "each") == 0.0


def test_votes_at_random_are_doubted_as_far_as_a_loss_can_bear() -> None:
    assert doubt([Sides(1, 1)] * 20, "each") == MOST


def test_with_little_judged_twice_nothing_is_said() -> None:
    assert doubt([Sides(1, 1)] * 9 + [Sides(1, 0)] * 100, "each") is None
