"""Rows frozen by a process of their own are those that `freeze_rows` writes here, byte by byte."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage import freezing, runs
from storage.freezing import NotFrozen, Sample, freeze_apart

ROWS: list[dict[str, Any]] = [
    {"id": "1", "text": "a line\nand another\u2028 東京 \U0001f600 \x00", "share": 0.1, "count": 2**40, "best": True},
    {"id": "2", "text": "", "share": float("inf"), "count": None, "best": False},
    {"id": "3", "text": None, "share": -0.0, "count": -1, "best": None},
]


def test_files_hashes_and_rows_are_those_that_this_process_writes(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    files: dict[str, Any] = {"data": ROWS, "labels": [{"id": "1", "tags": '["odd"]'}], "none": []}

    frozen = freeze_apart(there, files)

    assert sorted(path.name for path in there.iterdir()) == ["data.parquet", "labels.parquet", "none.parquet"]
    for name, rows in files.items():
        own = runs.freeze_rows(here / f"{name}.parquet", rows)
        assert frozen[name] == own._replace(path=there / f"{name}.parquet")
        assert frozen[name].path.read_bytes() == own.path.read_bytes()
    assert runs.thaw_rows(there / "data.parquet") == ROWS
    assert runs.frozen_sha256(there / "data.parquet") == frozen["data"].sha256


@pytest.mark.parametrize(("rows", "ids"), [(7, ["0", "2", "4"]), (3, ["0", "1", "2"]), (2, ["0", "1"])])
def test_a_sample_of_a_frozen_file_is_even_and_small(rows: int, ids: list[str], tmp_path: Path) -> None:
    earlier = tmp_path / "earlier-run.parquet"
    runs.freeze_rows(earlier, [{"id": str(at)} for at in range(rows)])

    frozen = freeze_apart(tmp_path, {"data": [{"id": "9"}], "earlier": Sample(earlier, 3)})

    assert [row["id"] for row in runs.thaw_rows(frozen["earlier"].path)] == ids
    assert [frozen[name].rows for name in ("data", "earlier")] == [1, len(ids)]


def test_rows_that_cannot_be_written_are_refused_with_the_reason(tmp_path: Path) -> None:
    many = [{"id": str(at), "text": "word " * 100} for at in range(5_000)]  # more than a pipe holds

    with pytest.raises(NotFrozen, match=r"could not be written into .*gone \(FileNotFoundError.*start again"):
        freeze_apart(tmp_path / "gone", {"data": many, "more": many})
    with pytest.raises(NotFrozen, match=r"could not be written into .*Expected bytes, got a 'int' object"):
        freeze_apart(tmp_path, {"data": [{"id": "1"}, {"id": 2}]})


def test_an_order_that_breaks_off_is_not_taken_for_a_shorter_one(tmp_path: Path) -> None:
    order = json.dumps({"name": "data", "rows": 2}) + "\n" + json.dumps({"id": "1"}) + "\n"

    ended = subprocess.run([sys.executable, "-m", freezing.__name__, str(tmp_path)], input=order, capture_output=True,
                           text=True, check=False, timeout=60)  # fmt: skip

    assert (ended.returncode, ended.stdout, list(tmp_path.iterdir())) == (1, "", [])
