"""A run's metrics as curves: every series thin enough to draw, and new points alone for those who drew before.

A run that was killed and resumed does the steps after its checkpoint again: of each step the last value counts.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.runs import read_events

MOST_POINTS = 500
Point = tuple[float, float | None]

NOT_METRICS = frozenset({"t", "kind", "step"})
"""What stands in a metric event beside the metrics."""


class Curves(NamedTuple):
    """Series by metric as [step, value] points, and the offset from which to ask for what comes next.

    A value that is not finite is None: JSON has no word for it, and the curve shows a gap.
    """

    series: dict[str, list[Point]]
    offset: int
    warnings: list[str]

    def to_json(self) -> dict[str, Any]:
        """The curves for the page."""
        return self._asdict()


def curves(folder: Path, offset: int = 0, most: int = MOST_POINTS) -> Curves:
    """The metrics of a run from a byte offset of its events on, at most `most` points a series."""
    page = read_events(folder, offset)
    series: dict[str, dict[float, float | None]] = defaultdict(dict)
    warnings = []
    for event in page.events:
        if event.get("kind") == "metric":
            for name, value in event.items():
                if name not in NOT_METRICS and isinstance(value, int | float):
                    series[name][event.get("step", 0)] = finite(value)
        elif event.get("kind") == "warning":
            warnings.append(str(event.get("sentence", "")))
    return Curves(
        {name: thinned(sorted(values.items()), most) for name, values in series.items()}, page.offset, warnings
    )


def finite(value: Any) -> Any:
    """The value, or None where it is a number that JSON cannot carry."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` points that keep the shape: the lowest and highest of each stretch, the first and the last."""
    if len(points) <= most:
        return list(points)
    stretches = max(1, (most - 2) // 2)
    inner = points[1:-1]
    kept = [points[0]]
    for number in range(stretches):
        part = inner[number * len(inner) // stretches : (number + 1) * len(inner) // stretches]
        kept += sorted(set(_extremes(part)), key=lambda point: point[0])
    return [*kept, points[-1]]


def _extremes(part: Sequence[Point]) -> list[Point]:
    """The lowest and the highest point of a stretch; one gap where nothing in it is finite."""
    finite_points = [point for point in part if point[1] is not None]
    if not finite_points:
        return list(part[:1])
    return [
        min(finite_points, key=lambda point: point[1] or 0.0),
        max(finite_points, key=lambda point: point[1] or 0.0),
    ]
