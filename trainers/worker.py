"""The worker: takes jobs from the queue one by one, has each run as a process of its own, records how it ended.

    python -m trainers.worker --home HOME [--idle SECONDS]

It holds SQLite and no torch. There is one for each home (a lock on worker.lock). It can be killed at any point:
runs live in their own sessions, everything it knows lies in the store and the run folders, and the next worker
takes up each unfinished job where it stands (see `Worker.tick`).
"""

import argparse
import fcntl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from storage import jobs
from storage.clock import now
from storage.errors import NotReady, RatchetError
from storage.home import Home
from storage.models import base_of
from storage.processes import Process, alive, serving
from storage.rows_training import Job
from storage.runs import append_event, write_error
from storage.specs.registry import method_named
from storage.specs.run import RunSpec
from storage.store import Store
from trainers.announce import announce
from trainers.follow import Follower, attempt_of
from trainers.process import GRACE_SECONDS, SAVING_SECONDS, TAKEN, ask_to_stop, find, kill, start
from trainers.register import register

_POLL_SECONDS = 0.1
_STOPPED_NOW = "now"


class Watched:
    """A job being run. `child`: our own process, None where an earlier worker started it."""

    def __init__(self, job: Job, folder: Path, child: subprocess.Popen[bytes] | None = None) -> None:
        self.job = job
        self.folder = folder
        self.child = child
        self.follower = Follower(job, folder)
        self.recorded = False
        self.stop_asked_at: float | None = None

    @property
    def process(self) -> Process | None:
        """The process as it wrote itself down, running or not."""
        return find(self.folder, attempt_of(self.job))

    def running(self) -> bool:
        """Whether anything of this attempt still runs."""
        if self.child is not None and self.child.poll() is None:
            return True
        process = self.process
        return process is not None and alive(*process)


class Worker:
    """The loop over one home's jobs; `tick` is one turn of it."""

    def __init__(self, store: Store, idle: float, say: Callable[[str], None] = print) -> None:
        self.store = store
        self.idle = idle
        self._say = say
        self._watched: Watched | None = None

    def run(self) -> None:
        """Turn until nothing is queued or running and nobody serves this home for `idle` seconds."""
        quiet_since = now()
        while now() - quiet_since < self.idle:
            busy = self.tick()
            if busy or serving(self.store.home):
                quiet_since = now()
            time.sleep(_POLL_SECONDS)

    def tick(self) -> bool:
        """Look after the current job, or take one up: first what an earlier worker left, then the queue."""
        if self._watched is None:
            job = self._left_behind() or jobs.claim(self.store)
            if job is None:
                return False
            self._watched = self._take_up(job)
        if self._watched is not None:
            self._look_after(self._watched)
        return True

    def _left_behind(self) -> Job | None:
        running = jobs.list_jobs(self.store, "running")
        return running[-1] if running else None

    def _take_up(self, job: Job) -> Watched | None:
        """Adopt the job's process, or start it where it never started; starting twice does no harm."""
        folder = self.store.home.run(job.id)
        watched = Watched(job, folder)
        if watched.process is not None:
            self._say(f"Job {job.number}: found its run again.")
            return watched
        try:
            threads = RunSpec.read(folder).threads
            watched.child = start(method_named(job.method).module, folder, attempt_of(job), threads)
        except (RatchetError, OSError) as error:
            self._fail(job, "not-started", f"The run could not be started: {error}", "Start the job again.")
            return None
        self._say(f"Job {job.number} ({job.method}, {job.name}) has started.")
        return watched

    def _look_after(self, watched: Watched) -> None:
        running = watched.running()  # asked before reading: what it wrote before its end is read below
        watched.follower.read(self.store, whole=not running)
        self._record(watched)
        if not running:
            self._settle(watched)
            self._watched = None
            return
        self._stop_if_asked(watched)

    def _record(self, watched: Watched) -> None:
        process = None if watched.recorded else watched.process
        if process is not None:
            jobs.started(self.store, watched.job.id, *process)
            watched.recorded = True

    def _stop_if_asked(self, watched: Watched) -> None:
        """First ask, so that the run can save; then kill the whole group."""
        process = watched.process
        how = jobs.get_job(self.store, watched.job.id).stop_requested
        if how is None or process is None:
            return
        if watched.stop_asked_at is None:
            watched.stop_asked_at = now()
            ask_to_stop(process)
        patience = SAVING_SECONDS if watched.follower.phase == "saving" else GRACE_SECONDS
        if how == _STOPPED_NOW or now() - watched.stop_asked_at > patience:
            kill(process)

    def _settle(self, watched: Watched) -> None:
        """The process is gone: record how it ended."""
        job, outcome = watched.job, watched.follower.outcome
        if outcome is None:
            self._settle_silent(watched)
        elif outcome["kind"] == "done":
            self._settle_done(job, watched.folder, outcome)
        elif outcome["kind"] == "failed":
            jobs.finish(self.store, job.id, "failed", error=outcome["error"])
            self._say(f"Job {job.number} has failed: {outcome['error']['sentence']}")
        else:
            jobs.finish(self.store, job.id, "stopped")
            self._say(f"Job {job.number} was stopped.")

    def _settle_done(self, job: Job, folder: Path, outcome: dict[str, object]) -> None:
        try:
            model = register(self.store, job, folder, outcome)
        except (RatchetError, OSError) as error:
            self._fail(job, "adapter", f"The finished adapter could not be taken over: {error}", "Start the job again.")
            return
        self._say(f"Job {job.number} is done: {model.name}.")
        self._say(announce(self.store.home, model, base_of(self.store, model)))

    def _settle_silent(self, watched: Watched) -> None:
        """It ended without a word: on our demand, because another process has the run, or because it was killed."""
        job, child = watched.job, watched.child
        if child is not None and child.returncode == TAKEN:
            return
        if jobs.get_job(self.store, job.id).stop_requested:
            jobs.finish(self.store, job.id, "stopped")
            self._say(f"Job {job.number} was stopped.")
            return
        code = "" if child is None else f" with exit code {child.returncode}"
        self._fail(
            job,
            "vanished",
            f"The run ended without a word{code} at step {watched.follower.step} (killed, or out of memory?).",
            "Resume the job to go on from its last checkpoint; train.log may tell more.",
        )

    def _fail(self, job: Job, kind: str, sentence: str, fix: str) -> None:
        folder = self.store.home.run(job.id)
        error = {"kind": kind, "sentence": sentence, "fix": fix}
        if folder.is_dir():
            append_event(folder, "failed", error=write_error(folder, **error))
        jobs.finish(self.store, job.id, "failed", error=error)
        self._say(f"Job {job.number} has failed: {sentence}")


@contextmanager
def only_one(home: Home) -> Iterator[None]:
    """Hold the home's worker lock; raises NotReady where another worker holds it."""
    with home.worker_lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReady(f"Another worker looks after {home.path} already.") from None
        yield


def main(argv: Sequence[str] | None = None) -> int:
    """Run a worker until it is idle; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m trainers.worker", description="Run the training jobs of a home.")
    parser.add_argument("--home", type=Path, required=True, help="the project's folder")
    parser.add_argument("--idle", type=float, default=5.0, help="seconds without work or server before it ends")
    given = parser.parse_args(argv)
    store = Store.open(Home(given.home.resolve()))
    while True:
        try:
            with only_one(store.home):
                Worker(store, given.idle, lambda sentence: print(sentence, flush=True)).run()
        except NotReady as error:
            print(error, flush=True)
            return 0
        # A job may have come between our last look and the end of our hold: whoever queued it found us running.
        if jobs.unfinished(store) == 0:
            return 0


if __name__ == "__main__":
    sys.exit(main())
