"""Metrics of runs held as plain numbers, so that a run of 100,000 steps can be zoomed into at once.

Reading such a run's events takes a second; a zoom asks for a part of them again and again. The book keeps the few
runs that are being looked at, reads only what was appended since, and thins any range from arrays.
"""

import math
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.runs import read_events
from studio.training.curves import MOST_POINTS, NOT_METRICS, Curves, Point, finite, thinned

_KEPT = 4  # runs held; one of 100,000 steps and ten metrics takes 16 MB
_CHUNK = 4_000_000  # bytes of events read at a time


class _Series:
    """The values of one metric by step, the steps rising; `gaps`: some are no numbers."""

    def __init__(self) -> None:
        self.steps = array("d")
        self.values = array("d")
        self.gaps = False

    def add(self, step: float, value: float) -> None:
        """One more value. A resumed run does steps again: what was measured from this one on has been undone."""
        if self.steps and step <= self.steps[-1]:
            at = bisect_left(self.steps, step)
            del self.steps[at:], self.values[at:]
        self.steps.append(step)
        self.values.append(value)
        self.gaps = self.gaps or not math.isfinite(value)

    def part(self, first: float, last: float, most: int) -> list[Point]:
        """At most `most` points of the steps from `first` to `last`, and one more on each side to draw on to."""
        low = max(0, bisect_left(self.steps, first) - 1)
        high = bisect_right(self.steps, last) + 1
        steps, values = self.steps[low:high], self.values[low:high]
        if len(steps) <= most:
            return [(step, finite(value)) for step, value in zip(steps, values, strict=True)]
        if self.gaps:
            return thinned([(step, finite(value)) for step, value in zip(steps, values, strict=True)], most)
        return [(steps[at], values[at]) for at in _telling(values, most)]


def _telling(values: "array[float]", most: int) -> list[int]:
    """Where the lowest and highest value of each stretch lie, with the first and the last."""
    stretches = max(1, (most - 2) // 2)
    inner = len(values) - 2
    found = [0]
    for number in range(stretches):
        start, end = 1 + number * inner // stretches, 1 + (number + 1) * inner // stretches
        part = values[start:end]
        found += sorted({start + part.index(min(part)), start + part.index(max(part))})
    return [*found, len(values) - 1]


@dataclass
class _Page:
    """What has been read of one run."""

    offset: int = 0
    series: dict[str, _Series] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def read(self, folder: Path) -> None:
        """Take in what was appended since."""
        while True:
            page = read_events(folder, self.offset, _CHUNK)
            for event in page.events:
                self._take(event)
            if page.offset == self.offset:
                return
            self.offset = page.offset

    def _take(self, event: dict[str, Any]) -> None:
        if event.get("kind") == "warning":
            self.warnings.append(str(event.get("sentence", "")))
        if event.get("kind") != "metric":
            return
        step = event.get("step", 0)
        for name, value in event.items():
            if name not in NOT_METRICS and isinstance(value, int | float):
                self.series.setdefault(name, _Series()).add(step, value)


class CurveBook:
    """The runs that are looked at. Safe to ask from several threads."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Path, _Page] = OrderedDict()
        self._lock = threading.Lock()

    def curves(
        self, folder: Path, first: float | None = None, last: float | None = None, most: int = MOST_POINTS
    ) -> Curves:
        """The metrics of a run between two steps, at most `most` points a series; the whole run where none is given."""
        low = -math.inf if first is None else first
        high = math.inf if last is None else last
        with self._lock:
            page = self._page(folder)
            series = {name: one.part(low, high, most) for name, one in page.series.items()}
            return Curves(series, page.offset, list(page.warnings))

    def _page(self, folder: Path) -> _Page:
        page = self._pages.pop(folder, None) or _Page()
        page.read(folder)
        self._pages[folder] = page
        while len(self._pages) > _KEPT:
            self._pages.popitem(last=False)
        return page
