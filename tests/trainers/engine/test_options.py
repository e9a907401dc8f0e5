"""The engine's options, also those that only the environment knows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.home import Home

pytestmark = pytest.mark.torch


def start(home: Home, further: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "trainers.engine", "--home", str(home.path), *arguments],
        cwd=Path(__file__).resolve().parents[3],
        env={**os.environ, "RATCHET_ENGINE": further},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_quantising_is_refused_with_the_reason_before_anything_is_announced(home: Home) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has kernels for quantised weights")
    ended = start(home, "--quantise 4bit --dtype float32 --threads 1")

    assert ended.returncode == 1
    assert "Weights are quantised by kernels for CUDA, and this engine computes on" in ended.stderr
    assert not home.engine_file.exists()


def test_an_option_that_is_not_known_is_wrong_use(home: Home) -> None:
    ended = start(home, "--bits 4")

    assert (ended.returncode, "unrecognized arguments: --bits 4" in ended.stderr) == (2, True)
