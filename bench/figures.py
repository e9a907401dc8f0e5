"""Figures in the form that every measurement prints: percentiles of times, ratios with their goals."""

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]


class Times(NamedTuple):
    """Milliseconds of so many."""

    p50: float
    p95: float
    p99: float
    worst: float
    count: int


def times(milliseconds: Sequence[float]) -> Times:
    """Percentiles, each a time that was taken or lies between two; raises ValueError for none."""
    if not milliseconds:
        raise ValueError("Nothing was timed.")
    several = milliseconds if len(milliseconds) > 1 else [*milliseconds, *milliseconds]
    cuts = statistics.quantiles(several, n=100, method="inclusive")
    p50, p95, p99, worst = (round(value, 2) for value in (cuts[49], cuts[94], cuts[98], max(milliseconds)))
    return Times(p50, p95, p99, worst, len(milliseconds))


def ratio(against: str, value: float, goal: float | None, better: str = "lower") -> Json:
    """One line of `ratios`; without a goal it only tells."""
    return {"against": against, "value": round(value, 3), "goal": goal, "better": better}


def reached(one: Json) -> bool:
    """Whether a ratio keeps its goal; one without a goal always does."""
    if one["goal"] is None:
        return True
    return bool(one["value"] <= one["goal"] if one["better"] == "lower" else one["value"] >= one["goal"])


def report(name: str, ours: Json, baselines: Json, ratios: list[Json], sound: bool = True, **more: Any) -> Json:
    """The object of a measurement; it is met where all goals are, and what must be right is (`sound`)."""
    return {
        "name": name,
        **more,
        "ours": ours,
        "baselines": baselines,
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": sound and all(map(reached, ratios)),
    }
