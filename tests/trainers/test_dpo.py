import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.home import read_json
from storage.specs.dpo import LOSSES
from storage.weights import read_header
from tests.trainers import building
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def continued(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, sft_run: Path) -> Path:
    """A finished DPO run on the SFT run's adapter."""
    folder = building.make_run(
        tmp_path_factory.mktemp("runs") / "dpo-2", "dpo", tiny_base, adapter_path=str(sft_run / "adapter")
    )
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


def test_a_fresh_adapter_is_compared_with_the_base(tiny_base: Path, tmp_path: Path) -> None:
    folder = building.make_run(tmp_path / "dpo-1", "dpo", tiny_base)

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    first, *_, last = building.events(folder, "metric")
    assert first["loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert (first["rewards/chosen"], first["rewards/rejected"]) == pytest.approx((0, 0), abs=1e-5)
    assert last["rewards/margins"] > 0.5
    assert _logged(first) == pytest.approx(_log_probabilities(tiny_base, None, folder), abs=0.01)


def test_a_continued_adapter_is_compared_with_itself_as_it_was(continued: Path, tiny_base: Path, sft_run: Path) -> None:
    first, *_, last = building.events(continued, "metric")

    assert first["loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert (first["rewards/chosen"], first["rewards/rejected"]) == pytest.approx((0, 0), abs=1e-5)
    assert last["rewards/margins"] > 0.5
    # Policy and reference give equal rewards, and the policy begins as the adapter of the round before, which is
    # not what the base says.
    adapter = _log_probabilities(tiny_base, sft_run / "adapter", continued)
    base = _log_probabilities(tiny_base, None, continued)
    assert _logged(first) == pytest.approx(adapter, abs=0.01)
    assert max(abs(one - other) for one, other in zip(adapter, base, strict=True)) > 0.1


def _logged(metric: dict[str, float]) -> tuple[float, float]:
    """The policy's mean log-probabilities of chosen and rejected answers as TRL logged them."""
    return metric["logps/chosen"], metric["logps/rejected"]


def _log_probabilities(base: Path, adapter: Path | None, run: Path) -> tuple[float, float]:
    """The same for the run's first batch, computed without TRL."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from storage.runs import thaw_rows
    from trainers.data_pairs import prepare_preferences, read_preferences

    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    rows = prepare_preferences(tokenizer, read_preferences(thaw_rows(run / "data.parquet")), 1024).rows
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).tolist()
    batch = [rows[at] for at in order[:8]]
    with torch.no_grad():
        return tuple(sum(_of_answer(model, row, side) for row in batch) / len(batch) for side in ("chosen", "rejected"))


def _of_answer(model: Any, row: dict[str, list[int]], side: str) -> float:
    import torch

    ids = torch.tensor([row["prompt_ids"] + row[f"{side}_ids"]])
    logps = model(ids).logits[0, :-1].log_softmax(-1)
    return sum(float(logps[at - 1, ids[0, at]]) for at in range(len(row["prompt_ids"]), ids.shape[1]))


def test_the_saved_adapter_holds_no_reference_copy(continued: Path, sft_run: Path) -> None:
    def sizes(run: Path) -> list[tuple[str, tuple[int, ...]]]:
        return sorted((tensor.name, tensor.shape) for tensor in read_header(run / "adapter" / WEIGHTS))

    assert sizes(continued) == sizes(sft_run)
    assert not (continued / "adapter" / "ref").exists()


def test_a_reference_that_is_not_the_policy_ends_the_run(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    """The copy is spoilt between TRL's making it and the first step."""
    import torch

    from storage.specs.run import RunSpec
    from trainers.failures import RunFailed
    from trainers.models import continued_adapter, load_base
    from trainers.reference import compare_weights

    folder = building.make_run(tmp_path / "spoilt", "dpo", tiny_base, adapter_path=str(sft_run / "adapter"))
    model = continued_adapter(load_base(RunSpec.read(folder)).model, sft_run / "adapter")
    model.add_adapter("ref", model.peft_config["default"])

    with pytest.raises(RunFailed, match="wrong reference"):
        compare_weights(model, continued=True)
    for name, weight in dict(model.named_parameters()).items():
        if ".default." in name:
            model.get_parameter(name.replace(".default.", ".ref.")).data.copy_(weight.data)
    compare_weights(model, continued=True)
    with torch.no_grad():
        next(weight for name, weight in model.named_parameters() if ".ref." in name).add_(1e-3)
    with pytest.raises(RunFailed, match="1 of "):
        compare_weights(model, continued=True)


def _changed(**changes: Any) -> Callable[[Path, Path], None]:
    """An adapter whose configuration says something else."""

    def make(folder: Path, _base: Path) -> None:
        path = folder / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return make


def _on_embeddings(folder: Path, base: Path) -> None:
    shutil.rmtree(folder)
    tiny.save_adapter(folder, base, seed=1, targets=["q_proj", "embed_tokens"])


def _torn(folder: Path, _base: Path) -> None:
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-10])


def _of_another_base(folder: Path, base: Path) -> None:
    shutil.rmtree(folder)
    other = tiny.save_base(folder.parent / "other", hidden=64)
    tiny.save_adapter(folder, other, seed=1)


REFUSED: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "embeddings": (_on_embeddings, "LoRA on the embeddings"),
    "pissa": (_changed(init_lora_weights="pissa_niter_4"), "changes the base's weights"),
    "olora": (_changed(init_lora_weights="olora"), "changes the base's weights"),
    "bias": (_changed(bias="lora_only"), "trains the base's biases"),
    "tokens": (_changed(trainable_token_indices=[1, 2]), "trains single token embeddings"),
    "kind": (_changed(peft_type="IA3"), "only LoRA is known here"),
    "torn": (_torn, "is not a whole safetensors file"),
    "other base": (_of_another_base, "does not fit the base"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_adapter_whose_reference_would_be_wrong_is_refused(
    case: str, tiny_base: Path, sft_run: Path, tmp_path: Path
) -> None:
    """In this process: refusals come before anything is trained, and eight processes would only cost time."""
    from storage.errors import RatchetError
    from storage.specs.run import RunSpec
    from trainers.models import check_adapter, continued_adapter, load_base

    adapter = tmp_path / "adapter"
    shutil.copytree(sft_run / "adapter", adapter)
    make, sentence = REFUSED[case]
    make(adapter, tiny_base)
    folder = building.make_run(tmp_path / "run", "dpo", tiny_base, adapter_path=str(adapter))

    with pytest.raises(RatchetError, match=sentence):
        check_adapter(adapter, reference=True)
        continued_adapter(load_base(RunSpec.read(folder)).model, adapter)


def test_a_refused_adapter_fails_the_run_with_its_sentence(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(sft_run / "adapter", adapter)
    _changed(bias="all")(adapter, tiny_base)
    folder = building.make_run(tmp_path / "run", "dpo", tiny_base, adapter_path=str(adapter))

    assert building.run_trainer(folder) == 1
    error = read_json(folder / "error.json")
    assert error is not None
    assert (error["kind"], "bias=all" in error["sentence"]) == ("refused", True)


@pytest.mark.parametrize("loss_type", LOSSES)
@pytest.mark.slow
def test_every_loss_begins_where_it_must_and_learns(loss_type: str, tiny_base: Path, tmp_path: Path) -> None:
    """A first loss that is not what equal models give would end the run."""
    options = {"loss_type": loss_type, "epochs": 1, "learning_rate": 1e-3, "label_smoothing": 0.1}
    folder = building.make_run(tmp_path / loss_type, "dpo", tiny_base, options=options)

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    assert building.events(folder, "metric")[-1]["rewards/margins"] > 0


def test_pairs_without_a_difference_and_prompts_too_long_are_counted(tiny_base: Path, tmp_path: Path) -> None:
    rows = building.preferences(12)
    rows[0]["rejected"] = rows[0]["chosen"]
    rows[1]["prompt"] = json.dumps(building.turns("why " * 200))
    rows[2]["rejected"] = json.dumps(building.answer("well " * 100))
    folder = building.make_run(tmp_path / "long", "dpo", tiny_base, rows, options={"max_length": 64, "max_steps": 2})

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    assert [event["sentence"] for event in building.events(folder, "warning")] == [
        "1 row was left out: the prompt alone fills max_length (64 tokens).",
        "1 row was cut at max_length (64 tokens): their ends are not learnt.",
        "1 row was left out: both answers are the same.",
    ]


def _telling(**told: Any) -> list[dict[str, Any]]:
    """The usual pairs, which say more than better and worse."""
    return [{"weight": 1.0, "tie": False, **row, **told} for row in building.preferences(8)]


def _run_of(tiny_base: Path, folder: Path, rows: list[dict[str, Any]], **options: Any) -> list[dict[str, Any]]:
    """The metrics of a run on these rows: 6 steps over all of them."""
    spec = {"epochs": 6, "learning_rate": 2e-3, "batch_size": 8, **options}
    building.make_run(folder, "dpo", tiny_base, rows=rows, options=spec)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return building.events(folder, "metric")


def test_our_loss_is_trls_where_the_rows_say_nothing_more(tiny_base: Path, tmp_path: Path) -> None:
    """A margin too small to matter takes the road of our own loss."""
    plain = _run_of(tiny_base, tmp_path / "plain", _telling())
    ours = _run_of(tiny_base, tmp_path / "ours", _telling(margin=1e-9), margin_scale=1.0)

    for name in ("loss", "rewards/chosen", "rewards/rejected", "rewards/margins", "logps/chosen", "rewards/accuracies"):
        assert [one[name] for one in ours] == pytest.approx([one[name] for one in plain], abs=1e-4), name


def test_a_margin_asks_for_a_lead(tiny_base: Path, tmp_path: Path) -> None:
    plain = _run_of(tiny_base, tmp_path / "plain", _telling())
    wide = _run_of(tiny_base, tmp_path / "wide", _telling(margin=3.0), margin_scale=1.0)
    unused = _run_of(tiny_base, tmp_path / "unused", _telling(margin=3.0), margin_scale=0.0)

    assert wide[0]["loss"] == pytest.approx(math.log(1 + math.exp(3.0)), abs=1e-4)  # -log s(0 - 3)
    assert wide[-1]["rewards/margins"] > plain[-1]["rewards/margins"]
    assert [one["loss"] for one in unused] == [one["loss"] for one in plain]


def test_ties_hold_equal_answers_together(tiny_base: Path, tmp_path: Path) -> None:
    """Of eight alike pairs four are said to be ties: the lead that the others teach stays smaller."""
    plain = _run_of(tiny_base, tmp_path / "plain", _telling())
    rows = [{**row, "tie": at % 2 == 1} for at, row in enumerate(_telling())]

    tied = _run_of(tiny_base, tmp_path / "tied", rows)

    assert tied[-1]["tokens_per_second"] > 0
    assert tied[0]["loss"] == pytest.approx(1.5 * math.log(4), abs=1e-4)  # -log s(-ln 3), for a tie twice
    assert 0 < tied[-1]["rewards/margins"] < 0.9 * plain[-1]["rewards/margins"]


def test_what_weighs_nothing_teaches_nothing(tiny_base: Path, tmp_path: Path) -> None:
    """Half of the pairs say the opposite; by weight the others win."""
    pairs = building.preferences(8)
    turned = [{**row, "chosen": row["rejected"], "rejected": row["chosen"], "id": f"no-{row['id']}"} for row in pairs]
    rows = [{**row, "weight": 1.0, "tie": False} for row in pairs] + [
        {**row, "weight": 0.01, "tie": False} for row in turned
    ]

    metrics = _run_of(tiny_base, tmp_path / "weighted", rows, batch_size=16)

    # Both directions of a pair stand in the batch, so margins cancel out; the weighted loss falls all the same.
    assert metrics[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert metrics[-1]["loss"] < 0.6
    assert metrics[-1]["rewards/margins"] == pytest.approx(0, abs=1e-3)


def test_a_loss_that_cannot_use_what_the_rows_say_ends_the_run(tiny_base: Path, tmp_path: Path) -> None:
    options = {"epochs": 1, "loss_type": "hinge"}
    folder = building.make_run(tmp_path / "hinge", "dpo", tiny_base, rows=_telling(tie=True), options=options)

    assert building.run_trainer(folder) == 1
    error = read_json(folder / "error.json")
    assert error is not None
    assert error["sentence"].startswith('The loss "hinge" knows no margins, weights or ties')
