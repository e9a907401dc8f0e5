"""kill -9 of a run at every point where it writes: what lies on the disk is whole, and a resumed run ends alike."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trainers import building

pytestmark = pytest.mark.torch

POINTS = [
    "return:trainers.process.taken",
    "return:trainers.models.load_base",
    "return:trainers.data.prepare_conversations",
    "call:trainers.checkpoints.mark_complete",
    "return:trainers.checkpoints.mark_complete",
    "call:trainers.adapter.save_adapter",
    "call:trainers.card.write_card",
    "return:trainers.adapter.sync_folder",
    "return:trainers.adapter.save_adapter",
    "return:trainers.probe.probe_adapter",
    "call:trainers.run.done",
]
QUICK = {"call:trainers.checkpoints.mark_complete"}
OPTIONS = {"max_steps": 6, "learning_rate": 1e-3, "lora_dropout": 0.1}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    folder = building.make_run(tmp_path_factory.mktemp("runs") / "whole", "sft", tiny_base, options=OPTIONS)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


@pytest.mark.parametrize(
    "point", [pytest.param(point, marks=[] if point in QUICK else pytest.mark.slow) for point in POINTS]
)
def test_a_resumed_run_ends_as_one_that_was_never_killed(
    point: str, uninterrupted: Path, tiny_base: Path, tmp_path: Path
) -> None:
    folder = building.make_run(tmp_path / "killed", "sft", tiny_base, options=OPTIONS)
    argv = [sys.executable, "-m", "tests.faults.killed_at", point, "trainers.sft", str(folder)]
    if "mark_complete" in point:
        # A stop asks for a checkpoint; send it once a step was taken.
        killed = _stopped_while_training(argv, folder)
    else:
        killed = subprocess.run(argv, timeout=building.TIMEOUT, capture_output=True).returncode
    assert killed == -signal.SIGKILL, point
    assert building.events(folder, "done") == []

    assert building.run_trainer(folder, "--resume") == 0, building.log_of(folder)
    (done,) = building.events(folder, "done")
    (whole,) = building.events(uninterrupted, "done")
    assert done["adapter_sha256"] == whole["adapter_sha256"]
    assert building.losses(folder)[-1] == building.losses(uninterrupted)[-1]


def _stopped_while_training(argv: list[str], folder: Path) -> int:
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while not building.losses(folder):
            assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        return child.wait(building.TIMEOUT)
