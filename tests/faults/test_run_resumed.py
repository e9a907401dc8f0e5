"""Every method that is stopped half-way and goes on ends as one that was left alone: the same losses and weights."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from storage.specs.registry import METHODS
from tests.trainers import building
from tests.trainers.test_preflight import ASKED, ROWS
from trainers.process import DONE, STOPPED

pytestmark = [pytest.mark.torch, pytest.mark.slow]

STEPS = 24
METHODS_HERE = ("pretrain", "reward", "rloo", "grpo")
"""Those of other families are stopped in tests/trainers: test_stopping, test_dpo, test_preferences_resume, …"""


def made(folder: Path, method: str, base: Path) -> Path:
    """A run of that method, long enough to be stopped half-way."""
    options = {"max_steps": STEPS, "learning_rate": 1e-3, **ASKED.get(method, {})}
    return building.make_run(folder, method, base, rows=ROWS[METHODS[method].shape], options=options)


def stopped_half_way(folder: Path) -> None:
    """Ask the run to save and stop after its third step."""
    with (
        (folder / "train.log").open("ab") as log,
        subprocess.Popen(building.trainer(folder), stdout=log, stderr=log) as child,
    ):
        deadline = time.monotonic() + building.TIMEOUT
        while len(building.losses(folder)) < 3:
            assert child.poll() is None, building.log_of(folder)
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child.send_signal(signal.SIGTERM)
        assert child.wait(building.TIMEOUT) == STOPPED, building.log_of(folder)


@pytest.mark.parametrize("method", METHODS_HERE)
def test_a_run_that_goes_on_ends_as_one_that_was_left_alone(method: str, tiny_base: Path, tmp_path: Path) -> None:
    whole, halved = (made(tmp_path / name, method, tiny_base) for name in ("whole", "halved"))
    assert building.run_trainer(whole) == DONE, building.log_of(whole)

    stopped_half_way(halved)
    assert 3 <= len(building.losses(halved)) < STEPS
    assert building.run_trainer(halved, "--resume") == DONE, building.log_of(halved)

    assert building.losses(halved) == building.losses(whole)
    (done,), (expected,) = building.events(halved, "done"), building.events(whole, "done")
    assert done["adapter_sha256"] == expected["adapter_sha256"]
