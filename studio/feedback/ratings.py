"""Ratings of models from pairwise results: Bradley-Terry by maximum likelihood, never sequential Elo.

Elo depends on the order in which votes came in: with 300 votes between four models its usual step named the
wrong winner in 28 % of orders. The maximum-likelihood fit (Bradley & Terry 1952) has no order.

Ties: `model` is Davidson's extension (Davidson 1970, "On extending the Bradley-Terry model to accommodate ties"),
in which a tie is likelier between equals:

    P(a wins) : P(b wins) : P(tie)  =  e^(d/2) : e^(-d/2) : e^tau,    d = strength a - strength b

`half` counts a tie as half a win for each side, `drop` leaves ties out. "Both are bad" is no statement about
which one is better and never enters here.

Intervals: the wider one of observed information and the sandwich (Huber 1967) clustered by prompt. Information alone
calls correlated votes on one prompt independent; the sandwich alone calls five equal votes certain.

Where the maximum lies at infinity (a model that never lost, models that never met; Ford 1957 gives the exact
condition) every model also gets half a win and half a loss against an average opponent, and the result says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.errors import BadInput

TIES = ("model", "half", "drop")
RATING_AT_ZERO = 1000.0
RATING_PER_STRENGTH = 400.0 / np.log(10)  # as Elo's scale: 400 points are odds of ten to one
_NORMAL_95 = 1.959963984540054
_STEPS = 100
_CLOSE = 1e-10

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


class Result(NamedTuple):
    """One pairwise result: 1.0 a wins, 0.0 b wins, 0.5 a tie. `cluster`: results of one prompt share it."""

    a: int
    b: int
    outcome: float
    cluster: str


@dataclass(frozen=True)
class Ratings:
    """Strengths (natural log, mean 0) and ratings with 95 % intervals, in the order of the models given."""

    strength: list[float]
    rating: list[float]
    low: list[float]
    high: list[float]
    notes: list[str] = field(default_factory=list)
    """Sentences on what had to be assumed."""

    fit: dict[str, float] = field(default_factory=dict)
    """Residual deviance and its degrees of freedom: far above them, one scale does not tell who beats whom."""


@dataclass(frozen=True)
class _Table:
    """Results counted by pair and cluster: one row each."""

    a: Ints
    b: Ints
    wins_a: Floats
    wins_b: Floats
    ties: Floats
    cluster: Ints

    @property
    def decided(self) -> bool:
        """Whether anybody won."""
        return bool((self.wins_a + self.wins_b).sum() > 0)


class _Point(NamedTuple):
    """Gradient and information at one set of parameters."""

    value: float
    gradient: Floats
    information: Floats


def rate(count: int, results: Iterable[Result], ties: str = "model") -> Ratings:
    """Rate `count` models from results; raises BadInput for an unknown way to count ties."""
    checked_ties(ties)
    if count == 0:
        return Ratings([], [], [], [])
    table = _counted(results, ties)
    if ties == "model" and not table.decided:  # nothing but ties: Davidson's tau has no finite maximum
        table = _halved(table)
    missing = _unreachable(count, table)
    fit = _Fit(count, table, prior=bool(missing))
    strength, deviation, parameters = fit.solve()
    rating = RATING_AT_ZERO + RATING_PER_STRENGTH * strength
    margin = RATING_PER_STRENGTH * _NORMAL_95 * deviation
    low, high = (rating - margin).tolist(), (rating + margin).tolist()
    return Ratings(strength.tolist(), rating.tolist(), low, high, missing, fit.deviance(parameters))


def checked_ties(ties: str) -> None:
    """Raise BadInput for an unknown way to count ties."""
    if ties not in TIES:
        raise BadInput(f'Ties are counted by one of {", ".join(TIES)}, not "{ties}".')


def _counted(results: Iterable[Result], ties: str) -> _Table:
    """Results as counts by pair (the smaller index first) and cluster."""
    counts: dict[tuple[int, int, str], list[float]] = {}
    for a, b, outcome, cluster in results:
        first, second, won = (a, b, outcome) if a < b else (b, a, 1.0 - outcome)
        row = counts.setdefault((first, second, cluster), [0.0, 0.0, 0.0])
        row[0 if won == 1.0 else 1 if won == 0.0 else 2] += 1.0
    clusters = {name: number for number, name in enumerate(dict.fromkeys(key[2] for key in counts))}
    numbers = np.array(list(counts.values()), dtype=float).reshape(-1, 3)
    table = _Table(
        np.array([key[0] for key in counts], dtype=np.intp),
        np.array([key[1] for key in counts], dtype=np.intp),
        numbers[:, 0],
        numbers[:, 1],
        numbers[:, 2],
        np.array([clusters[key[2]] for key in counts], dtype=np.intp),
    )
    if ties == "half":
        return _halved(table)
    return table if ties == "model" else _without_ties(table)


def _halved(table: _Table) -> _Table:
    half = table.ties / 2
    return _Table(table.a, table.b, table.wins_a + half, table.wins_b + half, np.zeros_like(half), table.cluster)


def _without_ties(table: _Table) -> _Table:
    return _Table(table.a, table.b, table.wins_a, table.wins_b, np.zeros_like(table.ties), table.cluster)


def _unreachable(count: int, table: _Table) -> list[str]:
    """Why there is no finite maximum, as a sentence; empty where there is one (Ford 1957).

    There is one when each model can be reached from each other along "did not lose against".
    """
    beats = np.eye(count, dtype=bool)
    beats[table.a[table.wins_a + table.ties > 0], table.b[table.wins_a + table.ties > 0]] = True
    beats[table.b[table.wins_b + table.ties > 0], table.a[table.wins_b + table.ties > 0]] = True
    if _closed(beats).all():
        return []
    met = _closed(beats | beats.T).all()
    why = (
        "Some models have won or lost every comparison so far"
        if met
        else "Some models have not met yet, directly or through others"
    )
    return [f"{why}, so half a win and half a loss against an average opponent were added to each one."]


def _closed(step: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who reaches whom in any number of steps (squaring doubles the length of the paths)."""
    reach = step
    for _ in range(max(1, int(np.ceil(np.log2(len(step) + 1))))):
        reach = (reach.astype(np.int64) @ reach.astype(np.int64)) > 0
    return reach


class _Fit:
    """Newton's method on the concave log-likelihood of strengths and, where there are ties, tau."""

    def __init__(self, count: int, table: _Table, prior: bool) -> None:
        self.count = count
        self.table = table
        self.prior = prior
        self.with_ties = bool(table.ties.sum() > 0)
        self.size = count + int(self.with_ties)

    def solve(self) -> tuple[Floats, Floats, Floats]:
        """Strengths with mean 0, their standard deviations, and all parameters as they were found."""
        parameters = np.zeros(self.size)
        point = self._at(parameters)
        for _ in range(_STEPS):
            step = np.linalg.pinv(point.information) @ point.gradient
            scale = 1.0
            while scale > 1e-8 and self._at(parameters + scale * step).value < point.value:
                scale /= 2
            parameters = parameters + scale * step
            point = self._at(parameters)
            if np.abs(scale * step).max() < _CLOSE:
                break
        strength = parameters[: self.count]
        return strength - strength.mean(), self._deviation(parameters, point.information), parameters

    def deviance(self, parameters: Floats) -> dict[str, float]:
        """Twice the log-likelihood that is missing to a model with chances of its own for each pair; empty unplayed."""
        table = self.table
        if not len(table.a):
            return {}
        pairs, place = np.unique(table.a * self.count + table.b, return_inverse=True)
        kinds = [table.wins_a, table.wins_b, *([table.ties] if self.with_ties else [])]
        counts = np.stack([np.bincount(place, kind, len(pairs)) for kind in kinds], axis=1)
        chances = np.stack(self._chances(parameters), axis=1)[:, : len(kinds)]
        played = counts.sum(axis=1, keepdims=True)
        shares = np.divide(counts, played, out=np.ones_like(counts), where=counts > 0)
        most = float((counts * np.log(shares)).sum())
        found = sum(float((kind * np.log(np.maximum(chances[:, at], 1e-300))).sum()) for at, kind in enumerate(kinds))
        free = len(pairs) * (len(kinds) - 1) - (self.size - 1)
        return {"deviance": 2 * (most - found), "df": float(max(0, free))}

    def _chances(self, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """P(a wins), P(b wins), P(tie) for each row."""
        half = (parameters[self.table.a] - parameters[self.table.b]) / 2
        tie = np.full_like(half, parameters[-1] if self.with_ties else -np.inf)
        logits = np.stack([half, -half, tie])
        weights = np.exp(logits - logits.max(axis=0, initial=-np.inf))
        chances = weights / weights.sum(axis=0)
        return chances[0], chances[1], chances[2]

    def _at(self, parameters: Floats) -> _Point:
        table, size = self.table, self.size
        wins_a, wins_b, ties = table.wins_a, table.wins_b, table.ties
        p_a, p_b, p_tie = self._chances(parameters)
        games = wins_a + wins_b + ties
        pairs = ((wins_a, p_a), (wins_b, p_b), (ties, p_tie))
        value = float(sum((n * np.log(np.maximum(p, 1e-300))).sum() for n, p in pairs))
        slope = (wins_a - wins_b) / 2 - games * (p_a - p_b) / 2
        gradient: Floats = np.zeros(size)
        np.add.at(gradient, table.a, slope)
        np.add.at(gradient, table.b, -slope)
        bend = games * ((p_a + p_b) / 4 - ((p_a - p_b) / 2) ** 2)
        information = np.zeros((size, size))
        for one, other in ((table.a, table.a), (table.b, table.b), (table.a, table.b), (table.b, table.a)):
            np.add.at(information, (one, other), bend if one is other else -bend)
        if self.with_ties:
            mixed = -games * p_tie * (p_a - p_b) / 2
            for side, part in ((table.a, mixed), (table.b, -mixed)):
                np.add.at(information[-1], side, part)
                np.add.at(information[:, -1], side, part)
            gradient[-1] = (ties - games * p_tie).sum()
            information[-1, -1] = (games * p_tie * (1 - p_tie)).sum()
        return self._with_prior(parameters, _Point(value, gradient, information))

    def _with_prior(self, parameters: Floats, point: _Point) -> _Point:
        """Half a win and half a loss of each model against an opponent of strength 0."""
        if not self.prior:
            return point
        strength = parameters[: self.count]
        chance = 1 / (1 + np.exp(-strength))
        value = point.value + float((0.5 * np.log(chance) + 0.5 * np.log1p(-chance)).sum())
        models = np.arange(self.count)
        gradient = point.gradient.copy()
        gradient[models] += 0.5 - chance
        information = point.information.copy()
        information[models, models] += chance * (1 - chance)
        return _Point(value, gradient, information)

    def _deviation(self, parameters: Floats, information: Floats) -> Floats:
        """Standard deviations of the strengths about their mean: the wider of information and sandwich."""
        # The pseudo-inverse fixes the free constant at mean 0; the centring does it where a prior fixed it elsewhere.
        inverse = np.linalg.pinv(information)
        centre = np.eye(self.size)
        centre[: self.count, : self.count] -= 1 / self.count
        scores = self._scores(parameters)
        sandwich = inverse @ (scores.T @ scores) @ inverse
        variances = [np.diag(centre @ matrix @ centre.T)[: self.count] for matrix in (inverse, sandwich)]
        return np.sqrt(np.maximum(np.maximum(*variances), 0.0))

    def _scores(self, parameters: Floats) -> Floats:
        """The gradient of each cluster: results of one prompt move together."""
        table = self.table
        p_a, p_b, p_tie = self._chances(parameters)
        games = table.wins_a + table.wins_b + table.ties
        slope = (table.wins_a - table.wins_b) / 2 - games * (p_a - p_b) / 2
        scores = np.zeros((int(table.cluster.max(initial=-1)) + 1, self.size))
        np.add.at(scores, (table.cluster, table.a), slope)
        np.add.at(scores, (table.cluster, table.b), -slope)
        if self.with_ties:
            np.add.at(scores[:, -1], table.cluster, table.ties - games * p_tie)
        return scores


def as_json(ratings: Ratings, index: int) -> dict[str, Any]:
    """One model's numbers as DESIGN 4.2 names them."""
    return {
        "strength": ratings.strength[index],
        "rating": ratings.rating[index],
        "low": ratings.low[index],
        "high": ratings.high[index],
    }
