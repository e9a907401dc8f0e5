"""The proof that an adapter acts, and the sentence where it does not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.engine.asking import ask, generated

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
Models = dict[str, Path]


@pytest.fixture
def bases(make_bases: Make, tiny_models: Models) -> Any:
    held = make_bases()
    held.load_base("base", tiny_models["base"])
    return held


def acts(bases: Any, name: str) -> Any:
    return next(line.acts for line in bases.listed() if line.name == name)


def scaled(source: Path, folder: Path, factor: float) -> Path:
    """An adapter whose B is `factor` times that of another one."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(source, folder)
    weights = folder / "adapter_model.safetensors"
    state = load_file(weights)
    save_file({name: tensor * (factor if ".lora_B." in name else 1) for name, tensor in state.items()}, weights)
    return folder


def logits_of(base: Path, adapter: Path | None, tokens: list[int]) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    with torch.inference_mode():
        return model(input_ids=torch.tensor([tokens])).logits


@pytest.mark.parametrize("name", ["a", "dora"])
def test_an_adapter_is_held_against_its_base(bases: Any, tiny_models: Models, name: str) -> None:
    from trainers.engine.acting import PROBE

    bases.load_adapter(name, tiny_models[name], "base")

    tokens = bases.find("base").lane.base.tokenizer(PROBE, add_special_tokens=False)["input_ids"][:8]
    plain = logits_of(tiny_models["base"], None, tokens)
    expected = float((logits_of(tiny_models["base"], tiny_models[name], tokens) - plain).abs().max())
    found = acts(bases, name)
    assert (found.parent, found.dtype) == ("base", "float32")
    assert found.max_difference == pytest.approx(expected, rel=1e-4) and expected > 0.01
    assert (acts(bases, "base"), found.warning(name)) == (None, None)


def test_an_adapter_is_held_against_the_adapter_that_it_was_trained_from(bases: Any, tiny_models: Models) -> None:
    bases.load_adapter("a", tiny_models["a"], "base")
    bases.load_adapter("same", tiny_models["a"], "base", "a")
    bases.load_adapter("lost", tiny_models["a"], "base", "somebody who is not loaded")

    assert acts(bases, "same")[:2] == (0.0, "a")
    assert acts(bases, "same").warning("same") == (
        'The adapter "same" changes nothing: on a probe prompt its logits are those of "a" (float32).'
    )
    assert acts(bases, "lost") == acts(bases, "a")


def test_an_empty_adapter_is_told_from_one_that_rounding_loses(
    make_bases: Make, tiny_models: Models, tmp_path: Path
) -> None:
    bases = make_bases("bfloat16")
    bases.load_base("base", tiny_models["base"])

    bases.load_adapter("empty", scaled(tiny_models["a"], tmp_path / "empty", 0.0), "base")
    bases.load_adapter("faint", scaled(tiny_models["a"], tmp_path / "faint", 1e-6), "base")

    assert acts(bases, "empty") == (0.0, "base", "float32", None)
    faint = acts(bases, "faint")
    assert (faint.parent, faint.dtype, faint.lost_in) == ("base", "float32", "bfloat16")
    assert 0 < faint.max_difference < 1e-3
    assert faint.warning("faint") == (
        'The adapter "faint" is too weak for bfloat16: on a probe prompt its logits are those of "base", and differ in '
        "float32 alone."
    )


def test_the_proof_leaves_streams_and_answers_as_they_were(bases: Any, tiny_models: Models) -> None:
    streaming = ask(bases, "base", tokens=200)
    streaming.next()

    for name in ("a", "dora", "b"):
        bases.load_adapter(name, tiny_models[name], "base")
    streaming.wait()

    assert streaming.tokens == generated(tiny_models["base"], None, streaming.row.prompt, 200)
