"""kill -9 of the worker at every point where it changes something: the next worker finishes what it began."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage import jobs
from storage.models import get_model, list_models
from storage.processes import alive
from storage.store import Store
from tests.trainers import building

pytestmark = pytest.mark.torch

# In the order in which a worker passes them.
POINTS = [
    "return:storage.jobs.claim",
    "return:storage.jobs.given",
    "return:trainers.chaining.fill",
    "return:trainers.aside.make_room",
    "call:trainers.process.start",
    "return:trainers.process.start",
    "call:storage.jobs.started",
    "return:storage.jobs.started",
    "call:trainers.register.register",
    "return:trainers.register.verify",
    "call:trainers.adapter.sync_folder",
    "return:trainers.adapter.sync_folder",
    "return:trainers.register._copy",
    "call:storage.models.add_model",
    "return:storage.models.add_model",
    "return:storage.jobs.finish",
    "return:trainers.register.register",
    "call:trainers.announce.announce",
    "call:trainers.aside.come_back",
]
QUICK = {"return:storage.jobs.claim", "return:trainers.process.start", "return:trainers.register._copy"}
OPTIONS = {"max_steps": 2, "warmup": 0.0, "learning_rate": 1e-3}


@pytest.mark.parametrize(
    "point", [pytest.param(point, marks=[] if point in QUICK else pytest.mark.slow) for point in POINTS]
)
def test_the_next_worker_finishes_what_a_killed_one_began(point: str, store: Store, tiny_base: Path) -> None:
    base = building.add_base(store, tiny_base)
    queued = building.enqueue(store, "sft", base, "survivor", tiny_base, options=OPTIONS)

    killed = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed_at", point, "trainers.worker", *building.worker(store)[3:]],
        timeout=building.TIMEOUT,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, (point, killed.stdout)
    building.run_worker(store)

    assert_done_once(store, queued.id)


def assert_done_once(store: Store, job_id: str) -> None:
    """One model from one run: nothing lost, nothing doubled, nothing left lying about."""
    job = jobs.get_job(store, job_id)
    assert (job.status, job.error) == ("done", None)
    assert [model.name for model in list_models(store)] == ["tiny", "survivor"]
    assert get_model(store, "survivor").job_id == job.id
    assert [path.name for path in store.home.models.iterdir() if not path.name.startswith(".")] == ["survivor"]
    assert len(building.events(store.home.run(job.id), "done")) == 1
    assert [event["step"] for event in building.events(store.home.run(job.id), "metric")] == [1, 2]
    assert not alive(job.pid, job.pid_started)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_workers_killed_again_and_again_lose_nothing(seed: int, store: Store, tiny_base: Path) -> None:
    base = building.add_base(store, tiny_base)
    queued = building.enqueue(store, "sft", base, "survivor", tiny_base, options=OPTIONS)
    moments = random.Random(seed)

    for _ in range(12):
        with subprocess.Popen(building.worker(store), stdout=subprocess.DEVNULL) as child:
            time.sleep(moments.uniform(0.05, 1.2))
            child.kill()
    building.run_worker(store)

    assert_done_once(store, queued.id)
