"""Heads on frozen models: topics are told apart, numbers guessed, encoders do as well, resumed runs are the same."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from storage.home import read_json
from storage.weights import hash_files
from tests.trainers import building
from tests.trainers.effects import heads
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch


def _save_encoder(folder: Path) -> Path:
    """A tiny random BERT with a tokenizer and no chat template."""
    import torch
    from transformers import BertConfig, BertModel

    tokenizer = tiny.save_tokenizer(folder, None)
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
    BertModel(BertConfig(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **sizes)).save_pretrained(
        folder
    )
    return folder


def _coloured(count: int = 80) -> list[dict[str, Any]]:
    """Rows whose label is a word in them, and whose number is how often it stands there."""
    return [
        {"id": f"row-{at}", "text": f"{('red ', 'blue ')[at % 2] * (at % 20 + 1)}number {at}",
         "told": json.dumps({"tags": [("red", "blue")[at % 2], "seen"], "metadata": {"times": at % 20 + 1}})}
        for at in range(count)
    ]  # fmt: skip


def _run(folder: Path, base: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    building.make_run(folder, "classify", base, rows, options={"held_out": 0.25, **options})
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


def _held_out(folder: Path) -> dict[str, float]:
    found = read_json(folder / "evaluation.json")
    assert found is not None
    return dict(found["held_out"])


def test_a_head_on_the_starter_names_the_topics_of_questions_that_it_never_saw(tmp_path: Path) -> None:
    found = heads.EFFECTS["classify"](tmp_path)

    print(found)  # pytest -s shows the numbers
    assert found["met"], found
    folder = tmp_path / "run"
    assert sorted(path.name for path in (folder / "adapter").iterdir()) == [
        "README.md", "classifier.json", "head.safetensors",
    ]  # fmt: skip
    lines = json.loads((folder / "evaluation.json").read_text())["by"]["label"]
    assert [line["name"] for line in lines] == found["labels"]
    assert sum(line["rows"] for line in lines) == 150


@pytest.mark.slow
def test_an_encoder_is_read_as_well_and_a_resumed_run_makes_the_same_head(tmp_path: Path) -> None:
    base = _save_encoder(tmp_path / "bert")
    folder = _run(tmp_path / "run", base, _coloured(), among="red, blue")
    first = hash_files([folder / "adapter" / "head.safetensors"])
    shutil.rmtree(folder / "adapter")

    assert building.run_trainer(folder, "--resume") == 0, building.log_of(folder)
    assert hash_files([folder / "adapter" / "head.safetensors"]) == first
    assert _held_out(folder)["accuracy"] > 0.9
    assert building.events(folder, "done")[-1]["labels"] == ["blue", "red"]


@pytest.mark.slow
def test_a_number_is_guessed_better_than_its_mean(tiny_base: Path, tmp_path: Path) -> None:
    folder = _run(tmp_path / "run", tiny_base, _coloured(), label="times", epochs=100)

    found = _held_out(folder)
    assert found["mean_error"] < found["mean_error_of_the_mean"] / 2
    assert building.events(folder, "done")[-1]["labels"] == []


@pytest.mark.parametrize(
    ("options", "labels", "left_out"),
    [
        ({"label": "tags", "among": "red,blue"}, ["blue", "red"], 0),
        ({"label": "tags"}, None, 0),  # every row has two tags, so that none is its label
        ({"label": "tag:red"}, ["not red", "red"], 0),
        ({"label": "times", "target": "label"}, [str(n) for n in sorted(map(str, range(1, 21)))], 0),
        ({"label": "times", "among": "1,2,3"}, ["1", "2", "3"], 68),
        ({"label": "mood"}, None, 0),
        ({"label": "tags", "among": "seen"}, None, 0),  # all the same
    ],
)
def test_labels_come_from_tags_and_metadata(options: dict[str, Any], labels: list[str] | None, left_out: int) -> None:
    from trainers.failures import RunFailed
    from trainers.heads import read_labelled

    wish = SimpleNamespace(**{"label": "tags", "among": "", "target": "auto", **options})
    if labels is None:
        with pytest.raises(RunFailed):
            read_labelled(_coloured(), wish)
        return
    found = read_labelled(_coloured(), wish)

    assert (found.labels, found.left_out) == (labels, left_out)
    assert len(found.wanted) == 80 - left_out


def test_words_are_no_numbers() -> None:
    from storage.errors import BadInput
    from trainers.heads import read_labelled

    rows = [{**row, "told": json.dumps({"tags": [], "metadata": {"topic": row["id"]}})} for row in _coloured(12)]

    with pytest.raises(BadInput, match='"topic" holds words such as "row-0"'):
        read_labelled(rows, SimpleNamespace(label="topic", among="", target="number"))


def test_a_saved_head_is_the_trained_one(tmp_path: Path) -> None:
    import torch

    from trainers.heads import Head, judge, load_head, save_head

    torch.manual_seed(0)
    features = torch.randn(6, 4)
    for labels in (["a", "b", "c"], []):
        width = len(labels) or 1
        head = Head(torch.randn(width, 4), torch.randn(width), labels, 2.0, 3.0)
        save_head(tmp_path / str(width), head, {"pooling": "mean"})
        again, settings = load_head(tmp_path / str(width))

        assert judge(again, features) == judge(head, features)
        assert settings["pooling"] == "mean"
