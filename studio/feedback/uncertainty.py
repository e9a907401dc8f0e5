"""How little is known of who wins: what makes the next comparison worth judging.

Of each two contestants the width of an interval on their win rate counts: 1.96 standard errors to either side, after
one win and one loss are added so that the first votes do not promise too much. It is a ranking of what to ask, not a
verdict: verdicts come from the anytime-valid intervals (`intervals.py`), which hold whatever is asked next.

A pair whose interval has left one half is worth less than one that is open: that is what saves votes, as in the
active sampling of Chiang et al. 2024 ("Chatbot Arena", section 5), which weighs by how much an interval narrows.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import sqrt

ALIKE = 0.9
"""Answers that share so much of their words are near-identical: whoever judges them will mostly say tie."""

_ERRORS = 1.96
# An open question is worth four told ones: told pairs still narrow, but late.
_TOLD = 0.25
_WORDS = re.compile(r"\w+")

Pair = tuple[str, str]
"""Names of two contestants in alphabetical order; one name twice where an answer stands alone."""


@dataclass
class Known:
    """What has been said of one pair: results in [0, 1], of which only three sums are kept."""

    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """One more result."""
        self.count += 1
        self.total += value
        self.squares += value * value

    def width(self, pending: float = 0.0) -> float:
        """How wide the interval is; `pending`: results on the way, which are expected to be like those that came."""
        count = self.count + 2
        mean = (self.total + 1) / count
        variance = max((self.squares + 1) / count - mean * mean, 1e-4)
        return 2 * _ERRORS * sqrt(variance / (count + pending))

    def worth(self, pending: float = 0.0) -> float:
        """How much the next result would tell: the width, less where it is told who wins."""
        width = self.width(pending)
        mean = (self.total + 1) / (self.count + 2)
        return width if abs(mean - 0.5) <= width / 2 else _TOLD * width


def pair_of(first: str, second: str) -> Pair:
    """Two names as a pair."""
    return (first, second) if first <= second else (second, first)


def pairs_of(names: Sequence[str]) -> list[Pair]:
    """The pairs of a line-up; of an answer that stands alone, itself."""
    if len(names) == 1:
        return [(names[0], names[0])]
    return [pair_of(*two) for two in combinations(names, 2)]


def worth_of(names: Sequence[str], known: Mapping[Pair, Known], pending: Mapping[Pair, float] | None = None) -> float:
    """How much judging a line-up would tell: the mean over its pairs; a contestant against itself tells nothing."""
    found = []
    for pair in pairs_of(names):
        if pair[0] == pair[1] and len(names) > 1:
            found.append(0.0)
        else:
            found.append(known.get(pair, Known()).worth((pending or {}).get(pair, 0.0)))
    return sum(found) / len(found)


def likeness(texts: Iterable[str]) -> float:
    """How much of their words texts share: the mean over pairs of the Jaccard index of word pairs; 1 is identical."""
    bags = [_bag(text) for text in texts]
    shares = [len(a & b) / len(a | b) if a | b else 1.0 for a, b in combinations(bags, 2)]
    return sum(shares) / len(shares) if shares else 0.0


def _bag(text: str) -> set[tuple[str, str]]:
    """Each word with the one before it: order counts, length does not."""
    words = ["", *_WORDS.findall(text.lower())]
    return set(pairwise(words))
