"""kill -9 at random moments, half of them while a checkpoint is being written: nothing torn counts, nothing is lost."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.trainers import building
from trainers.checkpoints import is_complete, newest_complete

pytestmark = pytest.mark.torch

STEPS = 40
OPTIONS = {"max_steps": STEPS, "learning_rate": 1e-3, "lora_dropout": 0.1}
FILES = 16
"""A checkpoint opens more files than this between its first and its last write."""


def waiting(folder: Path, child: subprocess.Popen[bytes], seen: int) -> None:
    """Wait until the run has taken a step more than had been seen."""
    deadline = time.monotonic() + building.TIMEOUT
    while len(building.losses(folder)) <= seen:
        assert child.poll() is None, building.log_of(folder)
        assert time.monotonic() < deadline
        time.sleep(0.01)


def killed_while_writing(folder: Path, number: int) -> bool:
    """Ask a run to save and stop, and kill it at that file; whether a torn checkpoint proves it."""
    argv = [sys.executable, "-m", "tests.faults.killed_writing", str(number), "trainers.sft", str(folder), "--resume"]
    seen = len(building.losses(folder))
    before = newest_complete(folder / "checkpoints")
    with (folder / "train.log").open("ab") as log, subprocess.Popen(argv, stdout=log, stderr=log) as child:
        waiting(folder, child, seen)
        child.send_signal(signal.SIGTERM)
        assert child.wait(building.TIMEOUT) == -signal.SIGKILL, building.log_of(folder)
    torn = [path for path in (folder / "checkpoints").glob("checkpoint-*") if not is_complete(path)]
    assert newest_complete(folder / "checkpoints") == before  # what was whole stays what counts
    return any(any(path.iterdir()) for path in torn)


def killed_some_time(folder: Path, seconds: float) -> None:
    """Kill a run so long after it has begun, or half-way where it is quicker."""
    seen = len(building.losses(folder))
    with (folder / "train.log").open("ab") as log:
        child = subprocess.Popen(building.trainer(folder, "--resume"), stdout=log, stderr=log)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and len(building.losses(folder)) - seen < STEPS // 2:
        time.sleep(0.01)
    child.kill()
    child.wait(building.TIMEOUT)


def uninterrupted(folder: Path, base: Path) -> Path:
    """The same run, left alone."""
    building.make_run(folder, "sft", base, options=OPTIONS)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


@pytest.mark.parametrize("kills", [pytest.param(5), pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_never_was(
    kills: int, tiny_base: Path, tmp_path: Path
) -> None:
    whole = uninterrupted(tmp_path / "whole", tiny_base)
    folder = building.make_run(tmp_path / "killed", "sft", tiny_base, options=OPTIONS)
    moments = random.Random(kills)

    proven = 0
    for turn in range(kills):
        if turn % 3 < 2:
            proven += killed_while_writing(folder, moments.randint(2, FILES))
        else:
            killed_some_time(folder, moments.uniform(0.5, 9.0))
        assert building.events(folder, "done") == []

    assert proven >= kills / 2, f"only {proven} of {kills} kills are proven to have torn a checkpoint"
    assert building.run_trainer(folder, "--resume") == 0, building.log_of(folder)
    (done,), (expected,) = building.events(folder, "done"), building.events(whole, "done")
    assert done["adapter_sha256"] == expected["adapter_sha256"]
    assert building.losses(folder)[-1] == building.losses(whole)[-1]
