"""JSONTestSuite: what is valid JSON is read, what is not is refused with line and column, and nothing crashes."""

import json
from pathlib import Path

import pytest

from studio.curation.json_documents import rows_of
from studio.curation.reading import open_source
from studio.curation.records import Item, Record, Unreadable
from tests.conftest import DATA

CASES = sorted((DATA / "messy" / "jsontestsuite_shared").glob("*.json"))
EMPTY = {"n_single_space.json", "n_structure_UTF8_BOM_no_data.json"}


def _read(path: Path) -> list[Item]:
    with open_source(path) as source:
        return list(source.items)


def _cases(letter: str) -> pytest.MarkDecorator:
    found = [path for path in CASES if path.name.startswith(f"{letter}_")]
    return pytest.mark.parametrize("path", found, ids=lambda path: path.stem)


def test_the_suite_is_here(real_data: Path) -> None:
    assert len(CASES) == 159


@_cases("y")
def test_valid_json_is_read_as_python_reads_it(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8-sig"))

    rows = document if isinstance(document, list) else rows_of(document) if isinstance(document, dict) else [document]
    assert [item.value for item in _read(path) if isinstance(item, Record)] == rows


@_cases("n")
def test_invalid_json_is_refused_with_its_place(path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        _read(path)

    if path.name in EMPTY:
        assert str(refused.value) == f'"{path.name}" is empty.'
    else:
        assert (refused.value.line or 0) >= 1
        assert (refused.value.column or 0) >= 1


@_cases("i")
def test_what_is_left_open_is_read_or_refused(path: Path) -> None:
    try:
        _read(path)
    except Unreadable as error:
        assert str(error).endswith(".")
