import json
import math
from pathlib import Path
from typing import Any

import pytest

from storage.home import Home
from storage.models import get_model
from storage.specs.run import RunSpec
from storage.store import Store
from storage.weights import read_header
from tests.trainers import building
from tests.trainers.effects import rewards

pytestmark = pytest.mark.torch

WHOLE = {"completion": None, "score": None}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reward model of the starter that learnt from pairs, and the numbers of its effect."""
    folder = tmp_path_factory.mktemp("runs") / "reward"
    (folder.parent / "effect.json").write_text(json.dumps(rewards.from_pairs(folder)))
    return folder


def test_a_reward_model_ranks_pairs_that_it_has_not_seen(run: Path) -> None:
    effect = json.loads((run.parent / "effect.json").read_text())

    print(effect)
    assert effect["after"] > 0.8
    assert effect["after"] > effect["before"]


def test_its_first_loss_is_that_of_a_judge_who_knows_nothing(run: Path) -> None:
    first = next(event for event in building.events(run, "metric") if "loss" in event)

    assert first["loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert first["margin"] == pytest.approx(0.0, abs=1e-4)


def test_it_is_saved_as_an_adapter_with_a_head_and_what_its_numbers_mean(run: Path) -> None:
    tensors = {tensor.name: tensor.shape for tensor in read_header(run / "adapter" / "adapter_model.safetensors")}
    heads = [shape for name, shape in tensors.items() if name.endswith("score.weight")]

    assert heads == [(1, 256)]
    assert any("lora_A" in name for name in tensors)
    assert set(json.loads((run / "adapter" / "judge.json").read_text())) == {"factor", "shift", "max_length"}


def test_the_average_answer_that_it_learnt_from_scores_nothing(run: Path) -> None:
    better, worse = rewards.scores(run, rewards.judged(rewards.PAIRS, 0))
    given = better + worse

    mean = sum(given) / len(given)
    assert mean == pytest.approx(0.0, abs=0.25)  # held-out rows are among them
    assert math.sqrt(sum((one - mean) ** 2 for one in given) / len(given)) == pytest.approx(1.0, abs=0.25)


@pytest.mark.slow
def test_the_worker_registers_it_as_a_reward_model(tiny_base: Path, tmp_path: Path) -> None:
    store = Store.open(Home(tmp_path / "home"))
    base = building.add_base(store, tiny_base)
    rows = [{**row, **WHOLE} for row in building.preferences()]
    building.enqueue(store, "reward", base, "likes-short", tiny_base, rows=rows)

    building.run_worker(store)

    model = get_model(store, "likes-short")
    assert (model.kind, model.base_id, model.parent_id) == ("reward", base.id, base.id)
    assert (Path(str(model.path)) / "judge.json").is_file()


@pytest.mark.slow
def test_answers_of_one_score_teach_nothing_and_the_run_says_so(tiny_base: Path, tmp_path: Path) -> None:
    rows = [scored(at, 5.0) for at in range(8)]
    folder = building.make_run(tmp_path / "flat", "reward", tiny_base, rows)

    assert building.run_trainer(folder) == 1
    error = json.loads((folder / "error.json").read_text())
    assert error["kind"] == "no-difference"
    assert error["sentence"] == "All 8 answers have the same score (5), so there is nothing to learn."
    assert error["fix"] == "Rate answers differently, or learn from pairs."


def scored(at: int, score: float) -> dict[str, Any]:
    return {
        "id": f"answer-{at}", "prompt": json.dumps(building.turns(f"What is {at} plus 1?")), "chosen": None,
        "rejected": None, "margin": None, "completion": json.dumps(building.answer(f"{at + 1}.")), "score": score,
    }  # fmt: skip


@pytest.mark.slow
def test_votes_that_say_more_are_heard(tiny_base: Path, tmp_path: Path) -> None:
    """Margins, weights and ties go through a loss of our own."""
    rows = [
        {**row, **WHOLE, "margin": 1.0, "weight": 1.0 + at % 2, "tie": at % 6 == 0}
        for at, row in enumerate(building.preferences())
    ]
    folder = building.make_run(
        tmp_path / "told", "reward", tiny_base, rows, options={"epochs": 8, "learning_rate": 2e-3, "margin_scale": 0.5}
    )

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    losses = building.losses(folder)
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.slow
def test_it_goes_on_from_an_adapter_by_lying_over_it(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    rows = [{**row, **WHOLE} for row in building.preferences()]
    folder = building.make_run(
        tmp_path / "over", "reward", tiny_base, rows, adapter_path=str(sft_run / "adapter"),
        options={"epochs": 8, "learning_rate": 2e-3},
    )  # fmt: skip

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    assert RunSpec.read(folder).adapter_path == str(sft_run / "adapter")
    assert building.events(folder, "done")[0]["probe"]["max_score_difference"] < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reward/margins", "reward/scores"])
def test_margins_and_single_scores_teach_the_same_taste(name: str, tmp_path: Path) -> None:
    effect = rewards.EFFECTS[name](tmp_path / "run")

    print(effect)
    assert effect["after"] > 0.8
