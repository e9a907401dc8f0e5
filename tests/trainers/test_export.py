"""A model that leaves: adapter, merged and full, each tested by itself, whole or not there."""

import json
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from storage.errors import BadInput
from storage.models import add_model
from storage.store import Store
from storage.tasks import add_task
from storage.weights import read_header
from studio.training.exporting_models import run_export_model
from tests.trainers import building
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
