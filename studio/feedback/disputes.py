"""Comparisons on which people disagree, and how far apart they are.

The split of a comparison is the mean distance between two of the people who judged it, 0 to 1: a win against the
other's win is 1, a win against a draw one half; two rankings are apart by the mean over their pairs of answers (with
ties one half: Kendall's distance of Fagin et al. 2004, "Comparing and aggregating rankings with ties"), two ratings by
their difference over the length of the scale.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from storage.judgements import Said
from storage.rows import RANKED, RATED
from studio.feedback.counting import orderings_of
from studio.feedback.outcomes import LETTERS

_DRAWS_APART = 0.5
"""Between a tie and "both bad": the same winner, another judgement."""


class Opinion(NamedTuple):
    """What somebody said of a comparison. `values`: of each two answers, 1.0 where the first is better."""

    choice: str
    values: tuple[tuple[int, int, float], ...]
    rating: float | None

    @property
    def places(self) -> list[list[int]]:
        """A ranking's groups of positions, best first, from the orderings of each two."""
        beaten: dict[int, float] = defaultdict(float)
        for first, second, value in self.values:
            beaten[first] += 1.0 - value
            beaten[second] += value
        groups: dict[float, list[int]] = {}
        for position, number in sorted(beaten.items(), key=lambda one: (one[1], one[0])):
            groups.setdefault(number, []).append(position)
        return list(groups.values())

    @property
    def word(self) -> str:
        """What was said, by position: a, tie, 4, "b > a = c"."""
        if self.rating is not None:
            return f"{self.rating:g}"
        if self.choice != RANKED:
            return self.choice
        return " > ".join(" = ".join(LETTERS[position] for position in group) for group in self.places)


class Dispute(NamedTuple):
    """A comparison on which people disagree."""

    comparison_id: str
    split: float
    people: int
    opinions: Mapping[Opinion, int]
    """What was said, and by how many."""

    @property
    def majority(self) -> float:
        """The share of those who said the commonest thing."""
        return max(self.opinions.values()) / self.people


def opinion(vote: Said) -> Opinion:
    """What a vote says, the same for votes that say the same."""
    values = tuple((one.first, one.second, one.value) for one in orderings_of(vote))
    return Opinion(vote.choice, values, vote.rating if vote.choice == RATED else None)


def distance(one: Opinion, other: Opinion, span: float) -> float | None:
    """How far apart two people are, 0 to 1; None where they said different kinds of things. `span`: of the scale."""
    if one.rating is not None and other.rating is not None:
        return min(1.0, abs(one.rating - other.rating) / span)
    if one.values and other.values and len(one.values) == len(other.values):
        apart = sum(abs(a[2] - b[2]) for a, b in zip(one.values, other.values, strict=True)) / len(one.values)
        return _DRAWS_APART if apart == 0 and one.choice != other.choice else apart
    return None


def disputes(votes: Iterable[Said], span: float) -> list[Dispute]:
    """The comparisons on which people disagree, the most split first. `span`: of the scale of ratings, best less worst.

    Where the split is equal, the one that more people judged comes first.
    """
    given: dict[str, Counter[Opinion]] = defaultdict(Counter)
    for vote in votes:
        given[vote.comparison_id][opinion(vote)] += 1
    found = [
        Dispute(identity, split, said.total(), said)
        for identity, said in given.items()
        if len(said) > 1 and (split := _split(said, span))
    ]
    return sorted(found, key=lambda one: (-one.split, -one.people, one.comparison_id))


def _split(said: Mapping[Opinion, int], span: float) -> float:
    """The mean distance between two of the people."""
    total, pairs = 0.0, 0
    for one, other in combinations(said, 2):
        apart = distance(one, other, span)
        if apart is not None:
            number = said[one] * said[other]
            total, pairs = total + apart * number, pairs + number
    alike = sum(number * (number - 1) // 2 for number in said.values())
    return total / (pairs + alike) if pairs else 0.0


def span_of(ratings: Sequence[float], scale: int) -> float:
    """The length of the scale: the study's, or longer where votes from elsewhere leave it."""
    low, high = min([1.0, *ratings]), max([float(scale), *ratings])
    return max(1.0, high - low)
