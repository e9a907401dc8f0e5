"""A run as the worker sees it: its events, read as they come, turned into columns of the job row."""

from pathlib import Path
from typing import Any

from storage.clock import now
from storage.jobs import follow
from storage.rows_training import Job
from storage.runs import read_events
from storage.store import Store

_BEAT_SECONDS = 1.0  # the page reads events.jsonl; the row need not follow every step


def attempt_of(job: Job) -> str:
    """What names one attempt at a job: when it was claimed. A resumed job is claimed once more."""
    return repr(job.started_at)


class Follower:
    """Reads the events of one attempt. `outcome`: the event that ended it, if any."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job = job
        self.folder = folder
        self.outcome: dict[str, Any] | None = None
        self.step = job.step
        self.phase = job.phase
        self._attempt = attempt_of(job)
        self._mine = False
        self._offset = 0
        self._metrics: dict[str, Any] = dict(job.metrics)
        self._progress: dict[str, Any] = {}
        self._wrote = 0.0

    def read(self, store: Store, whole: bool = False) -> None:
        """Read what is new and write it to the job row, at most once a second unless `whole`."""
        page = read_events(self.folder, self._offset)
        self._offset = page.offset
        for event in page.events:
            self._take(event)
        moment = now()
        if whole or self._progress.get("phase", self.phase) != self.phase or moment - self._wrote >= _BEAT_SECONDS:
            self.phase = self._progress.get("phase", self.phase)
            follow(store, self.job.id, **self._progress)
            self._wrote = moment

    def _take(self, event: dict[str, Any]) -> None:
        if "attempt" in event:
            self._mine = event["attempt"] == self._attempt
            self.outcome = None
        if not self._mine:
            return
        kind = event["kind"]
        if kind == "progress":
            self._progress |= {name: event.get(name) for name in ("phase", "eta_seconds")}
            if event.get("total_steps"):
                self._progress |= {"step": event["step"], "total_steps": event["total_steps"]}
                self.step = event["step"]
        elif kind == "metric":
            self._measure(event)
        elif kind == "evaluation":
            self._progress["evaluation"] = {name: found for name, found in event.items() if name not in ("t", "kind")}
        elif kind in ("done", "failed") or event.get("outcome") == "stopped":
            self.outcome = self.outcome or event

    def _measure(self, event: dict[str, Any]) -> None:
        self._metrics |= {name: value for name, value in event.items() if name not in ("t", "kind", "step")}
        self._progress["metrics"] = self._metrics
        # From the button: the job row is made when it is pressed. A resumed job keeps its first number.
        first = "loss" in event and self.job.seconds_to_first_step is None
        if first and "seconds_to_first_step" not in self._progress:
            self._progress["seconds_to_first_step"] = round(event["t"] - self.job.created_at, 3)
