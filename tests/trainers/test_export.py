"""A model that leaves, in each form: tested by itself, whole or not there."""

import importlib.util
import json
import shutil
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from huggingface_hub import ModelCard

from storage.errors import BadInput, Refused
from storage.home import read_json
from storage.models import add_model
from storage.store import Store
from storage.tasks import add_task
from storage.weights import read_header
from studio.clients.hub import Place
from studio.training.export_model_hub import push_model
from studio.training.exporting_models import Leaving, run_export_model
from tests.hub import Hub
from tests.trainers import building, converters
from tests.trainers.engine import tiny
from trainers.canaries import BUILT_IN
from trainers.export import Export, export

pytestmark = pytest.mark.torch


def wish(base: Path, adapter: Path | None, form: str, out: Path) -> Export:
    return Export("taught", str(base), str(adapter) if adapter else None, form, str(out))


@pytest.mark.parametrize("form", ["adapter", "merged", "full", "trl", "ollama"])
def test_what_is_written_answers_as_the_model_does(form: str, tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    found = export(wish(tiny_base, sft_run / "adapter", form, tmp_path / "out"))

    test = found["self_test"]
    assert (test["prompts"], test["same_answers"], test["agreement"]) == (5, 5, 1.0)
    assert test["tokens"] >= 5
    assert (found["model"], found["as"], found["path"]) == ("taught", form, str(tmp_path / "out"))
    assert found["bytes"] == sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
    names = {path.name for path in (tmp_path / "out").iterdir()}
    wanted = {
        "adapter": {"adapter_config.json", "adapter_model.safetensors"},
        "trl": {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "base"},
        "ollama": {"config.json", "tokenizer.json", "Modelfile"},
    }.get(form, {"config.json", "tokenizer.json"})
    assert wanted | {"README.md"} <= names
    assert str(tiny_base.parent) not in "".join(path.read_text() for path in (tmp_path / "out").glob("*.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_merged_model_is_the_base_with_the_adapter_in_it(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    export(wish(tiny_base, sft_run / "adapter", "merged", tmp_path / "out"))

    merged = {tensor.name: tensor.dtype for tensor in read_header(tmp_path / "out" / "model.safetensors")}
    plain = {tensor.name: tensor.dtype for tensor in read_header(tiny_base / "model.safetensors")}
    assert merged == plain
    assert (tmp_path / "out" / "model.safetensors").read_bytes() != (tiny_base / "model.safetensors").read_bytes()


def test_a_wrong_export_is_found_out_and_not_kept(
    tiny_base: Path, sft_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The self-test compares with what the adapter says: without the adapter the answers are others."""
    from trainers.self_test import compared, tested
    from trainers.whole import load_exactly

    expected = tested(str(tiny_base), str(sft_run / "adapter"), _tokenizer(tiny_base))
    found = compared(load_exactly(tiny_base).eval(), _tokenizer(tiny_base), expected)

    assert found.agreement is not None
    assert found.agreement < 0.9


def test_a_base_without_a_token_to_pad_with_is_exported_and_its_tokenizer_stays_as_it_was(tmp_path: Path) -> None:
    base = tiny.take_padding(tiny.save_base(tmp_path / "base"))
    adapter = tiny.save_adapter(tmp_path / "adapter", base, seed=1)

    test = export(wish(base, adapter, "full", tmp_path / "out"))["self_test"]

    assert (test["prompts"], test["same_answers"], test["agreement"]) == (5, 5, 1.0)
    assert test["tokens"] == _tokens_alone(base, adapter) < 5 * 32
    assert "pad_token" not in (read_json(tmp_path / "out" / "tokenizer_config.json") or {})
    written = read_json(tmp_path / "out" / "tokenizer.json") or {}
    assert (written["padding"], written["truncation"]) == (None, None)


def _tokens_alone(base: Path, adapter: Path) -> int:
    """How long the answers are where each is asked by itself, so that nothing is padded."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).eval()
    total = 0
    for text in BUILT_IN[:5]:
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.no_grad():
            total += model.generate(**asked, max_new_tokens=32, do_sample=False).shape[1] - asked["input_ids"].shape[1]
    return total


def _tokenizer(base: Path) -> object:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base)


def test_the_folder_for_trl_is_read_by_peft_as_it_lies_there(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    from peft import AutoPeftModelForCausalLM

    export(wish(tiny_base, sft_run / "adapter", "trl", tmp_path / "out"))
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")

    with chdir(moved):
        model = AutoPeftModelForCausalLM.from_pretrained(".", is_trainable=True)

    assert sum(weights.requires_grad for weights in model.parameters()) > 0
    assert (read_json(moved / "adapter_config.json") or {})["base_model_name_or_path"] == "base"
    assert (moved / "base" / "model.safetensors").read_bytes() == (tiny_base / "model.safetensors").read_bytes()


def test_a_base_from_the_hub_is_named_and_not_copied(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    asked = replace(wish(tiny_base, sft_run / "adapter", "trl", tmp_path / "out"), hub_id="owner/tiny")

    found = export(asked)

    assert found["self_test"]["same_answers"] == 5
    assert (read_json(tmp_path / "out" / "adapter_config.json") or {})["base_model_name_or_path"] == "owner/tiny"
    assert not (tmp_path / "out" / "base").exists()


def test_the_modelfile_for_ollama_writes_turns_as_the_model_learnt_them(
    tiny_base: Path, sft_run: Path, tmp_path: Path
) -> None:
    export(wish(tiny_base, sft_run / "adapter", "ollama", tmp_path / "out"))

    lines = (tmp_path / "out" / "Modelfile").read_text()
    assert "FROM ." in lines.splitlines()
    assert r'{{- "<|im_start|>user\n" }}{{- .Content }}{{- "<|im_end|>\n" }}' in lines
    assert 'PARAMETER stop "<|im_end|>"' in lines.splitlines()


gguf_alone = pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="the package gguf is not here")


@gguf_alone
def test_gguf_is_read_back_and_answers_in_llama_cpp(tmp_path: Path) -> None:
    """The base names code of its own, which the converter would fetch and run."""
    base = shutil.copytree(converters.STARTER, tmp_path / "base")
    for name in ("config.json", "tokenizer_config.json"):
        said = json.loads((base / name).read_text())
        (base / name).write_text(json.dumps({**said, "auto_map": {"AutoTokenizer": ["owner/code--own.Words", None]}}))
    asked = replace(wish(base, None, "gguf", tmp_path / "out"), llama_cpp=converters.faithful(tmp_path))

    found = export(asked)

    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["README.md", "taught.gguf"]
    assert found["self_test"]["tensors"] == 38
    if importlib.util.find_spec("xllamacpp"):
        assert (found["self_test"]["prompts"], found["self_test"]["same_answers"]) == (5, 5)
    else:
        assert found["self_test"]["agreement"] is None


@gguf_alone
@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("weights", "of the GGUF file is not"),
        ("missing", "The GGUF file lacks blk.0.attn_k.weight"),
        ("fails", "llama.cpp's converter cannot write this model: Model LlamaForX is not supported"),
        ("package", "llama.cpp's converter needs the package a_package_that_is_not_here: `pip install"),
        ("words", "llama.cpp does not know this model's tokenizer"),
    ],
)
def test_a_conversion_that_went_wrong_is_found_out(harm: str, sentence: str, tmp_path: Path) -> None:
    asked = wish(converters.STARTER, None, "gguf", tmp_path / "out")

    with pytest.raises(BadInput) as refusal:
        export(replace(asked, llama_cpp=converters.harmful(tmp_path, harm)))

    assert sentence in str(refusal.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["llama.cpp"]


def test_without_the_converter_it_says_how_to_get_it(tiny_base: Path, tmp_path: Path) -> None:
    for folder in (None, str(tmp_path)):
        with pytest.raises(Refused, match=r"git clone https://github\.com/ggml-org/llama\.cpp.*RATCHET_LLAMA_CPP"):
            export(replace(wish(tiny_base, None, "gguf", tmp_path / "out"), llama_cpp=folder))


def test_a_folder_that_holds_something_is_left_alone(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")

    with pytest.raises(BadInput, match="is there already"):
        export(wish(tiny_base, sft_run / "adapter", "adapter", tmp_path / "out"))

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_broken_adapter_leaves_nothing(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(sft_run / "adapter", broken)
    (broken / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))

    with pytest.raises(Exception, match=r".+"):
        export(wish(tiny_base, broken, "merged", tmp_path / "out"))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken"]


@pytest.mark.slow
def test_the_task_packs_a_tested_model_for_download(store: Store, tiny_base: Path, sft_run: Path) -> None:
    base = building.add_base(store, tiny_base)
    add_model(store, "taught", "adapter", base_id=base.id, path=str(sft_run / "adapter"))
    task = add_task(store, "export-model", {"model": "taught", "as": "merged"})

    found = run_export_model(store, task)

    assert (found["self_test"]["same_answers"], found["self_test"]["agreement"]) == (5, 1.0)
    assert [path.name for path in store.home.exports.iterdir()] == [found["file"]]
    assert found["file"].endswith("-taught-merged.zip")
    with ZipFile(found["path"]) as archive:
        assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= set(archive.namelist())


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    made = Hub()
    yield made
    made.close()


def test_a_tested_model_goes_to_the_hub_with_its_card_in_one_commit(
    store: Store, tiny_base: Path, sft_run: Path, hub: Hub
) -> None:
    base = building.add_base(store, tiny_base)
    add_model(store, "taught", "adapter", base_id=base.id, path=str(sft_run / "adapter"))
    place = Place("me/taught", licence="apache-2.0", endpoint=hub.url)

    said = push_model(store, "taught", Leaving("adapter", "apache-2.0"), place)

    card = ModelCard(hub.files["README.md"].decode())
    assert sorted(hub.files) == ["README.md", "adapter_config.json", "adapter_model.safetensors"]
    assert hub.files["adapter_model.safetensors"] == (sft_run / "adapter" / "adapter_model.safetensors").read_bytes()
    assert (hub.created[0]["name"], hub.tokens) == ("taught", {"Bearer hf_secret"})
    assert hub.created[0].get("visibility", "private" if hub.created[0].get("private") else "") == "private"
    assert (card.data.license, card.data.library_name, card.data.base_model) == ("apache-2.0", "peft", None)
    assert (said["repository"], said["self_test"]["same_answers"]) == ("me/taught", 5)
    assert [path.name for path in store.home.exports.iterdir()] == []
