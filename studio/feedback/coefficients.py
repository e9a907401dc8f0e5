"""Agreement between people beyond chance, from a table of items by people; missing labels are allowed everywhere.

Categories are numbers 0 … q-1 in order, -1 where a person gave no label. With missing labels the coefficients are
those of Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014), chapter 2: observed agreement over items with two
labels or more, chance from all items with a label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int64]
"""Items (rows) by people (columns)."""
Floats = NDArray[np.float64]
_RESAMPLES = 1000
_NORMAL_95 = 1.959963984540054


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


class Pair(NamedTuple):
    """Two people (columns of the table) on the `n` items that both labelled."""

    a: int
    b: int
    n: int
    percent: float
    cohen: float | None
    linear: float | None
    quadratic: float | None
    scott: float | None
    cohen_error: "Error | None" = None
    linear_error: "Error | None" = None


class Error(NamedTuple):
    """How sure a kappa is: its standard error with a 95 % interval, and against no agreement beyond chance, z."""

    ase: float
    low: float
    high: float
    ase_h0: float
    z: float


@dataclass(frozen=True)
class Chance:
    """Observed agreement, and the coefficients that differ in what they take for chance; None where undefined."""

    percent: float | None
    fleiss: float | None
    conger: float | None
    gwet: float | None
    brennan_prediger: float | None


def beyond_chance(observed: float, expected: float) -> float | None:
    """(observed - expected) / (1 - expected); 1 where both are certain, None where chance alone explains all."""
    if expected >= 1.0 - 1e-12:
        return 1.0 if observed >= 1.0 - 1e-12 else None
    return (observed - expected) / (1.0 - expected)


def counts_of(table: Table, categories: int) -> Floats:
    """How many people gave each item each category: items by categories."""
    return np.stack([(table == category).sum(axis=1) for category in range(categories)], axis=1).astype(float)


def several(table: Table, categories: int) -> Chance:
    """The coefficients for any number of people.

    Fleiss' kappa (Psychol. Bull. 76, 1971), Conger's (Psychol. Bull. 88, 1980), Gwet's AC1 (Br. J. Math. Stat.
    Psychol. 61, 2008), Brennan and Prediger's (Educ. Psychol. Meas. 41, 1981).
    """
    counts = counts_of(table, categories)
    given = counts.sum(axis=1)
    twice = given >= 2
    if not twice.any():
        return Chance(None, None, None, None, None)
    agreeing = (counts * (counts - 1)).sum(axis=1)[twice] / (given * (given - 1))[twice]
    observed = float(agreeing.mean())
    some = given >= 1
    shares = (counts[some] / given[some, None]).mean(axis=0)
    spread = float((shares * (1 - shares)).sum())
    return Chance(
        observed,
        beyond_chance(observed, float((shares**2).sum())),
        beyond_chance(observed, _conger_chance(table, categories)),
        beyond_chance(observed, spread / (categories - 1) if categories > 1 else 0.0),
        beyond_chance(observed, 1 / categories),
    )


def _conger_chance(table: Table, categories: int) -> float:
    """Chance where each person has habits of their own: means of the shares less their variance over people."""
    own = np.stack([(table == category).sum(axis=0) for category in range(categories)], axis=1).astype(float)
    own = own[own.sum(axis=1) > 0]
    shares = own / own.sum(axis=1, keepdims=True)
    people = len(shares)
    if people < 2:
        return 1.0
    mean = shares.mean(axis=0)
    return float((mean**2).sum() - (shares.var(axis=0, ddof=1) / people).sum())


def pairs(table: Table, categories: int) -> list[Pair]:
    """Each two people who share items: Cohen's kappa (Educ. Psychol. Meas. 20, 1960), weighted (1968), Scott's pi."""
    found = []
    for a, b in combinations(range(table.shape[1]), 2):
        both = (table[:, a] >= 0) & (table[:, b] >= 0)
        if not both.any():
            continue
        crossed = np.zeros((categories, categories))
        np.add.at(crossed, (table[both, a], table[both, b]), 1)
        found.append(_pair(a, b, crossed))
    return found


def _pair(a: int, b: int, crossed: Floats) -> Pair:
    n = crossed.sum()
    shares = crossed / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    percent = float(np.trace(shares))
    apart = np.abs(np.subtract.outer(np.arange(len(crossed)), np.arange(len(crossed)))).astype(float)
    return Pair(
        a,
        b,
        int(n),
        percent,
        beyond_chance(percent, float(rows @ columns)),
        _weighted(shares, apart),
        _weighted(shares, apart**2),
        beyond_chance(percent, float((((rows + columns) / 2) ** 2).sum())),
        _error(shares, int(n), 1.0 - np.eye(len(crossed))),
        _error(shares, int(n), apart),
    )


def _error(shares: Floats, n: int, apart: Floats) -> Error | None:
    """The error of a (weighted) kappa in large samples (Fleiss, Cohen and Everitt, Psychol. Bull. 72, 1969)."""
    top = float(apart.max())
    weights = 1.0 - apart / top if top > 0 else np.ones_like(apart)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    chance, observed = float(rows @ weights @ columns), float((shares * weights).sum())
    if chance >= 1.0 - 1e-12:
        return None
    kappa = (observed - chance) / (1 - chance)
    mean = (weights @ columns)[:, None] + (weights.T @ rows)[None, :]
    spread = float((shares * (weights - mean * (1 - kappa)) ** 2).sum()) - (kappa - chance * (1 - kappa)) ** 2
    none = float((np.outer(rows, columns) * (weights - mean) ** 2).sum()) - chance**2
    ase, ase_h0 = (float(np.sqrt(max(0.0, value) / n)) / (1 - chance) for value in (spread, none))
    margin = _NORMAL_95 * ase
    return Error(ase, kappa - margin, kappa + margin, ase_h0, kappa / ase_h0 if ase_h0 > 0 else 0.0)


def _weighted(shares: Floats, apart: Floats) -> float | None:
    """Weighted kappa from the distances between categories."""
    expected = float((np.outer(shares.sum(axis=1), shares.sum(axis=0)) * apart).sum())
    observed = float((shares * apart).sum())
    if expected <= 1e-12:
        return 1.0 if observed <= 1e-12 else None
    return 1.0 - observed / expected


def alpha(table: Table, values: Sequence[float], level: str) -> float | None:
    """Krippendorff's alpha (Content Analysis, 4th ed. 2018, section 12.3); level: nominal, ordinal or interval.

    `values`: what the categories are worth, for interval. None where fewer than two labels meet anywhere.
    """
    together = _coincidences(table, len(values))
    return _alpha_of(together.sum(axis=0), np.asarray(values, float), level)


def alpha_interval(table: Table, values: Sequence[float], level: str, seed: int = 0) -> Interval | None:
    """A percentile bootstrap interval of alpha over items (1,000 resamples)."""
    together = _coincidences(table, len(values))
    worth = np.asarray(values, float)
    if len(together) < 2:
        return None
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(together), np.full(len(together), 1 / len(together)), size=_RESAMPLES)
    flat = together.reshape(len(together), -1)
    sums = (drawn @ flat).reshape(-1, len(worth), len(worth))
    found = [value for one in sums if (value := _alpha_of(one, worth, level)) is not None]
    if not found:
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return Interval(float(low), float(high))


def _coincidences(table: Table, categories: int) -> Floats:
    """For each item with two labels or more, how often each two categories meet there."""
    counts = counts_of(table, categories)
    given = counts.sum(axis=1)
    counts, given = counts[given >= 2], given[given >= 2]
    met = counts[:, :, None] * counts[:, None, :]
    index = np.arange(categories)
    met[:, index, index] -= counts
    together: Floats = met / (given - 1)[:, None, None] if len(given) else met
    return together


def _alpha_of(together: Floats, values: Floats, level: str) -> float | None:
    """Alpha from the sum of coincidences."""
    totals = together.sum(axis=1)
    n = totals.sum()
    if n < 2:
        return None
    apart = _distances(totals, values, level)
    observed = (together * apart).sum() / n
    expected = (np.outer(totals, totals) * apart).sum() / (n * (n - 1))
    if expected <= 1e-12:
        return 1.0 if observed <= 1e-12 else None
    return float(1.0 - observed / expected)


def _distances(totals: Floats, values: Floats, level: str) -> Floats:
    """Squared distances between categories at a level of measurement."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return np.asarray(np.subtract.outer(values, values) ** 2, float)
    # Ordinal: how many labels lie between two categories, half of those at the ends.
    before = np.cumsum(totals) - totals / 2
    return np.asarray(np.subtract.outer(before, before) ** 2, float)
