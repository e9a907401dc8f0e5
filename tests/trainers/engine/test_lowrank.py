"""The stacked product against PEFT's own layers, adapter by adapter."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.errors import RatchetError
from tests.trainers.engine import tiny
from tests.trainers.engine.asking import ask, generated

pytestmark = pytest.mark.torch


def test_ranks_factors_and_layers_may_differ_between_the_adapters_of_a_batch(
    make_bases: Callable[..., Any], tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    base = tiny_models["base"]
    folders = {
        "wide": tiny.save_adapter(tmp_path / "wide", base, 21, r=16, lora_alpha=4),
        "narrow": tiny.save_adapter(tmp_path / "narrow", base, 22, targets=["down_proj"], r=2, lora_alpha=32),
        "rooted": tiny.save_adapter(tmp_path / "rooted", base, 23, r=8, use_rslora=True),
    }
    bases = make_bases()
    bases.load_base("base", base)
    for name, folder in folders.items():
        bases.load_adapter(name, folder, "base")
    asked = {name: ask(bases, name, tokens=40) for name in (*folders, "base")}

    for one in asked.values():
        one.wait()

    prompt = asked["base"].row.prompt
    assert {name: one.tokens for name, one in asked.items()} == {
        name: generated(base, folders.get(name), prompt, 40) for name in asked
    }
    assert len({tuple(one.tokens) for one in asked.values()}) == 4


def test_a_layer_that_folds_its_rows_together_refuses_to_mix() -> None:
    import torch

    from trainers.engine.lowrank import Product, add_product

    product = Product(torch.ones(2, 4), torch.ones(3, 2), torch.ones(5, 1, 2))

    with pytest.raises(RatchetError, match="does not keep its rows apart"):
        add_product(torch.zeros(7, 3), torch.zeros(7, 4), product)


def test_an_output_of_another_number_format_keeps_it() -> None:
    import torch

    from trainers.engine.lowrank import Product, add_product

    product = Product(torch.ones(1, 2), torch.full((3, 1), 0.5), None)

    added = add_product(torch.ones(1, 1, 3, dtype=torch.bfloat16), torch.ones(1, 1, 2, dtype=torch.bfloat16), product)

    assert added.dtype == torch.bfloat16
    assert added.tolist() == [[[2.0, 2.0, 2.0]]]


def test_what_is_kept_ready_stays_small(make_bases: Callable[..., Any], tiny_models: dict[str, Path]) -> None:
    bases = make_bases()
    bases.load_base("base", tiny_models["base"])
    bases.load_adapter("a", tiny_models["a"], "base")
    target = bases.find("a")
    from trainers.engine.lowrank import LowRank

    adapters, kept = target.lane.adapters, LowRank()
    for rows in range(1, 30):
        assert len(kept.of((target.adapter.key,) * rows, adapters.layers)) == 14

    assert kept.size == 8
