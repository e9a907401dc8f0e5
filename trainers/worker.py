"""The worker: takes jobs from the queue, has each run as a process of its own, records how it ended.

    python -m trainers.worker --home HOME [--idle SECONDS] [--slots DEVICE,DEVICE]

It holds SQLite and no torch. There is one for each home (a lock on worker.lock). It can be killed at any point:
runs live in their own sessions, everything it knows lies in the store and the run folders, and the next worker
takes up each unfinished job where it stands (see `Worker.tick`). Each device holds one run; a machine without
accelerator has one slot.
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from storage import jobs, queueing
from storage.clock import now
from storage.errors import NotReady, RatchetError
from storage.home import Home
from storage.processes import nobody_works, serving
from storage.rows_training import Job
from storage.runs import append_event
from storage.store import Store
from trainers.aside import come_back, make_room, still_needed
from trainers.chaining import fill
from trainers.executor import Executor, LocalExecutor, local_slots
from trainers.forking import Nursery
from trainers.ladder import Patience
from trainers.settling import fail, settle
from trainers.watched import Watched, devices_of, order_for

_POLL_SECONDS = 0.1


class Worker:
    """The loop over one home's jobs; `tick` is one turn of it."""

    def __init__(
        self, store: Store, idle: float, say: Callable[[str], None] = print, executor: Executor | None = None
    ) -> None:
        self.store = store
        self.idle = idle
        self.executor: Executor = executor or LocalExecutor()
        self.patience = Patience()
        self._say = say
        self._watched: dict[str, Watched] = {}

    def run(self) -> None:
        """Turn until nothing runs, nothing can begin and nobody serves this home for `idle` seconds."""
        quiet_since = now()
        while now() - quiet_since < self.idle:
            busy, served = self.tick(), serving(self.store.home)
            if busy or served or queueing.ready(self.store):
                quiet_since = now()
            if served and not busy:  # somebody may press a button; a worker for one call has no use for it
                self._get_ready()
            self.executor.wait(_POLL_SECONDS)

    def _get_ready(self) -> None:
        """What the next job would else wait for: how runs are started, and what asks the engine to make room."""
        import httpx as _  # noqa: F401

        self.executor.prepare()

    def tick(self) -> bool:
        """Take up what an earlier worker left and what there is room for, then look after all; whether any runs."""
        for job in reversed(jobs.list_jobs(self.store, "running")):
            if job.id not in self._watched:
                self._take_up(job)
        while claimed := self._claimed():
            self._take_up(claimed)
        for watched in list(self._watched.values()):
            self._look_after(watched)
        return bool(self._watched)

    def _claimed(self) -> Job | None:
        """The next job of the queue, where devices are free for it."""
        free, slots = self._free(), self.executor.slots()
        if not free:
            return None
        return jobs.claim(self.store, jobs.Room(len(free), len(slots), nobody_works(self.store.home)))

    def _free(self) -> list[str]:
        """The devices on which nothing runs; none where a run has devices that are no longer known."""
        slots = self.executor.slots()
        used = {device for watched in self._watched.values() for device in watched.order.devices}
        return [slot for slot in slots if slot not in used] if used <= set(slots) else []

    def _take_up(self, job: Job) -> None:
        """Give the job its devices and its process; or adopt the one that it has."""
        if not devices_of(job):
            job = jobs.given(self.store, job.id, self._free()[: job.devices] or self.executor.slots()[:1])
        try:
            job = fill(self.store, job)
            if said := self._make_room(job):
                self._say(f"Job {job.number}: {said}")
            watched = Watched.take_up(self.store.home, job, self.executor, self.patience)
        except (RatchetError, OSError) as error:
            sentence = f"The run could not be started: {error}"
            come_back(self.store.home, job.id)
            fail(self.store, job, "not-started", sentence, "Start the job again.", self._say)
            return
        self._watched[job.id] = watched
        if len(watched.order.devices) < job.devices:
            said = f"It wanted {job.devices} devices, and this machine has {len(watched.order.devices)} to give."
            append_event(watched.order.folder, "warning", sentence=said)
        self._say(f"Job {job.number} ({job.method}, {job.name}) runs on {', '.join(watched.order.devices)}.")

    def _make_room(self, job: Job) -> str | None:
        """Have the engine move aside where a run that is about to start needs it; what it says goes to the run."""
        order = order_for(self.store.home, job)
        if self.executor.find(order) is not None:
            still_needed(self.store.home, job)
            return None
        said = make_room(self.store.home, job, order.devices, self.executor)
        if said:
            append_event(order.folder, "log", sentence=said)
        return said

    def _look_after(self, watched: Watched) -> None:
        if watched.look(self.store):
            return
        again = settle(self.store, watched, self._say)
        del self._watched[watched.job.id]
        if again is None:
            come_back(self.store.home, watched.job.id)
        if again is not None:
            self._take_up(again)


@contextmanager
def only_one(home: Home) -> Iterator[None]:
    """Hold the home's worker lock; raises NotReady where another worker holds it."""
    with home.worker_lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReady(f"Another worker looks after {home.path} already.") from None
        yield


def _nursery(home: Home) -> Nursery:
    return Nursery(home.logs / "zygote.log", home.zygote_file, home.zygote_door)


def forking(environ: Mapping[str, str]) -> bool:
    """Whether runs may fork from a zygote: RATCHET_ZYGOTE, which `studio.settings` checks."""
    return environ.get("RATCHET_ZYGOTE", "on").strip().lower() != "off"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a worker until it is idle; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m trainers.worker", description="Run the training jobs of a home.")
    parser.add_argument("--home", type=Path, required=True, help="the project's folder")
    parser.add_argument("--idle", type=float, default=5.0, help="seconds without work or server before it ends")
    parser.add_argument("--slots", help="devices, one run each, such as cuda:0,cuda:1 (default: what there is)")
    given = parser.parse_args(argv)
    store = Store.open(Home(given.home.resolve()))
    slots = given.slots.split(",") if given.slots else local_slots(dict(os.environ))
    executor = LocalExecutor(slots, _nursery(store.home) if forking(dict(os.environ)) else None)
    while True:
        try:
            with only_one(store.home):
                Worker(store, given.idle, lambda words: print(words, flush=True), executor).run()
        except NotReady as error:
            print(error, flush=True)
            return 0
        # A job may have come between our last look and the end of our hold: whoever queued it found us running.
        if not jobs.list_jobs(store, "running") and not queueing.ready(store):
            return 0


if __name__ == "__main__":
    sys.exit(main())
