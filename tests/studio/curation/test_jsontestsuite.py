"""JSONTestSuite: what is valid JSON is read, what is not is refused with line and column, and nothing crashes."""

import json
from pathlib import Path

import pytest

from storage.store import Store
from studio.curation.importing import import_files
from studio.curation.json_documents import rows_of
from studio.curation.reading import open_source
from studio.curation.records import Item, Record, Unreadable
from studio.curation.reports import ImportReport
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
    assert (refused.value.line or 0) >= 1
    assert (refused.value.column or 0) >= 1


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b"", 1, 1),
        (b"\xe9", 1, 1),
        (b"\xe5", 1, 1),
        (b"[1,\n1\n,1", 3, 3),
        (b"123\x00", 1, 4),
        (b'{"a":"b"}/**/', 1, 10),
        (b'{"\xb9":"0",}', 1, 10),
        ("[\u2060]".encode(), 1, 2),
        (b'["\\u\xe5"]', 1, 4),
        (b"[][]", 1, 3),
        (b'{"a": 1} {"b": 2}', 1, 10),
        (b"[1e999]", 1, 2),
    ],
)
def test_the_place_of_a_fault_is_the_place_an_editor_shows(
    tmp_path: Path, content: bytes, line: int, column: int
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(Unreadable) as refused:
        _read(path)

    assert (refused.value.line, refused.value.column) == (line, column)


@_cases("y")
def test_valid_json_without_content_to_learn_from_says_so(store: Store, path: Path) -> None:
    report = import_files(store, [path], "rows")

    assert isinstance(report, ImportReport)
    if not report.ok:
        said = str(report.sentence)
        assert said.startswith(("The file has no known shape", "None of the 1 rows of this file can be imported."))
    else:
        assert report.kind == "text"


@_cases("i")
def test_what_is_left_open_is_read_or_refused(path: Path) -> None:
    try:
        _read(path)
    except Unreadable as error:
        assert str(error).endswith(".")
