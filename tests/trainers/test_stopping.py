import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import jobs
from storage.processes import alive
from storage.store import Store
from tests.trainers import building
from trainers.checkpoints import newest_complete
from trainers.process import STOPPED

pytestmark = pytest.mark.torch

# Long enough to be stopped half-way on any machine, and the same steps for every run that is compared.
OPTIONS = {"max_steps": 60, "learning_rate": 1e-3, "lora_dropout": 0.1}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    folder = building.make_run(tmp_path_factory.mktemp("runs") / "whole", "sft", tiny_base, options=OPTIONS)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


def wait_for(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + building.TIMEOUT
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def start_and_wait_for_step(folder: Path, step: int) -> subprocess.Popen[bytes]:
    with (folder / "train.log").open("ab") as log:
        child = subprocess.Popen(building.trainer(folder), stdout=log, stderr=log, start_new_session=True)
    wait_for(lambda: len(building.losses(folder)) >= step or child.poll() is not None, f"step {step}")
    assert child.poll() is None, building.log_of(folder)
    return child


def test_a_stopped_run_saves_and_goes_on_as_if_nothing_had_been(
    uninterrupted: Path, tiny_base: Path, tmp_path: Path
) -> None:
    folder = building.make_run(tmp_path / "stopped", "sft", tiny_base, options=OPTIONS)
    child = start_and_wait_for_step(folder, 3)
    child.send_signal(signal.SIGTERM)

    assert child.wait(building.TIMEOUT) == STOPPED
    done_before = len(building.losses(folder))
    checkpoint = newest_complete(folder / "checkpoints")
    assert checkpoint is not None and checkpoint.name == f"checkpoint-{done_before}"
    assert (folder / "adapter" / "adapter_model.safetensors").is_file()
    assert [event.get("outcome") for event in building.events(folder, "log")][-1] == "stopped"

    assert building.run_trainer(folder, "--resume") == 0, building.log_of(folder)
    assert building.losses(folder) == building.losses(uninterrupted)
    hashes = [building.events(run, "done")[0]["adapter_sha256"] for run in (folder, uninterrupted)]
    assert hashes[0] == hashes[1]


@pytest.mark.slow
def test_a_broken_checkpoint_is_passed_over(uninterrupted: Path, tiny_base: Path, tmp_path: Path) -> None:
    """kill -9 while a checkpoint is written leaves a folder without its end; the one before it counts."""
    folder = building.make_run(tmp_path / "broken", "sft", tiny_base, options=OPTIONS)
    child = start_and_wait_for_step(folder, 3)
    child.send_signal(signal.SIGTERM)
    child.wait(building.TIMEOUT)
    checkpoint = newest_complete(folder / "checkpoints")
    assert checkpoint is not None
    broken = checkpoint.with_name("checkpoint-59")
    shutil.copytree(checkpoint, broken)
    (broken / "optimizer.pt").unlink()

    assert newest_complete(folder / "checkpoints") == checkpoint
    assert building.run_trainer(folder, "--resume") == 0, building.log_of(folder)
    assert building.losses(folder) == building.losses(uninterrupted)


def test_a_stop_before_the_first_step_ends_at_once(tiny_base: Path, tmp_path: Path) -> None:
    folder = building.make_run(tmp_path / "early", "sft", tiny_base, options=OPTIONS)
    with (folder / "train.log").open("ab") as log:
        child = subprocess.Popen(building.trainer(folder), stdout=log, stderr=log)
    wait_for(lambda: bool(building.events(folder, "log")), "the first event")
    child.send_signal(signal.SIGTERM)

    assert child.wait(building.TIMEOUT) == STOPPED
    assert building.events(folder, "log")[-1]["outcome"] == "stopped"
    assert building.events(folder, "metric") == []


@pytest.mark.parametrize("how", ["save", pytest.param("now", marks=pytest.mark.slow)])
def test_a_job_is_stopped_by_request(how: str, store: Store, tiny_base: Path) -> None:
    base = building.add_base(store, tiny_base)
    options = {"max_steps": 5000}
    queued = building.enqueue(store, "sft", base, "long", tiny_base, options=options)
    child = subprocess.Popen(building.worker(store), stdout=subprocess.DEVNULL)
    wait_for(lambda: len(building.losses(store.home.run(queued.id))) >= 2, "two steps")

    jobs.request_stop(store, queued.id, how)

    assert child.wait(building.TIMEOUT) == 0
    job = jobs.get_job(store, queued.id)
    assert (job.status, job.error, job.model_id) == ("stopped", None, None)
    assert not alive(job.pid, job.pid_started)
    assert (newest_complete(store.home.run(job.id) / "checkpoints") is not None) == (how == "save")


@pytest.mark.slow
def test_a_stopped_job_is_resumed_to_its_end(store: Store, tiny_base: Path, uninterrupted: Path) -> None:
    base = building.add_base(store, tiny_base)
    queued = building.enqueue(store, "sft", base, "resumed", tiny_base, options=OPTIONS)
    child = subprocess.Popen(building.worker(store), stdout=subprocess.DEVNULL)
    wait_for(lambda: len(building.losses(store.home.run(queued.id))) >= 3, "three steps")
    jobs.request_stop(store, queued.id, "save")
    child.wait(building.TIMEOUT)
    assert jobs.get_job(store, queued.id).status == "stopped"

    jobs.resume(store, queued.id)
    building.run_worker(store)

    job = jobs.get_job(store, queued.id)
    assert (job.status, job.step) == ("done", 60)
    assert building.losses(store.home.run(job.id)) == building.losses(uninterrupted)


def test_a_killed_run_fails_with_a_sentence_and_resumes(store: Store, tiny_base: Path) -> None:
    base = building.add_base(store, tiny_base)
    queued = building.enqueue(store, "sft", base, "killed", tiny_base, options={**OPTIONS, "batch_size": 8})
    child = subprocess.Popen(building.worker(store), stdout=subprocess.DEVNULL)
    wait_for(lambda: len(building.losses(store.home.run(queued.id))) >= 3, "three steps")
    wait_for(lambda: jobs.get_job(store, queued.id).pid is not None, "the pid")

    os.killpg(jobs.get_job(store, queued.id).pid or 0, signal.SIGKILL)

    child.wait(building.TIMEOUT)
    job = jobs.get_job(store, queued.id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["kind"] == "killed"
    assert job.error["sentence"].startswith("The run was killed at step ")
    assert "Resume the job" in job.error["fix"]
    assert [retry["label"] for retry in job.error["retry"]] == [
        "Go on from the last checkpoint", "Retry with half the batch",
    ]  # fmt: skip

    jobs.resume(store, queued.id)
    building.run_worker(store)
    assert jobs.get_job(store, queued.id).status == "done"
