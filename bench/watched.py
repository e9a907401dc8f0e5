"""Memory, descriptors and threads of processes over time, and whether they grow."""

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psutil


class Sample(NamedTuple):
    """A process at one moment. `megabytes`: resident; `own`: of that, what no other process shares."""

    at: float
    megabytes: float
    own: float
    descriptors: int
    threads: int


class Growth(NamedTuple):
    """From the first quarter after the warm-up to the last one.

    Memory by medians, in percent. Descriptors and threads by the least of each quarter: connections come and go, what
    leaks stays.
    """

    megabytes: float
    growth_percent: float
    peak: float
    descriptors: int
    descriptors_grown: int
    threads: int
    threads_grown: int


class Watch:
    """Samples of several processes by name; a process that was started again is followed on."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.samples: dict[str, list[Sample]] = {}
        self._pids: dict[str, set[int]] = {}

    def look(self, pids: Mapping[str, int | None]) -> None:
        """One sample of each process that lives."""
        for name, pid in pids.items():
            try:
                process = psutil.Process(pid) if pid else None
                if process is not None:
                    self.samples.setdefault(name, []).append(self._sample(process))
                    self._pids.setdefault(name, set()).add(process.pid)
            except psutil.NoSuchProcess:
                continue

    def _sample(self, process: psutil.Process) -> Sample:
        with process.oneshot():
            memory = process.memory_full_info()
            return Sample(
                round(time.monotonic() - self.begun, 1), round(memory.rss / 1e6, 2), round(memory.uss / 1e6, 2),
                process.num_fds(), process.num_threads(),
            )  # fmt: skip

    def restarts(self, name: str) -> int:
        """How often another process took the place of the first."""
        return max(0, len(self._pids.get(name, ())) - 1)

    def told(self, warm_up: float) -> dict[str, Any]:
        """The growth of each process after so many seconds; those that lived too briefly are left out."""
        grown = {name: growth(samples, warm_up) for name, samples in self.samples.items()}
        return {
            name: {**one._asdict(), "restarts": self.restarts(name), "curve": curve(self.samples[name])}
            for name, one in grown.items()
            if one is not None
        }


def growth(samples: Sequence[Sample], warm_up: float) -> Growth | None:
    """What has grown after `warm_up`; None for fewer than four samples."""
    after = [one for one in samples if one.at >= warm_up]
    if len(after) < 4:
        return None
    quarter = len(after) // 4
    first, last = after[:quarter], after[-quarter:]
    before, now = (statistics.median(one.megabytes for one in part) for part in (first, last))
    descriptors = [min(one.descriptors for one in part) for part in (first, last)]
    threads = [min(one.threads for one in part) for part in (first, last)]
    return Growth(
        round(now, 1), round(100 * (now - before) / before, 2), max(one.megabytes for one in samples),
        descriptors[1], descriptors[1] - descriptors[0], threads[1], threads[1] - threads[0],
    )  # fmt: skip


def curve(samples: Sequence[Sample], points: int = 20) -> list[list[float]]:
    """Some samples, evenly spaced: seconds, megabytes, own megabytes, descriptors, threads."""
    step = max(1, len(samples) // points)
    return [list(one) for one in samples[::step]]
