"""A job being run, as the worker watches it: its order, its process, its events, and how far a stop has come."""

from storage import jobs
from storage.home import Home
from storage.rows_training import Job
from storage.specs.registry import method_named
from storage.specs.run import RunSpec
from storage.store import Store
from trainers.executor import Executor, Order
from trainers.follow import Follower, attempt_of
from trainers.ladder import Ladder, Patience


def devices_of(job: Job) -> tuple[str, ...]:
    """The devices that a job has got; empty where it has none yet."""
    return tuple(job.device.split(",")) if job.device else ()


def order_for(home: Home, job: Job) -> Order:
    """What an executor needs to know of a job's attempt. Raises BadInput where its folder is not whole."""
    folder, devices = home.run(job.id), devices_of(job)
    module = f"trainers.{method_named(job.method).module}"
    return Order(folder, module, attempt_of(job), RunSpec.read(folder).threads, devices or ("cpu",))


class Watched:
    """One attempt at a job. `lost`: its process was gone before anybody looked after it here."""

    def __init__(self, job: Job, order: Order, executor: Executor, patience: Patience) -> None:
        self.job = job
        self.order = order
        self.follower = Follower(job, order.folder)
        self.given_up = False
        self.lost = False
        self._executor = executor
        self._ladder = Ladder(patience)
        self._recorded = False

    @classmethod
    def take_up(cls, home: Home, job: Job, executor: Executor, patience: Patience) -> "Watched":
        """Adopt the job's process, or start it where it never started; starting twice does no harm.

        Raises RatchetError or OSError where it cannot be started.
        """
        watched = cls(job, order_for(home, job), executor, patience)
        if executor.find(watched.order) is None:
            executor.start(watched.order)
        else:
            watched.lost = not executor.running(watched.order)
        return watched

    def look(self, store: Store) -> bool:
        """Read what is new and stop it where that was asked for; returns whether it still runs."""
        running = self._executor.running(self.order)  # asked before reading: what it wrote before its end is read below
        self.follower.read(store, whole=not running)
        self._record(store)
        if running:
            self._stop_if_asked(store)
        return running and not self.given_up

    def exit_code(self) -> int | None:
        """How the process ended, where that is known."""
        return self._executor.exit_code(self.order)

    def _record(self, store: Store) -> None:
        """Note the process in the job's row, once."""
        process = None if self._recorded else self._executor.find(self.order)
        if process is not None:
            jobs.started(store, self.job.id, *process)
            self._recorded = True

    def _stop_if_asked(self, store: Store) -> None:
        how = jobs.get_job(store, self.job.id).stop_requested
        if how is not None:
            self.given_up = not self._ladder.climb(self._executor, self.order, how, self.follower.phase)
