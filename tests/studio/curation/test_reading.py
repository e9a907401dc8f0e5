"""A file is recognised by its content and read with flat memory; what cannot be read is said in a sentence."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from studio.curation.reading import open_source
from studio.curation.records import RECORD_LIMIT, Fault, Item, Record, Unreadable
from tests.conftest import ROOT
from tests.studio.curation.files import Write


def _read(path: Path) -> tuple[str, str, list[Item]]:
    with open_source(path) as source:
        return source.format, source.encoding, list(source.items)


def _values(path: Path) -> list[object]:
    return [item.value for item in _read(path)[2] if isinstance(item, Record)]


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("a.jsonl", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.txt", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.json", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.jsonl", '[{"a": 1}, {"a": 2}]', "json"),
        ("a.jsonl", '[\n {"a": 1},\n {"a": 2}\n]\n', "json"),
        ("a", '[{"a": 1}, {"a": 2}]', "json"),
        ("a.json", '{"data": [{"a": 1}, {"a": 2}], "version": 3}', "json"),
        ("a.json", '{"version": 3, "examples": [{"a": 1}, {"a": 2}]}', "json"),
        ("a.json", '{"a": [1, 2]}', "json"),
        ("a.csv", "a\n1\n2\n", "csv"),
    ],
)
def test_the_content_says_the_format(write: Write, name: str, content: str, format_: str) -> None:
    path = write(name, content)

    assert (_read(path)[0], [str(row) for row in _values(path)]) in (
        (format_, ["{'a': 1}", "{'a': 2}"]),
        (format_, ["{'a': '1'}", "{'a': '2'}"]),
    )


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("a.csv", "q;a\n1,5;2\n3;4\n", "csv"),
        ("a", "q\ta\n1,5\t2\n3\t4\n", "tsv"),
        ("a.psv", "q|a\n1,5|2\n3|4\n", "csv"),
        ("a.csv", 'q, a\n"1,5", "2"\n3, 4\n', "csv"),
        ("a.csv", '"q","a"\r\n"1,5","2"\r\n"3","4"\r\n', "csv"),
        ("a.csv", "q,a\r'1,5'\r".replace("'", '"') + "3,4\r", "csv"),
    ],
)
def test_the_separator_of_a_table_is_found(write: Write, name: str, content: str, format_: str) -> None:
    found, _, items = _read(write(name, content))

    cells = [list(item.value.values()) for item in items if isinstance(item, Record)]
    assert found == format_
    assert cells in ([["1,5", "2"], ["3", "4"]], [["1,5"], ["3", "4"]])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_an_encoding_is_recognised(write: Write, encoding: str) -> None:
    text = "Où est né le garçon? Il était une fois à l’école, très tôt.\n" * 4

    format_, said, items = _read(write("a.txt", text.encode(encoding)))

    assert (format_, said) == ("text", encoding.removesuffix("-sig"))
    assert items[0] == Record(1, {"text": text.splitlines()[0]})


def test_lines_are_counted_as_an_editor_counts_them(write: Write) -> None:
    items = _read(write("a.jsonl", '{"a": 1}\r\n\r\n\r\n{"a": "\\u2028"}\r\n'))[2]

    assert items == [Record(1, {"a": 1}), Record(4, {"a": "\u2028"})]


def test_a_quoted_cell_may_hold_line_ends_and_its_row_is_where_it_begins(write: Write) -> None:
    items = _read(write("a.csv", 'a,b\r\n"one\r\ntwo\nthree","x"\r\n4,5\r\n'))[2]

    assert items == [Record(2, {"a": "one\r\ntwo\nthree", "b": "x"}), Record(5, {"a": "4", "b": "5"})]


def test_a_row_with_too_many_cells_is_a_fault_and_the_others_go_on(write: Write) -> None:
    items = _read(write("a.csv", "q,a\n1,2\n3,4,5\n6,7\n"))[2]

    message = "The row has 3 cells and the header 2; a separator inside a cell needs quotes."
    assert items[1] == Fault(3, 3, message, "3,4,5")
    assert [item.value for item in items if isinstance(item, Record)] == [{"q": "1", "a": "2"}, {"q": "6", "a": "7"}]


def test_a_quotation_mark_that_is_never_closed_is_named_by_its_row(write: Write) -> None:
    items = _read(write("a.csv", 'q,a\n1,2\n3,"4\n5,6\n'))[2]

    assert items[1] == Fault(3, None, "A quotation mark opened in this row is never closed.", '3,"45,6')


def test_one_damaged_byte_spoils_its_row_alone(write: Write) -> None:
    good = '{"a": "größer, schöner, weiter, höher"}\n'.encode() * 3
    items = _read(write("a.jsonl", good + b'{"a": "gr\xf6\xdfer"}\n' + good))[2]

    faults = [item for item in items if isinstance(item, Fault)]
    assert [(fault.line, fault.column) for fault in faults] == [(4, 10)]
    assert "0xF6 does not belong to the file's encoding" in faults[0].message
    assert len(items) == 7


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"a": 1', "The line is no valid JSON: Expecting ',' delimiter."),
        ('{"a": NaN}', "The line is no valid JSON: NaN is no JSON; write null or a number."),
        ('{"a": ' + "[" * 100_000, "The line is nested too deeply to be read."),
        ("not json", "The line is no valid JSON: Expecting value."),
    ],
)
def test_a_broken_line_of_jsonl_is_a_fault_and_the_others_go_on(write: Write, line: str, message: str) -> None:
    items = _read(write("a.jsonl", f'{{"a": 1}}\n{line}\n{{"a": 3}}\n'))[2]

    assert [item.message for item in items if isinstance(item, Fault)] == [message]
    assert [item.value for item in items if isinstance(item, Record)] == [{"a": 1}, {"a": 3}]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_files_that_were_put_together_lose_no_row_to_their_byte_order_marks(write: Write, ends: str) -> None:
    each = f'\ufeff{{"a": 1}}{ends}{{"a": 2}}{ends}'

    assert _values(write("a.jsonl", each * 2)) == [{"a": 1}, {"a": 2}] * 2
    assert _values(write("a.txt", f"\ufeffone{ends}\ufefftwo{ends}")) == [{"text": "one"}, {"text": "two"}]
    assert _values(write("a.csv", f"\ufeffone,two{ends}1,2{ends}\ufeff3,4{ends}")) == [
        {"one": "1", "two": "2"}, {"one": "3", "two": "4"},
    ]  # fmt: skip


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_inside_a_quoted_cell_belongs_to_the_text(write: Write, ends: str) -> None:
    table = f'one,two\n"x{ends}\ufeffy",2\n'

    assert _values(write("a.csv", table)) == [{"one": f"x{ends}\ufeffy", "two": "2"}]


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        ('{"a": "NaN, -Infinity", "b": -Infinity}', 30, "-Infinity is no JSON; write null or a number"),
        ('{"a": "\\"", "b": [1.5, 1e999]}', 24, "1e999 is too large a number"),
        (f'{{"a": {"9" * 5_000}}}', 7, "a number has more than 4,300 digits"),
    ],
)
def test_a_number_that_no_json_holds_is_named_with_its_place(write: Write, line: str, column: int, said: str) -> None:
    (fault,) = (item for item in _read(write("a.jsonl", f"{line}\n" + '{"a": 1}\n'))[2] if isinstance(item, Fault))
    with pytest.raises(Unreadable) as refused:
        _read(write("a.json", f'[{{"a": 1}},\n{line}]'))

    assert (fault.line, fault.column, fault.message) == (1, column, f"The line is no valid JSON: {said}.")
    assert (refused.value.line, refused.value.column) == (2, column)
    assert said in str(refused.value)


def test_a_key_twice_counts_as_python_counts_it_and_half_characters_pass(write: Write) -> None:
    assert _values(write("a.jsonl", '{"a": 1, "a": 2}\n{"a": "\\ud83d"}\n')) == [{"a": 2}, {"a": "\ud83d"}]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", '"a.jsonl" is empty.'),
        (b" \n\t\r\n", '"a.jsonl" is empty.'),
        (b"\xef\xbb\xbf", '"a.jsonl" is empty.'),
        (bytes(range(256)) * 20, '"a.jsonl" is a binary file, not text'),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), '"a.jsonl" is a picture, which cannot be imported'),
        (b"PK\x03\x04" + bytes(100), "is a broken ZIP archive"),
        (b"\x1f\x8b" + bytes(10), "is a broken gzip file"),
        (b"PAR1" + bytes(50), "is a broken Parquet file"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_a_sentence(write: Write, content: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable) as refused:
        _read(write("a.jsonl", content))

    assert sentence in str(refused.value)


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.jsonl"])
def test_a_nul_byte_spoils_its_row_alone(write: Write, name: str) -> None:
    rows = ['{"a": 1}'] * 60 if name == "a.jsonl" else ["one,two"] * 60
    rows[2] = rows[2][:3] + "\0" + rows[2][3:]

    items = _read(write(name, "\n".join(rows)))[2]

    assert [(item.line, item.column) for item in items if isinstance(item, Fault)] == [(3, 4)]
    assert len(items) == (59 if name == "a.csv" else 60)


def test_a_document_that_breaks_off_is_broken_as_a_whole(write: Write) -> None:
    with pytest.raises(Unreadable) as refused:
        _read(write("a.json", '[{"a": 1},\n {"a": 2},\n {"a": '))

    assert (refused.value.line, refused.value.column) == (3, 8)


def test_a_document_larger_than_the_buffer_is_read_whole(write: Write) -> None:
    rows = [{"n": number, "text": "x" * (number % 977) + '\\\n"é'} for number in range(2000)]

    for wrapped in (rows, {"about": "y" * 100_000, "data": rows, "after": [1]}):
        assert _values(write("a.json", wrapped)) == rows


def test_gzip_and_parquet_are_read(write: Write, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"prompt": ["1+1?", "2+2?"], "n": [2, 4]}), tmp_path / "a.parquet")

    assert _values(write("a.jsonl.gz", gzip.compress(b'{"a": 1}\n{"a": 2}\n'))) == [{"a": 1}, {"a": 2}]
    assert _values(tmp_path / "a.parquet") == [{"prompt": "1+1?", "n": 2}, {"prompt": "2+2?", "n": 4}]


_MEASURE = """
import sys, resource
from pathlib import Path
from studio.curation.reading import open_source
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    with open_source(Path(sys.argv[1])) as source:
        print([(item.line, item.message) if hasattr(item, "message") else item.value for item in source.items])
except Exception as error:
    print(type(error).__name__, error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_line_of_100_megabytes_is_an_error_and_does_not_fill_the_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(b'{"a": 1}\n{"a": "' if name == "a.jsonl" else b'[{"a": 1},\n{"a": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n{"a": 3}\n' if name == "a.jsonl" else b'"}]')

    said = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()

    assert f"{RECORD_LIMIT:,}" in said[0]
    assert ("{'a': 3}" in said[0]) is (name == "a.jsonl")
    assert int(said[-1]) < 150
