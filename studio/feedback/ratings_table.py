"""Ratings of single answers by contestant: the mean with an interval, and how often each step was given.

The interval is a percentile bootstrap over prompts (1,000 resamples, a fixed seed): ratings of one prompt are alike, so
prompts are drawn, not ratings (Davison and Hinkley 1997, "Bootstrap Methods and their Application", section 3.8).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from storage.rows import RATED
from studio.feedback.counting import Counted

_RESAMPLES = 1000
_AT_ONCE = 2_000_000  # cells of one matrix of draws: 16 MB


class Rating(NamedTuple):
    """One number that somebody gave an answer of a contestant; `prompt` is what ratings share."""

    name: str
    prompt: str
    value: float


@dataclass(frozen=True)
class Mean:
    """The ratings of one contestant. `low` and `high` are None with fewer than two prompts."""

    name: str
    mean: float
    low: float | None
    high: float | None
    ratings: int
    prompts: int
    steps: dict[str, int]
    """How often each value was given, lowest first."""

    def to_json(self) -> dict[str, Any]:
        """For the leaderboard."""
        return dict(vars(self))


def ratings_of(counted: Counted) -> list[Rating]:
    """The ratings of a study that count. A comparison without a prompt stands for itself."""
    found = []
    for vote in counted.votes:
        if vote.choice == RATED and vote.rating is not None:
            name = counted.contests[vote.comparison_id].models[0]
            found.append(Rating(name, counted.unit(vote.comparison_id), vote.rating))
    return found


def means(ratings: Iterable[Rating], names: Sequence[str]) -> list[Mean]:
    """One row a contestant that was rated, best mean first; equal means in the order of `names`."""
    given: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in ratings:
        given[one.name][one.prompt].append(one.value)
    made = [_mean(name, given[name].values()) for name in names if name in given]
    return sorted(made, key=lambda one: -one.mean)


def _mean(name: str, by_prompt: Iterable[list[float]]) -> Mean:
    groups = list(by_prompt)
    values = [value for group in groups for value in group]
    sums = np.array([sum(group) for group in groups])
    counts = np.array([len(group) for group in groups], dtype=float)
    low, high = _bootstrap(sums, counts) if len(groups) > 1 else (None, None)
    steps = {f"{value:g}": number for value, number in sorted(Counter(values).items())}
    return Mean(name, float(sums.sum() / counts.sum()), low, high, len(values), len(groups), steps)


def _bootstrap(sums: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the mean over drawn prompts."""
    random = np.random.default_rng(0)
    size = len(sums)
    found: list[float] = []
    while len(found) < _RESAMPLES:
        number = max(1, min(_RESAMPLES - len(found), _AT_ONCE // size))
        drawn = random.multinomial(size, np.full(size, 1 / size), size=number)
        found.extend(((drawn @ sums) / (drawn @ counts)).tolist())
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
