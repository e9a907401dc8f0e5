"""KTO from end to end: judged answers in, an adapter out; its reference is proven as DPO's is."""

from pathlib import Path
from typing import Any

import pytest

from storage.weights import read_header
from tests.trainers import building

pytestmark = pytest.mark.torch

WEIGHTS = "adapter_model.safetensors"


def run_of(folder: Path, base: Path, rows: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    """The metrics of a run: 12 steps over all of the rows."""
    options = {"epochs": 6, "learning_rate": 2e-3, "batch_size": 8, **more.pop("options", {})}
    building.make_run(folder, "kto", base, rows=rows, options=options, **more)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return building.events(folder, "metric")


def test_good_answers_rise_and_bad_ones_fall(tiny_base: Path, tmp_path: Path) -> None:
    first, *_, last = run_of(tmp_path / "kto", tiny_base, building.thumbs(16))

    assert first["loss"] == pytest.approx(0.5, abs=1e-5)  # 1 - s(0), where policy and reference are equal
    assert (first["kl"], first["rewards/chosen"]) == (0.0, pytest.approx(0, abs=1e-5))
    assert last["rewards/margins"] > 0.5
    assert last["loss"] < first["loss"]


@pytest.mark.slow
def test_a_continued_adapter_is_compared_with_itself_and_saved_alone(
    tiny_base: Path, sft_run: Path, tmp_path: Path
) -> None:
    previous = str(sft_run / "adapter")
    first, *_, last = run_of(tmp_path / "kto", tiny_base, building.thumbs(16), adapter_path=previous)

    assert first["loss"] == pytest.approx(0.5, abs=1e-5)
    assert last["rewards/margins"] > 0.1
    names = {tensor.name for tensor in read_header(tmp_path / "kto" / "adapter" / WEIGHTS)}
    assert names == {tensor.name for tensor in read_header(sft_run / "adapter" / WEIGHTS)}
    assert not (tmp_path / "kto" / "adapter" / "ref").exists()


@pytest.mark.slow
def test_without_the_estimate_of_the_move_it_learns_the_same_taste(tiny_base: Path, tmp_path: Path) -> None:
    options = {"loss_type": "apo_zero_unpaired"}
    first, *_, last = run_of(tmp_path / "apo", tiny_base, building.thumbs(16), options=options)

    assert first["loss"] == pytest.approx(0.5, abs=1e-5)
    assert last["rewards/margins"] > 0.5


@pytest.mark.slow
def test_what_weighs_nothing_teaches_nothing(tiny_base: Path, tmp_path: Path) -> None:
    """Half of the rows say the opposite; by weight the others win."""
    usual = [{**row, "weight": 1.0} for row in building.thumbs(16)]
    turned = [{**row, "weight": 0.01, "label": not row["label"], "id": f"no-{row['id']}"} for row in usual]

    run_of(tmp_path / "weighted", tiny_base, usual + turned, options={"batch_size": 32})

    assert _likes_short(tmp_path / "weighted", tiny_base)


def _likes_short(run: Path, base: Path) -> bool:
    """Whether the short answer has gained on the long one, in log-probability."""
    from transformers import AutoTokenizer

    from tests.trainers import loop
    from trainers.data_pairs import prepare_preferences, read_preferences

    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = prepare_preferences(tokenizer, read_preferences(building.preferences(4)), 512).rows
    before, after = loop.load(base)[0], loop.load(base, run / "adapter")[0]
    return all(_lead(after, row) > _lead(before, row) + 0.5 for row in rows)


def _lead(model: Any, row: dict[str, list[int]]) -> float:
    import torch

    said = []
    for side in ("chosen_ids", "rejected_ids"):
        ids = torch.tensor([row["prompt_ids"] + row[side]])
        with torch.no_grad():
            logps = model(ids).logits[0, :-1].log_softmax(-1)
        said.append(sum(float(logps[at - 1, ids[0, at]]) for at in range(len(row["prompt_ids"]), ids.shape[1])))
    return said[0] - said[1]


def test_good_and_bad_answers_weigh_the_same_in_all() -> None:
    from storage.specs.kto import KTOOptions
    from trainers.unpaired import weights_of

    rows = [{"label": at < 2} for at in range(10)]

    assert weights_of(KTOOptions(), rows) == (
        4.0, 1.0, "2 good and 8 bad answers; a good one weighs 4, a bad one 1.",
    )  # fmt: skip
    assert weights_of(KTOOptions(desirable_weight=1.5, undesirable_weight=2.0), rows)[:2] == (1.5, 2.0)


def test_two_rows_go_through_the_model_at_least() -> None:
    from storage.specs.kto import KTOOptions
    from trainers.arguments import Plan
    from trainers.unpaired import several_at_once

    assert several_at_once(Plan(1, 8, 20), KTOOptions(batch_size=8)) == Plan(2, 4, 20)
    assert several_at_once(Plan(1, 9, 20), KTOOptions(batch_size=9)) == Plan(3, 3, 20)
    assert several_at_once(Plan(4, 2, 20), KTOOptions(batch_size=8)) == Plan(4, 2, 20)
