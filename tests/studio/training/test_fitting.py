"""What does not belong together is told from headers: words without rows, adapters of other bases, foreign code."""

import json
from pathlib import Path

import pytest

from storage.errors import BadInput, NotFound, Refused
from storage.models import get_model, list_models
from storage.store import Store
from studio.settings import Settings
from studio.training.adding import Choices, add_model
from studio.training.folders import inspect_base
from tests.studio.training.project import write_base, write_safetensors

LAYER = "model.layers.0.self_attn.q_proj"
FACTORS = {f"base_model.model.{LAYER}.lora_A.weight": (4, 6), f"base_model.model.{LAYER}.lora_B.weight": (8, 4)}


@pytest.fixture
def settings(store: Store) -> Settings:
    return Settings.from_env({}, home=store.home.path)


def layered(folder: Path) -> Path:
    """A base with one layer that reads 6 and writes 8 numbers, and 10 words."""
    write_base(folder)
    write_safetensors(folder / "model.safetensors", **{"model.embed_tokens.weight": (10, 6), f"{LAYER}.weight": (8, 6)})
    return folder


def tokenizer(folder: Path, words: int, marks: dict[str, int] | None = None) -> None:
    """A tokenizer with so many words, and marks by number."""
    said = {
        "model": {"vocab": {f"w{number}": number for number in range(words)}},
        "added_tokens": [{"id": number, "content": mark} for mark, number in (marks or {}).items()],
    }
    (folder / "tokenizer.json").write_text(json.dumps(said))


def factors(folder: Path, base: str = "base", **shapes: tuple[int, ...]) -> Path:
    """An adapter's folder with these tensors."""
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": base}))
    write_safetensors(folder / "adapter_model.safetensors", **(shapes or FACTORS))
    return folder


def test_as_many_words_as_rows_fit(tmp_path: Path) -> None:
    folder = layered(tmp_path / "base")
    tokenizer(folder, 10)

    assert inspect_base(folder).parameters == 108


def test_more_words_than_rows_are_refused(tmp_path: Path) -> None:
    folder = layered(tmp_path / "base")
    tokenizer(folder, 12)

    with pytest.raises(BadInput, match="knows 12 tokens and the weights 10: they do not belong together"):
        inspect_base(folder)


def test_a_mark_without_a_row_counts_where_the_template_writes_it(tmp_path: Path) -> None:
    folder = layered(tmp_path / "base")
    tokenizer(folder, 10, {"<image>": 10})
    assert inspect_base(folder).parameters == 108

    (folder / "chat_template.jinja").write_text("<image>{{ messages }}")
    with pytest.raises(BadInput, match="knows 11 tokens and the weights 10"):
        inspect_base(folder)


@pytest.mark.parametrize(
    ("config", "refused"),
    [
        ({"model_type": "llama", "auto_map": {"AutoConfig": "own.Config"}}, False),
        ({"model_type": "quite-our-own", "auto_map": {"AutoConfig": "own.Config"}}, True),
        ({"model_type": "../llama", "auto_map": {"AutoConfig": "own.Config"}}, True),
    ],
)
def test_code_that_comes_with_a_model_is_needed_or_not(
    tmp_path: Path, config: dict[str, object], refused: bool
) -> None:
    folder = write_base(tmp_path / "base")
    (folder / "config.json").write_text(json.dumps(config))

    if refused:
        with pytest.raises(Refused, match="wants to run code of its own"):
            inspect_base(folder)
    else:
        assert inspect_base(folder).parameters == 14


def test_an_adapter_that_fits_is_added(store: Store, settings: Settings, tmp_path: Path) -> None:
    add_model(store, settings, str(layered(tmp_path / "base")))

    model = add_model(store, settings, str(factors(tmp_path / "tuned")))

    assert (model.kind, model.base_id) == ("adapter", get_model(store, "base").id)


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        ({f"base_model.model.{LAYER}.lora_A.weight": (4, 7)},
         rf"does not fit base: {LAYER}\.weight has the sizes 8 x 6 there, and the adapter brings 4 x 7"),
        ({f"base_model.model.{LAYER}.lora_B.weight": (9, 4)}, "It was trained on another base."),
        ({"base_model.model.model.embed_tokens.weight": (12, 6)}, r"has the sizes 10 x 6 there.*brings 12 x 6"),
        ({"base_model.model.model.layers.7.mlp.up_proj.lora_A.weight": (4, 6)},
         "none of the layers that it changes is there"),
    ],
)  # fmt: skip
def test_an_adapter_of_another_base_is_refused_and_nothing_is_left(
    store: Store, settings: Settings, tmp_path: Path, shapes: dict[str, tuple[int, ...]], sentence: str
) -> None:
    add_model(store, settings, str(layered(tmp_path / "base")))

    with pytest.raises(BadInput, match=sentence):
        add_model(store, settings, str(factors(tmp_path / "tuned", **shapes)))

    assert [model.name for model in list_models(store)] == ["base"]
    assert list(store.home.models.iterdir()) == []


def test_the_base_may_be_named_where_the_adapter_calls_it_otherwise(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    add_model(store, settings, str(layered(tmp_path / "base")))
    adapter = factors(tmp_path / "tuned", "somebody/renamed")

    with pytest.raises(NotFound, match='belongs to the base "somebody/renamed"'):
        add_model(store, settings, str(adapter))
    assert add_model(store, settings, str(adapter), choices=Choices(base="base")).base_id == get_model(store, "base").id


def test_names_of_layers_may_begin_otherwise_in_a_file(store: Store, settings: Settings, tmp_path: Path) -> None:
    """Some files of weights say language_model.layers where the model in memory says layers."""
    folder = write_base(tmp_path / "base")
    write_safetensors(folder / "model.safetensors", **{f"language_model.{LAYER}.weight": (8, 6)})
    add_model(store, settings, str(folder))

    assert add_model(store, settings, str(factors(tmp_path / "tuned"))).kind == "adapter"
