"""A trial run of the measurement of a finished adapter's way into Compare. No time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.torch]


def test_a_finished_adapter_answers_in_compare_and_streams_go_on_while_others_load() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench.reload", "--small"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=900,
    )

    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout)
    assert found["name"] == "reload"
    assert all(set(one) == {"against", "value", "goal", "better"} for one in found["ratios"])
    (turn,) = found["ours"]["turns"]
    assert 0 < turn["listed"] <= turn["answered"] == found["ours"]["seconds"]
    assert found["ours"]["gaps_while_loading_ms"]["loads"] > 0
    assert found["baselines"]["gaps without loading, ms"]["loads"] == 0
