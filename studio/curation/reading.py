"""Opens a file for import: recognises its format and encoding by its content and yields its records.

Memory stays flat whatever the size: lines, table rows and list elements are read one at a time, each bounded.
The file's name only settles what its content leaves open (a `.txt` that happens to contain commas).
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from storage.errors import NotFound
from studio.curation.archives import PACKERS, Member, is_spreadsheet, members, packer_of, unpacked
from studio.curation.columnar import STREAM_MARK, is_arrow_stream, read_arrow, read_parquet
from studio.curation.encodings import checked_encoding, detect
from studio.curation.json_documents import read_document
from studio.curation.lines import decode, read_jsonl, read_text
from studio.curation.mapping import SHAPES
from studio.curation.nesting import unnested
from studio.curation.records import Item, Position, Source, Unreadable
from studio.curation.shapes import canonical, first_fit
from studio.curation.spreadsheets import read_spreadsheet
from studio.curation.tables import SEPARATORS, read_table, separator_of

_SAMPLE = 1 << 16
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (STREAM_MARK, "arrow stream"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
)
READABLE = "JSONL, JSON, CSV, TSV, XLSX, Parquet, Arrow or plain text"
_COLUMNAR = {"parquet": read_parquet, "arrow": read_arrow, "arrow stream": read_arrow, "xlsx": read_spreadsheet}


@contextmanager
def open_source(path: Path, name: str | None = None, *, encoding: str | None = None) -> Iterator[Source]:
    """Open a file; `name` is what the person called it, where that differs from the path.

    `encoding`: how the person says that its text is written; detected where nobody says so. A ZIP archive must hold
    one file (`archives.members` takes others apart). Raises NotFound where there is no such file, Unreadable where
    it is empty, binary or of no known format.
    """
    name = name or path.name
    if not path.is_file():
        raise NotFound(f'There is no file "{path}".')
    position = Position(path.stat().st_size)
    what = _magic(path)
    if what in _COLUMNAR:
        items: Iterator[Item] = _COLUMNAR[what](path, name, position)
        yield Source(what.split()[0], "binary", unnested(items), position)
    elif what and what in PACKERS:
        with unpacked(path, name, what) as inner, open_source(*inner, encoding=encoding) as source:
            yield source
    elif what == "zip":
        with members(path, name) as found, open_source(*_only(found, name), encoding=encoding) as source:
            yield source
    elif what:
        raise Unreadable(f'"{name}" is {what}, which cannot be imported; save its rows as {READABLE}.')
    else:
        with _opened_text(path, name, position, encoding) as source:
            yield source


def _only(found: list[Member], name: str) -> Member:
    """The one file of an archive; raises Unreadable where there are several."""
    if len(found) > 1:
        raise Unreadable(f'"{name}" holds {len(found)} files; choose one of them, or import the archive as it is.')
    return found[0]


def _magic(path: Path) -> str | None:
    """What the first bytes say the file is, where they say it."""
    with path.open("rb") as file:
        head = file.read(16)
    what = packer_of(path) or next((what for sign, what in _MAGIC if head.startswith(sign)), None)
    if what == "arrow stream" and not is_arrow_stream(path):
        return None
    return "xlsx" if what == "zip" and is_spreadsheet(path) else what


@contextmanager
def _opened_text(path: Path, name: str, position: Position, said: str | None) -> Iterator[Source]:
    """A text file in its encoding and format."""
    encoding = checked_encoding(said) if said else detect(path, name)
    # A byte that the encoding does not know becomes a lone surrogate, so that the damaged row is found.
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        sample = file.read(_SAMPLE)
    if not sample.strip(" \t\n\r\ufeff"):
        raise Unreadable(f'"{name}" is empty.', 1, 1)
    format_, separator = sniff(sample, name)
    with io.TextIOWrapper(_Counted(path, position), encoding=encoding, errors="surrogateescape", newline="") as file:
        header: list[str] = []
        items = unnested(_items(file, format_, separator, header))
        yield Source(format_, encoding.removesuffix("-sig"), items, position, header)


def _is_record(value: Mapping[str, Any]) -> bool:
    """Whether an object of a JSON document is a record by itself."""
    return first_fit(canonical(value), SHAPES) is not None


def _items(file: TextIO, format_: str, separator: str, header: list[str]) -> Iterator[Item]:
    """The records of a text file of this format."""
    if format_ == "json":
        yield from read_document(file, _is_record)
    elif format_ == "jsonl":
        yield from read_jsonl(file)
    elif format_ == "text":
        yield from read_text(file)
    else:
        yield from read_table(file, separator, header)


def sniff(sample: str, name: str) -> tuple[str, str]:
    """The format of a text and its separator, from its beginning; the name's ending settles what is open."""
    ending = Path(name).suffix.lower()
    lines = [line for line in sample.splitlines() if line.strip()]
    begins_like_json = sample.lstrip("\ufeff \t\r\n")[0] in "{["
    if ending in (".jsonl", ".ndjson") and (begins_like_json or any(map(_is_json, lines[:20])) or len(lines) == 1):
        return ("json", "") if _is_document(lines) else ("jsonl", "")
    if ending == ".json" or begins_like_json:
        if ending == ".txt" and not any(_is_json(line) for line in lines[:3]) and lines[0].strip() not in "{[":
            return "text", ""
        return ("jsonl", "") if _is_jsonl(lines) else ("json", "")
    separator = separator_of(sample)
    if ending in (".tsv", ".tab") and "\t" in sample:
        return "tsv", "\t"
    if ending in (".txt", ".md", ".text"):
        return "text", ""
    if separator is None:
        return ("csv", ",") if ending == ".csv" else ("text", "")
    return SEPARATORS[separator[0]], separator


def _is_jsonl(lines: list[str]) -> bool:
    """Whether several lines are JSON values of their own (the last one may be cut off by the sample)."""
    whole = lines[:20] if len(lines) > 20 else lines
    good = sum(1 for line in whole if _is_json(line))
    return len(lines) > 1 and (_is_json(lines[0]) or good * 2 >= len(whole))


def _is_document(lines: list[str]) -> bool:
    """Whether a file named .jsonl is one JSON document after all: over several lines, or a list in one line."""
    return lines[0].strip() in ("{", "[") or (len(lines) == 1 and lines[0].lstrip()[:1] == "[")


def _is_json(line: str) -> bool:
    """Whether a line is an object or a list by itself."""
    if line.strip()[:1] not in ("{", "["):
        return False
    try:
        return isinstance(decode(line), dict | list)
    except (ValueError, RecursionError):
        return False


class _Counted(io.BufferedReader):
    """A file that notes how far it has been read; text comes out of it in large blocks, whatever is asked for."""

    def __init__(self, path: Path, position: Position) -> None:
        super().__init__(io.FileIO(path))
        self.position = position

    def read1(self, size: int = -1, /) -> bytes:
        """The next block, and note the place."""
        block = super().read1(_SAMPLE)
        self.position.done += len(block)
        return block
