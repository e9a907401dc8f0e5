"""Packed files are unpacked as far as that is safe; traps are refused with a sentence and leave nothing behind."""

import bz2
import gzip
import io
import lzma
import stat
import tempfile
import zipfile
from pathlib import Path

import pytest

from storage.store import Store
from studio.curation.importing import import_files
from studio.curation.reading import open_source
from studio.curation.records import Record, Unreadable
from studio.curation.reports import ImportReports
from tests.studio.curation.files import Write, imported, rows_of

pytestmark = pytest.mark.heavy

ROWS = b'{"prompt": "1+1?", "completion": "2"}\n{"prompt": "2+2?", "completion": "4"}\n'


def _gzip(content: bytes) -> bytes:
    """Without the time, which would be in the names of tests and differ between the workers that run them."""
    return gzip.compress(content, mtime=0)


def _zip(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def _refused(path: Path) -> str:
    with pytest.raises(Unreadable) as refused, open_source(path) as source:
        list(source.items)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl.gz", _gzip(ROWS)),
        ("a.jsonl.bz2", bz2.compress(ROWS)),
        ("a.jsonl.xz", lzma.compress(ROWS)),
        ("no ending", _gzip(ROWS)),
        ("a.zip", _zip({"deep/in/a.jsonl": ROWS})),
        ("a.zip", _zip({"a.jsonl": ROWS, "__MACOSX/._a.jsonl": b"x", ".DS_Store": b"x"})),
        ("a.zip", _zip({"a.jsonl.gz": _gzip(ROWS)})),
    ],
)
def test_a_packed_file_is_read_like_any_other(store: Store, write: Write, name: str, content: bytes) -> None:
    report = imported(store, write(name, content))

    assert (report.file, report.format, report.imported) == (name, "jsonl", 2) or report.file == "a.jsonl"
    assert len(rows_of(store)) == 2


def test_the_ending_inside_counts(write: Write) -> None:
    with open_source(write("a.csv.gz", _gzip(b"prompt,completion\n1,2\n"))) as source:
        assert (source.format, [item.value for item in source.items if isinstance(item, Record)]) == (
            "csv",
            [{"prompt": "1", "completion": "2"}],
        )


def test_an_archive_of_several_files_is_several_files(store: Store, write: Write) -> None:
    path = write("a.zip", _zip({"a.jsonl": ROWS, "b.csv": b"question,answer\n3+3?,6\n", "read.me": b"\x00\x01" * 99}))

    report = import_files(store, [path], "rows")

    assert isinstance(report, ImportReports)
    assert [(one.file, one.format, one.imported) for one in report.files] == [
        ("a.jsonl", "jsonl", 2),
        ("b.csv", "csv", 1),
        ("read.me", None, 0),
    ]
    assert len(rows_of(store)) == 3


def test_a_bomb_is_refused_before_it_fills_the_disk(write: Write) -> None:
    zeros = bytes(1 << 20)
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb") as packed:
        for _ in range(300):
            packed.write(zeros)

    for path in (write("a.jsonl.gz", held.getvalue()), write("a.zip", _zip({"a.jsonl": zeros * 300}))):
        assert "would unpack to more than 200 times its size" in _refused(path)
    assert list(Path(tempfile.gettempdir()).glob("ratchet-*/unpacked")) == []


@pytest.mark.parametrize(
    "content",
    [
        _zip({"b.zip": _zip({"a.jsonl": ROWS})}),
        _gzip(_gzip(ROWS)),
        _gzip(_zip({"a.jsonl": ROWS})),
        _zip({"a.jsonl.gz": _gzip(_gzip(ROWS))}),
    ],
)
def test_an_archive_in_an_archive_is_refused(write: Write, content: bytes) -> None:
    assert "unpack it first" in _refused(write("a.zip", content))


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "a/../../b", "C:\\x.jsonl", "..\\x.jsonl"])
def test_a_path_out_of_the_archive_is_refused(store: Store, write: Write, tmp_path: Path, name: str) -> None:
    path = write("a.zip", _zip({name: ROWS, "good.jsonl": ROWS}))

    report = imported(store, path)

    assert "which leads out of the archive" in str(report.sentence)
    assert (report.read, report.ok, sorted(file.name for file in tmp_path.iterdir() if file.is_file())) == (
        0,
        False,
        ["a.zip"],
    )


def test_a_link_in_an_archive_is_refused(write: Write) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        link = zipfile.ZipInfo("a.jsonl")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    assert "which leads out of the archive" in _refused(write("a.zip", held.getvalue()))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (_zip({}), '"a.zip" is an archive without files.'),
        (_zip({"a.jsonl": ROWS})[:-30], "is a broken ZIP archive"),
        (_gzip(ROWS)[:-9], "is a broken gzip file"),
        (b"BZh9" + bytes(40), "is a broken bzip2 file"),
        (_zip({f"{number}.txt": b"x" for number in range(1001)}), "holds 1,001 files"),
    ],
)
def test_a_broken_archive_says_what_is_wrong(write: Write, content: bytes, sentence: str) -> None:
    assert sentence in _refused(write("a.zip", content))
