"""Shares of a number of cases with Wilson's interval (J. Am. Stat. Assoc. 22, 1927): how often somebody was right."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.05


class Share(NamedTuple):
    """A share of `n`, with an interval; all None where there is nothing to share."""

    rate: float | None
    low: float | None
    high: float | None
    n: int


def wilson(rate: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval for a share of n."""
    z = NormalDist().inv_cdf(1 - level / 2)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    margin = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - margin), min(1.0, middle + margin)


def share(part: float, n: int, level: float = LEVEL) -> Share:
    """The share of `n` cases, with its interval."""
    return Share(part / n, *wilson(part / n, n, level), n) if n else Share(None, None, None, 0)
