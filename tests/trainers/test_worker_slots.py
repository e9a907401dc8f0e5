"""Several runs at once, runs that were lost with the machine, and stops that always end: a real worker, runs without
torch (tests/trainers/patient_run.py)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage import aside, jobs
from storage.rows_training import Job
from storage.specs.run import RunSpec
from storage.store import Store
from tests.studio.training.project import write_base
from tests.trainers import building
from tests.trainers.executor_contract import MODULE, wait_for
from trainers.executor import LocalExecutor, Order
from trainers.follow import attempt_of
from trainers.ladder import Patience
from trainers.worker import Worker

# Runs outlive who started them, and that is what these tests are about.
pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")]


class PatientExecutor(LocalExecutor):
    """Starts the patient run, whatever the method."""

    def start(self, order: Order) -> None:
        super().start(order._replace(module=MODULE))


@pytest.fixture
def queue(store: Store, tmp_path: Path) -> Iterator["Queue"]:
    made = Queue(store, tmp_path)
    yield made
    made.clear()


class Queue:
    """Jobs of patient runs, and workers for them."""

    def __init__(self, store: Store, base: Path) -> None:
        self.store = store
        self.base = building.add_base(store, base)

    def add(self, name: str = "patient", devices: int = 1) -> Job:
        job = building.enqueue(self.store, "sft", self.base, name, Path(self.base.path or ""), rows=[{"id": "1"}])
        self.store.execute("update jobs set devices = ? where id = ?", [devices, job.id])
        return job

    def worker(self, *slots: str) -> Worker:
        return Worker(self.store, 1.0, lambda _: None, PatientExecutor(slots or ("cpu",)))

    def job(self, job: Job) -> Job:
        return jobs.get_job(self.store, job.id)

    def at_work(self, worker: Worker, *wanted: Job) -> None:
        """Turn the worker until these runs have taken a step, known by their process."""

        def begun(job: Job) -> bool:
            return bool(building.losses(self.store.home.run(job.id))) and self.job(job).pid is not None

        wait_for(lambda: (worker.tick(), all(begun(job) for job in wanted))[1], "the first steps")

    def settled(self, worker: Worker, job: Job) -> Job:
        wait_for(lambda: (worker.tick(), self.job(job).status in ("done", "failed", "stopped"))[1], "the end")
        return self.job(job)

    def finish(self, job: Job) -> None:
        (self.store.home.run(job.id) / "finish").touch()

    def clear(self) -> None:
        """Kill what still runs."""
        for job in jobs.list_jobs(self.store):
            order = Order(self.store.home.run(job.id), MODULE, attempt_of(job))
            LocalExecutor().kill(order)


def test_each_slot_has_a_run_and_the_next_one_comes_when_one_ends(queue: Queue) -> None:
    first, second, third = (queue.add() for _ in range(3))
    worker = queue.worker("cpu:0", "cpu:1")

    queue.at_work(worker, first, second)
    assert [queue.job(job).device for job in (first, second, third)] == ["cpu:0", "cpu:1", None]

    queue.finish(first)
    queue.settled(worker, first)
    queue.at_work(worker, third)
    assert [(queue.job(job).status, queue.job(job).device) for job in (second, third)] == [
        ("running", "cpu:1"), ("running", "cpu:0"),
    ]  # fmt: skip


def test_a_run_that_wants_more_than_there_is_takes_all_and_says_so(queue: Queue) -> None:
    large, small = queue.add(devices=3), queue.add()
    worker = queue.worker("cpu")

    queue.at_work(worker, large)

    assert [queue.job(job).device for job in (large, small)] == ["cpu", None]
    (warning,) = building.events(queue.store.home.run(large.id), "warning")
    assert warning["sentence"] == "It wanted 3 devices, and this machine has 1 to give."


def test_a_worker_that_comes_later_finds_all_runs_on_their_devices(queue: Queue) -> None:
    first, second, third = (queue.add() for _ in range(3))
    queue.at_work(queue.worker("cpu:0", "cpu:1"), first, second)
    pids = [queue.job(job).pid for job in (first, second)]

    later = queue.worker("cpu:0", "cpu:1")
    later.tick()

    assert [queue.job(job).pid for job in (first, second)] == pids
    assert queue.job(third).status == "queued", "both slots are known to be taken"


def test_a_run_lost_with_the_machine_goes_on_by_itself_once_then_fails(queue: Queue) -> None:
    job = queue.add()
    queue.at_work(queue.worker(), job)
    _power_cut(queue, job)

    second = queue.worker()
    second.tick()
    again = queue.job(job)
    assert (again.status, again.restarts) == ("running", 1)
    wait_for(lambda: (second.tick(), len(building.losses(queue.store.home.run(job.id))) == 2)[1], "the second attempt")
    _power_cut(queue, job)

    failed = queue.settled(queue.worker(), job)
    assert (failed.status, failed.restarts) == ("failed", 1)
    assert failed.error is not None and failed.error["kind"] == "lost"
    assert failed.error["sentence"] == (
        "The run was lost with the machine a second time, at step 1; it does not go on by itself again."
    )
    assert "Resume the job" in failed.error["fix"]


def test_what_was_asked_to_stop_before_the_machine_went_down_is_stopped(queue: Queue) -> None:
    job = queue.add()
    queue.at_work(queue.worker(), job)
    jobs.request_stop(queue.store, job.id, "save")
    _power_cut(queue, job)

    assert queue.settled(queue.worker(), job).status == "stopped"


@pytest.mark.parametrize(("how", "saved"), [("save", True), ("now", False)])
def test_a_stop_saves_or_does_not(how: str, saved: bool, queue: Queue) -> None:
    job, worker = queue.add(), queue.worker()
    queue.at_work(worker, job)

    jobs.request_stop(queue.store, job.id, how)

    assert queue.settled(worker, job).status == "stopped"
    assert (queue.store.home.run(job.id) / "saved").exists() == saved


def test_a_run_that_hears_nothing_is_killed_in_the_end(queue: Queue) -> None:
    job, worker = queue.add("deaf"), queue.worker()
    worker.patience = Patience(save=0.2, stop=0.2)  # the same rungs, without half a minute's wait
    queue.at_work(worker, job)

    jobs.request_stop(queue.store, job.id, "save")

    assert queue.settled(worker, job).status == "stopped"


def test_the_engine_stands_aside_as_long_as_a_run_needs_its_memory(queue: Queue, tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    queue.store.execute("update models set path = ?", [str(tmp_path / "base")])
    job = queue.add()
    folder = queue.store.home.run(job.id)
    replace(RunSpec.read(folder), base_path=str(tmp_path / "base"), memory_gb=1e6).write(folder)

    worker = queue.worker()
    queue.at_work(worker, job)
    standing = aside.standing(queue.store.home)
    assert standing is not None and standing.startswith("The engine has moved aside while job 1 (patient) trains")
    said = [event["sentence"] for event in building.events(folder, "log")]
    assert any("the engine was asked to move aside" in sentence for sentence in said)

    later = queue.worker()
    later.tick()  # a worker that comes later makes the note its own
    assert aside.standing(queue.store.home) == standing
    queue.finish(job)
    queue.settled(later, job)
    assert (aside.standing(queue.store.home), list(queue.store.home.aside.iterdir())) == (None, [])


def _power_cut(queue: Queue, job: Job) -> None:
    """The process is gone, and whoever looked after it; nothing was written."""
    row = queue.job(job)
    order = Order(queue.store.home.run(job.id), MODULE, attempt_of(row))
    LocalExecutor().kill(order)
    wait_for(lambda: not LocalExecutor().running(order), "the end")
