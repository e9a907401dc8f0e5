"""What a vote says about each two answers of its comparison."""

from itertools import combinations
from typing import NamedTuple

from storage.rows import Vote

DRAWS = ("tie", "both_bad")
LETTERS = "abcdefgh"


class Ordering(NamedTuple):
    """Two answers by position: 1.0 the first is better, 0.0 the second, 0.5 neither."""

    first: int
    second: int
    value: float


def orderings(vote: Vote) -> list[Ordering]:
    """The vote as orderings of two: one, or all pairs of a ranking; none for a skip.

    "Both bad" comes out as 0.5; who must tell it from a tie looks at the choice.
    """
    if vote.ranking is not None:
        return ranked(vote.ranking)
    if vote.choice in DRAWS:
        return [Ordering(0, 1, 0.5)]
    if vote.choice in ("a", "b"):
        return [Ordering(0, 1, 1.0 if vote.choice == "a" else 0.0)]
    return []


def ranks(ranking: list[int | list[int]]) -> dict[int, int]:
    """The place of each position in a ranking (best first, inner lists are ties)."""
    return {
        position: place
        for place, group in enumerate(ranking)
        for position in (group if isinstance(group, list) else [group])
    }


def ranked(ranking: list[int | list[int]]) -> list[Ordering]:
    """All pairs of a ranking as orderings of two."""
    places = ranks(ranking)
    found = []
    for first, second in combinations(sorted(places), 2):
        better = places[second] - places[first]
        found.append(Ordering(first, second, 1.0 if better > 0 else 0.0 if better < 0 else 0.5))
    return found


def left_chosen(vote: Vote) -> bool | None:
    """Whether the answer on the left was preferred; None where nobody was, or nobody knows what stood left."""
    if vote.choice not in ("a", "b") or len(vote.shown_order) != 2:
        return None
    return vote.shown_order[0] == LETTERS.index(vote.choice)
