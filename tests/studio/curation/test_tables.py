"""Tables as people keep them: with titles above the header, empty and nameless columns, ragged rows, odd encodings."""

import csv
import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from studio.curation.reading import open_source
from studio.curation.records import Fault, Item, Record, Unreadable
from tests.studio.curation.files import Write

TABLE = [["prompt", "completion"], ["1+1?", "2"], ["2+2?", "4"]]
ROWS = [{"prompt": "1+1?", "completion": "2"}, {"prompt": "2+2?", "completion": "4"}]


def _read(path: Path, encoding: str | None = None) -> tuple[str, list[Item]]:
    with open_source(path, encoding=encoding) as source:
        return source.format, list(source.items)


def _values(path: Path) -> list[Any]:
    return [item.value for item in _read(path)[1] if isinstance(item, Record)]


def _csv(rows: list[list[str]], **how: Any) -> str:
    held = io.StringIO()
    csv.writer(held, **how).writerows(rows)
    return held.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^", "~"])
def test_any_separator_is_found(write: Write, separator: str) -> None:
    assert _values(write("a.csv", _csv(TABLE, delimiter=separator))) == ROWS


@pytest.mark.parametrize(
    "above",
    [[["Exported on Monday"]], [["Our questions", ""], ["", ""]], [["Title", "", ""], [], ["by Ann", "", ""]]],
)
def test_what_stands_above_the_header_is_passed_over(write: Write, above: list[list[str]]) -> None:
    wide = [[*row, "x"] for row in TABLE]

    assert _values(write("a.csv", _csv([*above, *wide]))) == [{**row, "x": "x"} for row in ROWS]


def test_a_column_without_a_name_counts_only_where_it_holds_something(write: Write) -> None:
    values = _values(write("a.csv", "prompt,,completion,,\n1+1?,,2,,\n2+2?,note,4,,\n"))

    assert values == [ROWS[0], {**ROWS[1], "column 2": "note"}]


def test_a_name_given_twice_is_numbered_and_blanks_around_it_go(write: Write) -> None:
    assert _values(write("a.csv", " a ,a,a\n1,2,3\n")) == [{"a": "1", "a (2)": "2", "a (3)": "3"}]


def test_a_ragged_row_is_rejected_with_line_and_cell_and_the_good_ones_go_in(write: Write) -> None:
    items = _read(write("a.csv", "prompt,completion\n1+1?,2\n3,4,5,6\n2+2?,4,,\n7\n"))[1]

    assert [item.value for item in items if isinstance(item, Record)] == [*ROWS, {"prompt": "7"}]
    assert [(item.line, item.column, item.raw) for item in items if isinstance(item, Fault)] == [(3, 3, "3,4,5,6")]


def test_a_cell_that_was_kept_from_running_is_what_it_was(write: Write) -> None:
    values = _values(write("a.csv", "prompt,completion\n'=1+1,'+2\n'-3,'@x\n''quoted',it's\n"))

    assert [list(row.values()) for row in values] == [["=1+1", "+2"], ["-3", "@x"], ["'quoted'", "it's"]]


def test_a_table_in_two_encodings_loses_only_the_rows_of_the_other(write: Write) -> None:
    good = "Où es-tu?,Ici\n".encode()
    items = _read(write("a.csv", b"prompt,completion\n" + good + "Où es-tu?,Là\n".encode("cp1252") + good))[1]

    assert [(item.line, item.column) for item in items if isinstance(item, Fault)] == [(3, 2)]
    assert len(items) == 3


def test_the_encoding_that_a_person_names_is_used(write: Write) -> None:
    path = write("a.csv", "prompt,completion\nПривет?,Да\n".encode("koi8-r"))

    with open_source(path, encoding="KOI8-R") as source:
        assert source.encoding == "koi8-r"
        assert [item.value for item in source.items if isinstance(item, Record)] == [
            {"prompt": "Привет?", "completion": "Да"}
        ]


# Spreadsheets


def _xlsx(path: Path, *sheets: list[list[Any]], hidden: int | None = None) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {number}")
        sheet.sheet_state = "hidden" if number == hidden else "visible"
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_a_spreadsheet_is_a_table(tmp_path: Path) -> None:
    format_, items = _read(_xlsx(tmp_path / "a.xlsx", [["Our questions"], [], *TABLE]))

    assert format_ == "xlsx"
    assert items == [Record(4, ROWS[0]), Record(5, ROWS[1])]


def test_cells_keep_what_they_are_and_every_visible_sheet_is_read(tmp_path: Path) -> None:
    when = datetime(2024, 5, 1, 12, 30)
    first = [["prompt", "completion", "n", "ok", "at"], ["1+1?", "2", 3, True, when], ["'=1", None, 1.5, False, None]]
    path = _xlsx(tmp_path / "a.xlsx", first, TABLE, [["secret"], ["x"]], hidden=2)

    assert _values(path) == [
        {"prompt": "1+1?", "completion": "2", "n": 3, "ok": True, "at": "2024-05-01T12:30:00"},
        {"prompt": "=1", "completion": None, "n": 1.5, "ok": False},
        *ROWS,
    ]


def test_a_damaged_spreadsheet_is_refused_in_a_sentence(tmp_path: Path) -> None:
    import zipfile

    path = _xlsx(tmp_path / "a.xlsx", TABLE)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"][:150]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)

    with pytest.raises(Unreadable, match=r'"a\.xlsx" is a broken spreadsheet'):
        _values(path)


# Parquet and Arrow


def _table() -> Any:
    import pyarrow

    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    return pyarrow.table({"messages": [talk] * 1500, "on": [date(2024, 5, 1)] * 1500, "x": [float("nan")] * 1500,
                          "raw": [b"\xff"] * 1500})  # fmt: skip


@pytest.mark.parametrize("form", ["parquet", "arrow", "arrow stream"])
def test_columns_of_parquet_and_arrow_become_rows(tmp_path: Path, form: str) -> None:
    import pyarrow
    from pyarrow import parquet

    table, path = _table(), tmp_path / "data-00000-of-00001"
    if form == "parquet":
        parquet.write_table(table, path)
    else:
        opened = pyarrow.ipc.new_file if form == "arrow" else pyarrow.ipc.new_stream
        with opened(str(path), table.schema) as writer:
            writer.write_table(table)

    format_, items = _read(path)

    assert (format_, len(items), items[-1].line) == (form.split()[0], 1500, 1500)
    assert isinstance(items[0], Record)
    assert items[0].value["messages"][1] == {"role": "assistant", "content": "Hello"}
    assert [items[0].value[name] for name in ("on", "x", "raw")] == ["2024-05-01", None, "(1 bytes that are no text)"]


def test_a_broken_arrow_file_is_refused(write: Write) -> None:
    with pytest.raises(Unreadable, match=r'"a\.arrow" is a broken Arrow file'):
        _values(write("a.arrow", b"ARROW1\0\0" + bytes(60)))


# JSON documents


@pytest.mark.parametrize(
    "document",
    [
        ROWS,
        {"prompt": ["1+1?", "2+2?"], "completion": ["2", "4"]},
        {"prompt": {"0": "1+1?", "1": "2+2?"}, "completion": {"0": "2", "1": "4"}},
        {"columns": ["prompt", "completion"], "index": [0, 1], "data": [["1+1?", "2"], ["2+2?", "4"]]},
        {"data": ROWS, "version": "1"},
        {"name": "sums", "description": "x", "examples": ROWS, "keywords": ["a"]},
        {"train": ROWS[:1], "test": ROWS[1:]},
        {"data": {"train": ROWS}},
        {"meta": {"by": "Ann"}, "my_items": ROWS},
        {"first": ROWS[0], "second": ROWS[1]},
        {"rows": [{"row_idx": 0, "row": ROWS[0], "truncated_cells": []},
                  {"row_idx": 1, "row": ROWS[1], "truncated_cells": []}], "features": []},
    ],
)  # fmt: skip
def test_rows_are_found_however_a_document_wraps_them(write: Write, document: Any) -> None:
    assert _values(write("a.json", document)) == ROWS


@pytest.mark.parametrize(
    "document",
    [
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
        {"prompt": "2+2?", "answers": [{"text": "4", "score": 1}, {"text": "5", "score": 0}]},
        {"instruction": "Add.", "instances": [{"input": "2+2", "output": "4"}]},
        {"a": {"file_name": "a.json"}, "b": {"file_name": "b.json"}},
        {"name": "x", "settings": {"deep": {"deeper": [1, 2]}}},
    ],
)
def test_an_object_that_is_a_record_or_no_rows_at_all_stays_whole(write: Write, document: Any) -> None:
    assert _values(write("a.json", document)) == [document]


def test_objects_one_after_the_other_are_rows(write: Write) -> None:
    text = '{\n  "prompt": "1+1?",\n  "completion": "2"\n}\n{\n  "prompt": "2+2?",\n  "completion": "4"\n}\n'

    assert _read(write("a.json", text))[1] == [Record(1, ROWS[0]), Record(5, ROWS[1])]
