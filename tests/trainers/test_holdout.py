"""Held-out rows: which they are, what is done with them while a run trains, and which weights are kept."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from storage.specs.holding import held_out_rows
from storage.specs.options import parse_options
from storage.specs.sft import SFTOptions
from tests.trainers import building
from trainers.holdout import parted, subject_of
from trainers.process import STOPPED


def options(**values: Any) -> SFTOptions:
    return parse_options(SFTOptions, values)


def test_few_rows_are_all_learnt_and_many_lose_a_tenth() -> None:
    assert [held_out_rows(rows, options()) for rows in (1, 49, 50, 1_000, 1_000_000)] == [0, 0, 5, 100, 1_000]
    assert held_out_rows(1_000, options(held_out=0)) == 0


def test_a_part_is_decided_by_what_is_asked_and_not_by_the_order() -> None:
    rows = building.conversations(200)
    parts, turned = parted(rows, 20), parted(rows[::-1], 20)

    assert (len(parts.learnt), len(parts.held)) == (180, 20)
    assert {row["id"] for row in parts.held} == {row["id"] for row in turned.held}


def test_rows_on_one_prompt_fall_into_one_part() -> None:
    rows = [{**row, "id": f"{row['id']}-{turn}"} for row in building.preferences(60) for turn in range(3)]
    parts = parted(rows, 18)

    assert not {row["prompt"] for row in parts.held} & {row["prompt"] for row in parts.learnt}
    assert (len(parts.learnt), len(parts.held)) == (162, 18)


def test_rows_that_all_ask_the_same_are_all_learnt() -> None:
    rows = [{"id": str(at), "messages": json.dumps(building.turns("Hello?", f"Answer {at}"))} for at in range(100)]

    assert parted(rows, 10).held == []


def test_a_conversation_is_known_by_what_was_asked_first() -> None:
    first, other = building.turns("One?", "1", "Two?", "2"), building.turns("One?", "uno")

    assert subject_of({"messages": json.dumps(first)}) == subject_of({"messages": other})
    assert subject_of({"text": "a"}) != subject_of({"text": "b"})
    assert subject_of({"messages": "no json"}) != subject_of({"messages": "{}"})


@pytest.mark.parametrize(
    ("steps", "batch", "rows", "every", "expected"),
    [(21, 8, 6, 0, 7), (120, 8, 6, 0, 30), (10_000, 8, 64, 0, 1_000), (100, 8, 6, 30, 30), (100, 8, 0, 0, 0)],
)
@pytest.mark.torch
def test_looks_are_few(steps: int, batch: int, rows: int, every: int, expected: int) -> None:
    from trainers.watch import steps_between

    assert steps_between(options(eval_every=every), steps, batch, rows) == expected


@pytest.mark.parametrize(
    ("given", "learnt", "expected"),
    [({}, 100, 16), ({}, 2_500, 64), ({}, 1_800, 54), ({"max_steps": 300}, 10, 24), ({"eval_every": 9}, 100, 64)],
)
@pytest.mark.torch
def test_a_look_measures_as_many_rows_as_the_training_can_afford(
    given: dict[str, int], learnt: int, expected: int
) -> None:
    from trainers.watch import rows_watched

    assert rows_watched(options(**given), learnt) == expected


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """A run whose held-out rows say the opposite of what is learnt, so that its best moment comes early."""
    folder = building.make_run(
        tmp_path_factory.mktemp("runs") / "watched",
        "sft",
        tiny_base,
        building.conversations(50),
        options={"max_steps": 24, "learning_rate": 5e-3, "eval_every": 3, "patience": 2},
    )
    from storage.runs import freeze_rows

    lies = [
        {"id": f"lie-{at}", "messages": json.dumps(building.turns(f"What is {at} plus 1?", "Nobody knows, go away!"))}
        for at in range(8)
    ]
    freeze_rows(folder / "eval.parquet", lies)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


def looks(folder: Path) -> list[tuple[int, float]]:
    return [
        (event["step"], event["held_out_loss"])
        for event in building.events(folder, "metric")
        if "held_out_loss" in event
    ]


@pytest.mark.torch
def test_the_best_weights_are_kept_and_a_run_that_gets_worse_ends_early(watched: Path) -> None:
    import torch
    from safetensors.torch import load_file

    found = looks(watched)
    best = min(found, key=lambda look: look[1])
    (done,) = building.events(watched, "done")

    assert [step for step, _ in found] == list(range(3, best[0] + 7, 3))
    assert len(building.losses(watched)) == best[0] + 6 < 24
    assert (done["metrics"]["best_step"], done["metrics"]["held_out_best"]) == (best[0], pytest.approx(best[1]))
    kept = load_file(watched / "checkpoints" / "best" / "weights.safetensors")
    saved = load_file(watched / "adapter" / "adapter_model.safetensors")
    assert len(kept) == len(saved)
    assert all(torch.equal(kept[name.replace(".weight", ".default.weight")], weight) for name, weight in saved.items())
    said = [event["sentence"] for event in building.events(watched, "log")]
    assert any(f"The weights of step {best[0]} are kept" in sentence for sentence in said)


@pytest.mark.torch
def test_the_same_prompts_are_asked_at_every_look(watched: Path) -> None:
    samples = [event for event in building.events(watched, "sample") if "step" in event]
    steps = [step for step, _ in looks(watched)]

    assert [sample["step"] for sample in samples] == [step for step in steps for _ in range(3)]
    assert len({sample["prompt"] for sample in samples}) == 3
    assert all(isinstance(sample["text"], str) for sample in samples)


@pytest.mark.torch
def test_held_out_rows_never_train(tiny_base: Path, tmp_path: Path) -> None:
    run = building.make_run(
        tmp_path / "own", "sft", tiny_base, building.conversations(60), options={"max_steps": 3, "keep": "last"}
    )

    assert building.run_trainer(run) == 0, building.log_of(run)
    sentence = "6 rows of 60 are held out: they measure what is learnt and never train."
    assert sentence in [event["sentence"] for event in building.events(run, "log")]
    assert "| Rows trained on | 54 |" in (run / "adapter" / "README.md").read_text(encoding="utf-8")
    assert [step for step, _ in looks(run)] == [1, 2, 3]


@pytest.mark.torch
@pytest.mark.slow
def test_a_run_that_was_stopped_between_looks_finds_and_keeps_the_same(tiny_base: Path, tmp_path: Path) -> None:
    options = {"max_steps": 40, "learning_rate": 5e-3, "lora_dropout": 0.1, "eval_every": 4}
    whole, stopped = (
        building.make_run(tmp_path / name, "sft", tiny_base, building.conversations(60), options=options)
        for name in ("whole", "stopped")
    )
    assert building.run_trainer(whole) == 0, building.log_of(whole)
    with (stopped / "train.log").open("ab") as log:
        child = subprocess.Popen(building.trainer(stopped), stdout=log, stderr=log)
    while len(building.losses(stopped)) < 6 and child.poll() is None:
        time.sleep(0.02)
    child.terminate()

    assert child.wait(building.TIMEOUT) == STOPPED
    assert building.run_trainer(stopped, "--resume") == 0, building.log_of(stopped)
    assert building.losses(stopped) == building.losses(whole)
    assert dict(looks(stopped)) == dict(looks(whole))
    hashes = [building.events(run, "done")[0]["adapter_sha256"] for run in (whole, stopped)]
    assert hashes[0] == hashes[1]
