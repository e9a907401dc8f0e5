"""Rows of a dataset in the Hub's layout, read by the Hub's own library from a folder and from a Hub of our own."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from storage.errors import BadInput, NotReady
from studio.curation.hub_datasets import Part, Split, checked_id, fetch, line_of, look, reach

pytestmark = pytest.mark.heavy

CARD = """---
configs:
- config_name: sums
  data_files:
  - {split: train, path: sums/train.jsonl}
  - {split: test, path: sums/test.jsonl}
- config_name: words
  data_files: words.jsonl
---
# A dataset
"""


@pytest.fixture
def repository(tmp_path: Path) -> str:
    """A dataset of two configurations as it lies on the Hub."""
    folder = tmp_path / "repository"
    (folder / "sums").mkdir(parents=True)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    rows = [{"prompt": f"{n}+1?", "completion": str(n + 1), "score": n / 2} for n in range(300)]
    (folder / "sums" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "sums" / "test.jsonl").write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    (folder / "words.jsonl").write_text('{"word": "hot", "opposite": "cold"}\n', encoding="utf-8")
    return str(folder)


def _fetched(repository: str, part: Part) -> list[Any]:
    lines: list[bytes] = []
    count = fetch(repository, part, lines.append, lambda fraction, sentence: None)
    assert count == len(lines)
    return [json.loads(line) for line in lines]


def test_a_look_names_configurations_splits_columns_and_a_first_row(repository: str) -> None:
    seen = look(repository)
    words = look(repository, "words")

    assert (seen.configs, seen.config, seen.split) == (["sums", "words"], "sums", "train")
    assert seen.splits == [Split("train", None), Split("test", None)]
    assert [tuple(column) for column in seen.columns] == [("prompt", "0+1?"), ("completion", "1"), ("score", "0.0")]
    assert (words.config, [tuple(column) for column in words.columns]) == (
        "words", [("word", "hot"), ("opposite", "cold")],
    )  # fmt: skip


def test_a_table_whose_columns_nobody_described_is_read(tmp_path: Path) -> None:
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "words.csv").write_text("word,opposite\nhot,cold\n", encoding="utf-8")

    seen = look(str(tmp_path / "table"))

    assert [tuple(column) for column in seen.columns] == [("word", "hot"), ("opposite", "cold")]
    assert _fetched(str(tmp_path / "table"), Part("default", "train")) == [{"word": "hot", "opposite": "cold"}]


def test_rows_are_fetched_whole_by_columns_and_up_to_a_limit(repository: str) -> None:
    whole = _fetched(repository, Part("sums", "train"))
    some = _fetched(repository, Part("sums", "train", ["prompt"], 3))

    assert (len(whole), whole[299]) == (300, {"prompt": "299+1?", "completion": "300", "score": 149.5})
    assert some == [{"prompt": "0+1?"}, {"prompt": "1+1?"}, {"prompt": "2+1?"}]


def test_a_fetch_says_how_far_it_is(repository: str) -> None:
    said: list[tuple[float, str]] = []
    fetch(repository, Part("sums", "train"), lambda line: None, lambda *told: said.append(told) and None)

    assert said[-1][0] == 0.99
    assert said[-1][1].startswith("300 rows fetched, ") and said[-1][1].endswith(" rows/s")


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (Part("nope", "train"), "\"repository\" cannot be read from the Hub: BuilderConfig 'nope' not found"),
        (Part("sums", "nope"), '"repository" cannot be read from the Hub: Bad split: nope'),
        (Part("sums", "train", ["nope"]), "\"repository\" cannot be read from the Hub: Column name ['nope'] not in"),
    ],
)
def test_what_the_dataset_does_not_have_is_one_sentence(repository: str, part: Part, sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        _fetched(repository, part)

    assert str(caught.value).startswith(sentence)


@pytest.mark.slow
def test_a_folder_of_that_name_is_never_taken_for_a_dataset(
    repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises((NotReady, BadInput)):
        look("repository")


def test_a_hub_that_cannot_be_reached_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(NotReady) as caught:
        reach("owner/name")
    assert str(caught.value).startswith('The Hub could not be reached for "owner/name": try again')


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("owner/name", "owner/name"), (" squad ", "squad"),
        ("https://huggingface.co/datasets/owner/na.me/", "owner/na.me"),
    ],
)  # fmt: skip
def test_an_id_is_taken_from_its_address_too(given: str, name: str) -> None:
    assert checked_id(given) == name


@pytest.mark.parametrize(
    "given", ["", "..", "a/../b", "/etc", "./x", "a/b/c", "https://example.org/datasets/a/b", "a b"]
)
def test_what_is_no_id_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="is no id of a dataset on the Hub; it looks like owner/name"):
        checked_id(given)


def test_times_bytes_and_numbers_that_are_none_become_json() -> None:
    row = {"at": datetime.date(2026, 1, 31), "raw": b"x", "bad": float("nan"), "list": [1, (2.5, None)]}

    said = json.loads(line_of(row))
    assert said == {
        "at": "2026-01-31",
        "raw": None,
        "bad": None,
        "list": [1, [2.5, None]],
    }
