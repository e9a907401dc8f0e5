"""Opens a file for import: recognises its format and encoding by its content and yields its records.

Memory stays flat whatever the size: lines, table rows and list elements are read one at a time, each bounded.
The file's name only settles what its content leaves open (a `.txt` that happens to contain commas).
"""

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from storage.errors import NotFound
from studio.curation.encodings import checked_encoding, detect
from studio.curation.json_documents import read_document
from studio.curation.lines import decode, read_jsonl, read_text
from studio.curation.records import Item, Position, Source, Unreadable
from studio.curation.tables import SEPARATORS, read_parquet, read_table, separator_of

_SAMPLE = 1 << 16
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a ZIP archive or spreadsheet"),
    (b"ARROW1", "an Arrow file"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
)
READABLE = "JSONL, JSON, CSV, TSV, Parquet or plain text"


@contextmanager
def open_source(path: Path, name: str | None = None, *, encoding: str | None = None) -> Iterator[Source]:
    """Open a file; `name` is what the person called it, where that differs from the path.

    `encoding`: how the person says that its text is written; detected where nobody says so. Raises NotFound where
    there is no such file, Unreadable where it is empty, binary or of no known format.
    """
    name = name or path.name
    if not path.is_file():
        raise NotFound(f'There is no file "{path}".')
    position = Position(path.stat().st_size)
    what = _magic(path)
    if what == "parquet":
        yield Source("parquet", "binary", read_parquet(path, position), position)
    elif what == "gzip":
        with _unpacked(path) as inner, open_source(inner, name.removesuffix(".gz"), encoding=encoding) as source:
            yield source
    elif what:
        raise Unreadable(f'"{name}" is {what}, which cannot be imported; save its rows as {READABLE}.')
    else:
        with _opened_text(path, name, position, encoding) as source:
            yield source


def _magic(path: Path) -> str | None:
    """What the first bytes say the file is, where they say it."""
    with path.open("rb") as file:
        head = file.read(16)
    return next((what for sign, what in _MAGIC if head.startswith(sign)), None)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """A gzip file unpacked beside itself in a temporary folder."""
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ratchet-") as folder:
        inner = Path(folder) / "unpacked"
        try:
            with gzip.open(path, "rb") as packed, inner.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
        except (OSError, EOFError) as error:
            raise Unreadable(f'"{path.name}" is a broken gzip file: {error}.') from error
        yield inner


@contextmanager
def _opened_text(path: Path, name: str, position: Position, said: str | None) -> Iterator[Source]:
    """A text file in its encoding and format."""
    encoding = checked_encoding(said) if said else detect(path)
    # Bytes that are no UTF-8 become lone surrogates, so that the damaged row is found; a guessed encoding has no
    # damage to find, only places where the guess does not fit.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        sample = file.read(_SAMPLE)
    if not sample.strip(" \t\n\r\ufeff"):
        raise Unreadable(f'"{name}" is empty.')
    format_, separator = sniff(sample, name)
    raw = io.BufferedReader(_Counted(path, position))
    with io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="") as file:
        yield Source(format_, encoding.removesuffix("-sig"), _items(file, format_, separator), position)


def _items(file: TextIO, format_: str, separator: str) -> Iterator[Item]:
    """The records of a text file of this format."""
    if format_ == "json":
        yield from read_document(file)
    elif format_ == "jsonl":
        yield from read_jsonl(file)
    elif format_ == "text":
        yield from read_text(file)
    else:
        yield from read_table(file, separator)


def sniff(sample: str, name: str) -> tuple[str, str]:
    """The format of a text and its separator, from its beginning; the name's ending settles what is open."""
    ending = Path(name).suffix.lower()
    lines = [line for line in sample.splitlines() if line.strip()]
    if ending in (".jsonl", ".ndjson"):
        return ("json", "") if _is_document(lines) else ("jsonl", "")
    if ending == ".json" or sample.lstrip("\ufeff \t\r\n")[0] in "{[":
        if ending == ".txt" and not any(_is_json(line) for line in lines[:3]) and lines[0].strip() not in "{[":
            return "text", ""
        return ("jsonl", "") if _is_jsonl(lines) else ("json", "")
    separator = separator_of(sample)
    if ending == ".tsv":
        return "tsv", separator or "\t"
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


class _Counted(io.FileIO):
    """A file that notes how far it has been read."""

    def __init__(self, path: Path, position: Position) -> None:
        super().__init__(path)
        self.position = position

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer and note the place."""
        count = super().readinto(buffer) or 0
        self.position.done += count
        return count
