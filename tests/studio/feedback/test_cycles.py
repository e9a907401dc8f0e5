"""Circles among models are found, each once."""

from studio.feedback.cycles import cycles


def _names(pairs: list[tuple[str, str, float | None, int]]) -> list[list[str]]:
    return [[step.winner for step in cycle.steps] for cycle in cycles(pairs)]


def test_three_in_a_circle_are_named_once_with_their_votes() -> None:
    (found,) = cycles([("a", "b", 0.6, 10), ("b", "c", 0.7, 20), ("a", "c", 0.2, 5)])

    assert found.to_json()["models"] == ["a", "b", "c"]
    assert found.to_json()["fewest_votes"] == 5
    assert found.steps[2] == ("c", "a", 0.8, 5)


def test_an_order_has_no_circle_and_a_tie_closes_none() -> None:
    assert _names([("a", "b", 0.6, 9), ("b", "c", 0.6, 9), ("a", "c", 0.6, 9)]) == []
    assert _names([("a", "b", 0.6, 9), ("b", "c", 0.6, 9), ("a", "c", 0.5, 9)]) == []
    assert _names([("a", "b", None, 0)]) == []


def test_a_circle_of_four_is_found_where_there_is_none_of_three() -> None:
    assert _names([("a", "b", 0.6, 9), ("b", "c", 0.6, 9), ("c", "d", 0.6, 9), ("d", "a", 0.6, 9)]) == [
        ["a", "b", "c", "d"]
    ]
