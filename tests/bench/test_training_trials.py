"""Trial runs of what people wait for when they train: the button, and the loop. No time is asserted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.slow, pytest.mark.torch]


def _trial(name: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", "--small"], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["name"] == name
    assert all(set(one) == {"against", "value", "goal", "better"} for one in found["ratios"])
    return found


def test_the_button_leads_to_a_first_step_here_and_in_the_script() -> None:
    found = _trial("button")

    assert len(found["ours"]["turns"]) == len(found["baselines"]["a fresh TRL process"]["turns"]) == 1
    assert found["ours"]["seconds"] > 0


def test_the_last_vote_leads_to_a_model_that_answers_beside_the_one_before() -> None:
    found = _trial("loop")

    (turn,) = found["ours"]["turns"]
    assert 0 < turn["began"] < turn["done"] < turn["token"]
    assert 0 < found["baselines"]["bare script"]["steps"] < found["baselines"]["bare script"]["token"]
