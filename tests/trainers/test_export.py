"""A model that leaves: adapter, merged and full, each tested by itself, whole or not there."""

import json
import shutil
from pathlib import Path

import pytest

from storage.errors import BadInput
from storage.weights import read_header
from trainers.export import Export, export

pytestmark = pytest.mark.torch


def wish(base: Path, adapter: Path | None, form: str, out: Path) -> Export:
    return Export("taught", str(base), str(adapter) if adapter else None, form, str(out))


@pytest.mark.parametrize("form", ["adapter", "merged", "full"])
def test_what_is_written_answers_as_the_model_does(form: str, tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    found = export(wish(tiny_base, sft_run / "adapter", form, tmp_path / "out"))

    test = found["self_test"]
    assert (test["prompts"], test["same_answers"], test["agreement"]) == (5, 5, 1.0)
    assert test["tokens"] >= 5
    assert (found["model"], found["as"], found["path"]) == ("taught", form, str(tmp_path / "out"))
    assert found["bytes"] == sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
    names = {path.name for path in (tmp_path / "out").iterdir()}
    wanted = {"adapter_config.json"} if form == "adapter" else {"config.json", "tokenizer.json"}
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
    from trainers import export as module

    expected = module._tested(wish(tiny_base, sft_run / "adapter", "merged", tmp_path), _tokenizer(tiny_base))
    found = module._compared(
        module._written(wish(tiny_base, None, "merged", tmp_path), tiny_base), _tokenizer(tiny_base), expected
    )

    assert found.agreement < 0.9


def _tokenizer(base: Path) -> object:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base)


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
