"""Runs of preferences that were stopped go on as if nothing had been, bit for bit."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.trainers import building
from tests.trainers.test_stopping import start_and_wait_for_step
from trainers.process import STOPPED

pytestmark = [pytest.mark.torch, pytest.mark.slow]

OPTIONS = {"max_steps": 40, "learning_rate": 1e-3, "lora_dropout": 0.1}


@pytest.mark.parametrize(
    ("method", "start"), [("dpo", "continue"), ("kto", "continue"), ("orpo", "fresh"), ("cpo", "continue")]
)
def test_a_stopped_run_ends_with_the_weights_of_one_that_was_not(
    method: str, start: str, tiny_base: Path, sft_run: Path, tmp_path: Path
) -> None:
    rows = building.thumbs() if method == "kto" else building.preferences()
    spec: dict[str, Any] = {"adapter_path": str(sft_run / "adapter")} if start == "continue" else {}
    whole, stopped = (
        building.make_run(tmp_path / name, method, tiny_base, rows=rows, options=OPTIONS, start=start, **spec)
        for name in ("whole", "stopped")
    )
    assert building.run_trainer(whole) == 0, building.log_of(whole)
    child = start_and_wait_for_step(stopped, 3)
    child.send_signal(signal.SIGTERM)
    assert child.wait(building.TIMEOUT) == STOPPED

    assert building.run_trainer(stopped, "--resume") == 0, building.log_of(stopped)

    assert building.losses(stopped) == building.losses(whole)
    hashes = [building.events(run, "done")[0]["adapter_sha256"] for run in (stopped, whole)]
    assert hashes[0] == hashes[1]
