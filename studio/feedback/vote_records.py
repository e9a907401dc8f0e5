"""The records of a votes file: lines of JSONL, elements of a JSON array, or rows of a CSV table, with their line."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import BadInput, NotFound
from studio.feedback.vote_shapes import Reject

_BLANK = " \t\r\n"
_LONGEST_CELL = 10_000_000  # characters; csv's own limit is 131,072, and conversations are longer


class Raw(NamedTuple):
    """A record as text, with the line on which it begins."""

    line: int
    text: bytes


class Unreadable(NamedTuple):
    """A place from which nothing can be read."""

    line: int
    reject: Reject


def records(path: Path) -> Iterator[Raw | Unreadable]:
    """The records of a file, blank lines left out; raises NotFound or BadInput where it cannot be read at all."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f'There is no file "{path}".') from None
    except OSError as error:
        raise BadInput(f'"{path}" cannot be read: {error.strerror}.') from error
    if path.suffix.lower() == ".csv":
        yield from _rows(content)
    elif _is_array(path, content):
        yield from _elements(content)
    else:
        for number, line in enumerate(content.split(b"\n"), start=1):
            if line.strip():
                yield Raw(number, line)


def _is_array(path: Path, content: bytes) -> bool:
    """Whether the file is one list; a file of lines may begin with a line that is a list by mistake."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"["):
        return False
    first = start.split(b"\n", 1)[0]
    return path.suffix.lower() == ".json" or first.rstrip() == b"[" or not _whole(first)


def _whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _text(content: bytes) -> str | Unreadable:
    """The content as text, or where it is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Unreadable(line, Reject(error.start + 1, f"byte {error.start + 1} is not UTF-8"))


def _elements(content: bytes) -> Iterator[Raw | Unreadable]:
    """The elements of an array, each as its own text."""
    text = _text(content)
    if isinstance(text, Unreadable):
        yield text
        return
    decoder, place, line, counted = json.JSONDecoder(), _after(text, text.index("[") + 1), 1, 0
    while place < len(text) and text[place] != "]":
        line, counted = line + text.count("\n", counted, place), place
        try:
            _, end = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            at = text.count("\n", 0, error.pos) + 1 if isinstance(error, json.JSONDecodeError) else line
            yield Unreadable(at, Reject(1, f"not JSON: {said}; from here on nothing was read"))
            return
        yield Raw(line, text[place:end].encode("utf-8", "surrogatepass"))
        place = _after(text, end)
        if place < len(text) and text[place] == ",":
            place = _after(text, place + 1)


def _after(text: str, place: int) -> int:
    """The next place that is not blank."""
    while place < len(text) and text[place] in _BLANK:
        place += 1
    return place


def _rows(content: bytes) -> Iterator[Raw | Unreadable]:
    """The rows of a table as objects; an empty cell is no value."""
    text = _text(content)
    if isinstance(text, Unreadable):
        yield text
        return
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""))
        head: Sequence[str] = next(reader, [])
        line = reader.line_num + 1
        for cells in reader:
            if any(cells):
                row: dict[str, Any] = {name: cell or None for name, cell in zip(head, cells, strict=False)}
                yield Raw(line, json.dumps(row).encode())
            line = reader.line_num + 1
    except csv.Error as error:
        yield Unreadable(reader.line_num, Reject(1, f"no CSV: {error}; from here on nothing was read"))
    finally:
        csv.field_size_limit(before)
