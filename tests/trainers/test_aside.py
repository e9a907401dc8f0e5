"""Before a run that does not fit beside the engine, the worker has it move aside; afterwards the note is gone."""

from dataclasses import replace
from pathlib import Path

import pytest

from storage import aside
from storage.rows_training import Job
from storage.specs.run import RunSpec
from storage.store import Store
from tests.studio.training.project import write_base
from tests.trainers import building
from trainers.aside import Need, make_room
from trainers.executor import LocalExecutor

pytestmark = pytest.mark.heavy


def job_needing(store: Store, tmp_path: Path, gigabytes: float | None) -> Job:
    folder = write_base(tmp_path / "base")
    job = building.enqueue(store, "sft", building.add_base(store, folder), "run", folder)
    run = store.home.run(job.id)
    replace(RunSpec.read(run), memory_gb=gigabytes).write(run)
    return job


def test_a_run_that_fits_leaves_the_engine_where_it_is(store: Store, tmp_path: Path) -> None:
    job = job_needing(store, tmp_path, 0.001)

    assert make_room(store.home, job, ("cpu",), LocalExecutor()) is None
    assert aside.standing(store.home) is None


def test_a_run_that_does_not_fit_has_the_engine_stand_aside_also_one_that_is_started_later(
    store: Store, tmp_path: Path
) -> None:
    job = job_needing(store, tmp_path, 1_000_000.0)

    said = make_room(store.home, job, ("cpu",), LocalExecutor())

    assert said is not None and said.startswith("The run needs about 1000000.0 GB, the engine 0.0 GB more, and ")
    assert said.endswith("the engine was asked to move aside, and it has. It comes back by itself.")
    assert aside.standing(store.home) is not None


def test_a_run_on_another_device_than_the_engines_asks_nobody(store: Store, tmp_path: Path) -> None:
    job = job_needing(store, tmp_path, 1_000_000.0)

    assert make_room(store.home, job, ("cuda:1",), LocalExecutor(("cuda:0", "cuda:1"))) is None


def test_both_fit_where_some_is_left() -> None:
    assert Need(run=5, engine=4, free=10).together
    assert not Need(run=5, engine=4.8, free=10).together
