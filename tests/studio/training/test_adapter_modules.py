"""Layers that an adapter names come in as plain names: PEFT would read them as patterns, without a deadline."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage.errors import BadInput
from storage.home import read_json
from storage.models import get_model, list_models
from storage.store import Store
from studio.settings import Settings
from studio.training.adding import add_model
from studio.training.folders import inspect_adapter
from tests.studio.training.project import add_starter, write_adapter, write_safetensors

LAYERS = [f"model.layers.{at}.self_attn.{name}" for at in (0, 1) for name in ("q_proj", "v_proj")]
ENDLESS = "(.*)*" + "(a|aa)*" * 9 + "b"


@pytest.fixture
def ready(store: Store) -> Store:
    """A project with a base of four layers."""
    base = add_starter(store)
    write_safetensors(Path(str(base.path)) / "model.safetensors", **{f"{name}.weight": (2, 2) for name in LAYERS})
    return store


def adapter(folder: Path, **config: Any) -> Path:
    """An adapter on those layers whose configuration says this."""
    write_adapter(folder, "starter")
    said = {"peft_type": "LORA", "base_model_name_or_path": "starter", "r": 4, **config}
    (folder / "adapter_config.json").write_text(json.dumps(said))
    sides = {"lora_A": (4, 2), "lora_B": (2, 4)}
    names = {f"base_model.model.{name}.{side}.weight": shape for name in LAYERS for side, shape in sides.items()}
    write_safetensors(folder / "adapter_model.safetensors", **names)
    return folder


def add(store: Store, folder: Path) -> dict[str, Any]:
    """The configuration that is kept of an adapter which is added."""
    add_model(store, Settings.from_env({}, home=store.home.path), str(folder))
    kept = read_json(Path(str(get_model(store, folder.name).path)) / "adapter_config.json")
    assert kept is not None
    return kept


def test_a_pattern_is_written_as_the_layers_that_it_means(ready: Store, tmp_path: Path) -> None:
    folder = adapter(tmp_path / "tuned", target_modules=r".*\.(q|v)_proj", exclude_modules=r".*\.1\..*v_proj")

    kept = add(ready, folder)

    assert (kept["target_modules"], kept["exclude_modules"]) == (LAYERS, [LAYERS[3]])
    assert (read_json(folder / "adapter_config.json") or {})["target_modules"] == r".*\.(q|v)_proj"


@pytest.mark.parametrize(
    "config",
    [
        {"target_modules": "all-linear"},
        {"target_modules": ["q_proj", "self_attn.v_proj"], "rank_pattern": {"^model.layers.0.self_attn.q_proj": 8}},
        {"target_modules": ["q_proj"], "layers_pattern": "layers", "layers_to_transform": [0]},
        {"target_modules": None, "modules_to_save": ["lm_head"], "exclude_modules": None},
    ],
)
def test_plain_names_are_left_as_they_are(ready: Store, tmp_path: Path, config: dict[str, Any]) -> None:
    kept = add(ready, adapter(tmp_path / "tuned", **config))

    assert {name: kept[name] for name in config} == config


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"layers_pattern": ENDLESS}, "layers_pattern holds .* no plain name of a layer"),
        ({"layers_pattern": ["layers", ENDLESS]}, "layers_pattern holds"),
        ({"modules_to_save": [ENDLESS]}, "modules_to_save holds"),
        ({"target_modules": ["q_proj", ENDLESS]}, "target_modules holds"),
        ({"target_modules": {"q_proj": 1}}, "target_modules holds"),
        ({"exclude_modules": [5]}, 'exclude_modules holds "5"'),
        ({"rank_pattern": {ENDLESS: 4}}, "rank_pattern holds"),
        ({"alpha_pattern": {ENDLESS: 4}}, "alpha_pattern holds"),
        ({"trainable_token_indices": {ENDLESS: [1]}}, "trainable_token_indices holds"),
        ({"target_modules": "(?:(?:a{999}){999}){999}"}, "repeats more than 10,000 times"),
        ({"target_modules": "a" * 1001}, "at most 1,000 characters"),
        ({"target_modules": "("}, "cannot be read"),
        ({"megatron_config": {"a": 1}, "megatron_core": "antigravity"}, "one for Megatron"),
    ],
)
def test_names_that_are_patterns_are_refused_before_anything_reads_them(
    tmp_path: Path, config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        inspect_adapter(adapter(tmp_path / "tuned", **config))


@pytest.mark.parametrize("option", ["target_modules", "exclude_modules"])
def test_a_pattern_without_end_is_refused_and_keeps_nobody_waiting(ready: Store, tmp_path: Path, option: str) -> None:
    write_safetensors(ready.home.model("starter") / "model.safetensors", **{f"{'a' * 200}b.weight": (2, 2)})
    folder = adapter(tmp_path / "tuned", **{option: "(a|aa)+"})

    with pytest.raises(BadInput, match=f"{option} .* takes too long to be matched"):
        add(ready, folder)
    assert [model.name for model in list_models(ready)] == ["starter"]
    assert not ready.home.model("tuned").exists()


def test_a_pattern_that_means_no_layer_is_refused(ready: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match='target_modules "nothing" mean no layer'):
        add(ready, adapter(tmp_path / "tuned", target_modules="nothing"))
