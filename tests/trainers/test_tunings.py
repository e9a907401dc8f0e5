"""Which weights are trained, what comes out of it, and where it starts: continue, stack or fresh."""

from pathlib import Path
from typing import Any

import pytest

from storage.home import read_json
from storage.models import get_model
from storage.specs.options import option_fields
from storage.specs.sft import SFTOptions
from storage.specs.training import SAVED_AS_ADAPTER, TUNINGS
from storage.store import Store
from storage.weights import count_weights, hash_files, read_header
from tests.trainers import building
from tests.trainers.engine import tiny
from trainers.engine.adapters import WEIGHTS

SLOW = pytest.mark.slow


def test_every_tuning_makes_an_adapter_or_a_model() -> None:
    choices = {item.name: item.limits.choices for item in option_fields(SFTOptions)}["tuning"]

    assert choices == TUNINGS
    assert set(TUNINGS) > SAVED_AS_ADAPTER


@pytest.mark.torch
@pytest.mark.parametrize("tuning", ["full", pytest.param("dora", marks=SLOW), pytest.param("ia3", marks=SLOW)])
def test_what_the_engine_cannot_mix_becomes_a_model_of_its_own(tuning: str, tiny_base: Path, tmp_path: Path) -> None:
    options = {"epochs": 4, "learning_rate": 2e-3 if tuning != "ia3" else 5e-2, "tuning": tuning}
    folder = building.make_run(tmp_path / tuning, "sft", tiny_base, options=options)

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    losses = building.losses(folder)
    assert losses[-1] < losses[0] - 0.2
    (done,) = building.events(folder, "done")
    assert (done["artefact"], (folder / "adapter").exists()) == ("model", False)
    assert done["adapter_sha256"] == hash_files([folder / "model" / "model.safetensors"])
    # The same weights by name and shape as the base, none of them PEFT's, and they answer as the trained model did.
    assert _shapes(folder / "model") == _shapes(tiny_base)
    assert _loss_of(folder / "model") == pytest.approx(losses[-1], abs=0.5)
    assert _loss_of(tiny_base) > losses[0] - 0.5


@pytest.mark.torch
@pytest.mark.slow
def test_rslora_is_an_adapter_that_says_so(tiny_base: Path, tmp_path: Path) -> None:
    options = {"epochs": 2, "learning_rate": 2e-3, "tuning": "rslora"}
    folder = building.make_run(tmp_path / "rslora", "sft", tiny_base, options=options)

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    config = read_json(folder / "adapter" / "adapter_config.json")
    assert config is not None
    assert (config["use_rslora"], config["use_dora"]) == (True, False)


@pytest.mark.torch
def test_qlora_without_a_gpu_is_refused_with_the_way_out(tiny_base: Path) -> None:
    from storage.errors import Refused
    from storage.specs.run import RunSpec
    from trainers.models import load_base

    spec = RunSpec("job", "sft", "name", str(tiny_base), options={"tuning": "qlora"}, device="cpu")

    with pytest.raises(Refused, match=r"needs an NVIDIA GPU.*choose the tuning lora"):
        load_base(spec)


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, sft_run: Path) -> Path:
    """A DPO run that was stacked on the SFT run's adapter."""
    folder = building.make_run(
        tmp_path_factory.mktemp("runs") / "stacked", "dpo", tiny_base, adapter_path=str(sft_run / "adapter"),
        start="stack", options={"epochs": 2, "learning_rate": 2e-3, "lora_r": 8, "lora_alpha": 32},
    )  # fmt: skip
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


@pytest.mark.torch
def test_stacking_starts_at_the_previous_policy_and_compares_with_it(stacked: Path, sft_run: Path) -> None:
    first = building.events(stacked, "metric")[0]

    assert first["loss"] == pytest.approx(0.693147, abs=1e-4)
    assert (first["rewards/chosen"], first["rewards/rejected"]) == pytest.approx((0, 0), abs=1e-4)


@pytest.mark.torch
def test_a_stack_is_one_plain_adapter_that_adds_both(stacked: Path, tiny_base: Path, sft_run: Path) -> None:
    """The rank is the sum; on the untouched base it answers as the trained model over the merged one did."""
    config = read_json(stacked / "adapter" / "adapter_config.json")
    assert config is not None
    assert (config["r"], config["lora_alpha"], config["peft_type"]) == (24, 24, "LORA")
    assert [tensor.name for tensor in read_header(stacked / "adapter" / WEIGHTS)] == [
        tensor.name for tensor in read_header(sft_run / "adapter" / WEIGHTS)
    ]
    (done,) = building.events(stacked, "done")
    assert done["probe"]["max_logit_difference"] > 0
    assert done["artefact"] == "adapter"
    assert len(building.events(stacked, "sample")) == 3


PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "alike": ({"r": 2, "lora_alpha": 7}, {"r": 5, "lora_alpha": 3}),
    "other layers": ({"r": 2, "targets": ["q_proj", "v_proj"]}, {"r": 5, "targets": ["q_proj", "k_proj"]}),
    "other scales": ({"r": 2, "lora_alpha": 7, "use_rslora": True}, {"r": 5, "alpha_pattern": {"k_proj": 3}}),
}


@pytest.mark.torch
@pytest.mark.parametrize("case", PAIRS)
def test_a_concatenation_adds_what_both_adapters_add(case: str, tiny_base: Path, tmp_path: Path) -> None:
    """As merging both does, to rounding. PEFT's own agrees for adapters alike; it mixes up their scales elsewhere."""
    import torch

    from trainers.stacking import stack
    from trainers.whole import load_exactly

    one, two = (tiny.save_adapter(tmp_path / f"{at}", tiny_base, at, **given) for at, given in enumerate(PAIRS[case]))
    stack(one, two, tmp_path / "both")

    ids = torch.arange(5, 45)[None]
    with torch.no_grad():
        ours = load_exactly(tiny_base, (tmp_path / "both",))(ids).logits
        merged = load_exactly(tiny_base, (one, two))(ids).logits
        base = load_exactly(tiny_base)(ids).logits
        assert (ours - merged).abs().max() < 1e-4
        assert (ours - base).abs().max() > 0.1
        if case == "alike":
            assert (ours - _pefts(tiny_base, one, two)(ids).logits).abs().max() < 1e-4


def _pefts(base: Path, one: Path, two: Path) -> Any:
    """PEFT's concatenation of two adapters in memory."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), one, adapter_name="one")
    model.load_adapter(two, "two")
    model.add_weighted_adapter(["one", "two"], [1.0, 1.0], "cat", combination_type="cat")
    model.set_adapter("cat")
    return model


@pytest.mark.torch
@pytest.mark.slow
def test_a_full_model_of_an_adapter_starts_at_the_adapter(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    """Every weight is trained, so the adapter is merged first; DPO compares with a frozen copy."""
    folder = building.make_run(
        tmp_path / "full", "dpo", tiny_base, adapter_path=str(sft_run / "adapter"),
        options={"epochs": 2, "learning_rate": 1e-3, "tuning": "full"},
    )  # fmt: skip

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    first, *_, last = building.events(folder, "metric")
    assert first["loss"] == pytest.approx(0.693147, abs=1e-4)
    assert last["rewards/margins"] > 0.2
    assert _shapes(folder / "model") == _shapes(tiny_base)


@pytest.mark.slow
@pytest.mark.torch
def test_a_whole_model_is_registered_as_a_base_with_a_parent(store: Store, tiny_base: Path) -> None:
    origin = building.add_base(store, tiny_base)
    options = {"max_steps": 2, "learning_rate": 2e-3, "tuning": "full"}
    job = building.enqueue(store, "sft", origin, "whole", tiny_base, options=options)

    building.run_worker(store)
    model = get_model(store, "whole")
    assert (model.kind, model.base_id, model.parent_id, model.job_id) == ("base", None, origin.id, job.id)
    assert model.base_sha256 == hash_files([Path(str(model.path)) / "model.safetensors"])
    assert (model.adapter_sha256, model.parameters) == (None, count_weights(tiny_base))
    assert (Path(str(model.path)) / "tokenizer.json").is_file()


def _shapes(folder: Path) -> list[tuple[str, tuple[int, ...], str]]:
    files = sorted(folder.glob("*.safetensors"))
    return sorted((tensor.name, tensor.shape, tensor.dtype) for file in files for tensor in read_header(file))


def _loss_of(base: Path) -> float:
    """Mean loss on the assistant's words of the usual rows."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from trainers.data import prepare_conversations, read_conversations

    tokenizer = AutoTokenizer.from_pretrained(base)
    rows: list[dict[str, Any]] = prepare_conversations(
        tokenizer, read_conversations(building.conversations()), "assistant", 1024
    ).rows
    model = AutoModelForCausalLM.from_pretrained(base).eval()
    with torch.no_grad():
        losses = [
            float(model(torch.tensor([row["input_ids"]]), labels=torch.tensor([row["labels"]])).loss) for row in rows
        ]
    return sum(losses) / len(losses)
