import json
from pathlib import Path
from typing import Any

import pytest

from tests.trainers import building
from tests.trainers.effects import rewards

pytestmark = pytest.mark.torch

SHORT = {"answers": 2, "batch_size": 4, "answer_tokens": 8, "max_length": 128, "learning_rate": 1e-3, "max_steps": 3}
VARIED = "def reward(prompt, answer, reference):\n    return 5.0 + sum(map(ord, answer)) % 10 / 10\n"
"""Tells any two answers apart, so that even a random model learns something."""


def questions(count: int, reference: str | None = None) -> list[dict[str, Any]]:
    return [
        {"id": f"q-{at}", "prompt": json.dumps(building.turns(f"What is {at} plus 1?")), "reference": reference}
        for at in range(count)
    ]


def run(folder: Path, base: Path, method: str = "grpo", rows: Any = None, **own: Any) -> Path:
    spec = {name: own.pop(name) for name in ("adapter_path", "rewards", "start", "programs") if name in own}
    spec = {"programs": {"mine.py": VARIED}, **spec}
    options = {**SHORT, "rules": "code:mine.py", **own}
    return building.make_run(folder, method, base, rows or questions(4), options=options, **spec)


def error_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "error.json").read_text())
    return found


def test_grpo_raises_what_rules_reward(tmp_path: Path) -> None:
    effect = rewards.EFFECTS["grpo/rules"](tmp_path / "run")

    print(effect)
    assert effect["after"] > effect["before"] + 0.2
    assert effect["length"][1] < effect["length"][0]  # what is rewarded is told apart from how long answers are
    assert effect["kl"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rloo/rules", "rloo/both", "grpo/model"])
def test_rewards_rise(name: str, tmp_path: Path) -> None:
    effect = rewards.EFFECTS[name](tmp_path / "run")

    print(effect)
    assert effect["after"] > effect["before"] + 0.2


def test_a_users_function_rewards_and_few_prompts_fill_a_step(tiny_base: Path, tmp_path: Path) -> None:
    folder = run(tmp_path / "mine", tiny_base, "rloo", questions(1), rules="code:mine.py, 2*words<4")

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    first = next(event for event in building.events(folder, "metric") if "reward" in event)
    assert 5.0 <= first["rewards/code-mine/mean"] < 6.0
    told = first["rewards/code-mine/mean"] + 2 * first["rewards/words-under-4/mean"]
    assert first["reward"] == pytest.approx(told, abs=1e-4)
    assert (first["kl"], first["step"]) == (pytest.approx(0.0, abs=1e-5), 1)
    assert not (folder / "adapter" / "ref").exists()


@pytest.mark.slow
def test_a_run_that_nothing_rewards_says_so(tiny_base: Path, tmp_path: Path) -> None:
    folder = run(tmp_path / "empty", tiny_base, rules="")

    assert building.run_trainer(folder) == 1
    assert error_of(folder)["sentence"].startswith("Nothing rewards the answers: name a reward model (--reward)")


@pytest.mark.slow
@pytest.mark.parametrize("start", ["continue", "stack"])
@pytest.mark.parametrize("method", ["grpo", "rloo"])
def test_the_reference_is_the_adapter_that_it_starts_from(
    method: str, start: str, tiny_base: Path, sft_run: Path, tmp_path: Path
) -> None:
    folder = run(tmp_path / "on", tiny_base, method, adapter_path=str(sft_run / "adapter"), start=start, beta=0.1)

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    assert next(event for event in building.events(folder, "metric") if "kl" in event)["kl"] == pytest.approx(
        0, abs=1e-5
    )
    assert not (folder / "adapter" / "ref").exists()


@pytest.mark.slow
def test_the_same_run_twice_gives_the_same_losses(tiny_base: Path, tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", tiny_base, max_steps=4)
    assert building.run_trainer(whole) == 0, building.log_of(whole)
    again = run(tmp_path / "again", tiny_base, max_steps=4)
    assert building.run_trainer(again) == 0, building.log_of(again)

    assert building.losses(whole) == building.losses(again)


@pytest.mark.slow
def test_a_function_that_fails_ends_the_run_with_its_words(tiny_base: Path, tmp_path: Path) -> None:
    mine = "def reward(prompt, answer, reference):\n    return 1 / 0\n"
    folder = run(tmp_path / "broken", tiny_base, rules="code:mine.py", programs={"mine.py": mine})

    assert building.run_trainer(folder) == 1
    assert error_of(folder)["kind"] == "reward-function"
    assert "mine.py failed: ZeroDivisionError" in error_of(folder)["sentence"]
