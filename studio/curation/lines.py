"""Reads text line by line with bounded memory: JSONL and plain text.

A file is opened with `surrogateescape`: a byte that its encoding does not know becomes a lone surrogate, which no
valid text contains, so a damaged line is found and named while the others go on. Ends of lines come as they are
(`newline=""`): inside a quoted cell of a table they belong to the text.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

from studio.curation import plain_rows
from studio.curation.json_documents import DECODER, offending, reason
from studio.curation.records import RAW_KEPT, RECORD_LIMIT, Fault, Item, Record

_DAMAGE = re.compile("[\ud800-\udfff\0]")


_ENDS = ("\n", "\r")
# A file without one plain row among so many is of another kind.
_HOPE = 200


class Line(NamedTuple):
    """One line: its text without its end, the end, and where it is too long how many characters it really has.

    `mark`: the byte order mark that it began with, for inside a quoted cell of a table it belongs to the text.
    """

    number: int
    text: str
    end: str = "\n"
    over: int = 0
    mark: str = ""


def bounded_lines(file: TextIO, limit: int = RECORD_LIMIT) -> Iterator[Line]:
    """The lines of a file; of one that is longer than `limit` only the beginning."""
    number = 0
    while text := file.readline(limit + 1):
        number += 1
        yield _bounded(file, number, text, limit)


def _bounded(file: TextIO, number: int, text: str, limit: int = RECORD_LIMIT) -> Line:
    """A line whose beginning was read, at most one character beyond the limit."""
    if len(text) <= limit or text.endswith(_ENDS):
        bare = text.rstrip("\r\n")
        # Files that were put together bring the byte order mark of each along.
        plain = bare.removeprefix("\ufeff")
        return Line(number, plain, text[len(bare) :], mark=bare[: len(bare) - len(plain)])
    kept, length = text[:RAW_KEPT], len(text)
    while not text.endswith(_ENDS) and (text := file.readline(limit + 1)):
        length += len(text)
    return Line(number, kept, over=length)


def read_jsonl(file: TextIO) -> Iterator[Item]:
    """One JSON value a line; blank lines are passed over."""
    number = plain = 0
    while text := file.readline(RECORD_LIMIT + 1):
        number += 1
        # The quick road is tried as long as there is hope that the file is of this kind.
        if (plain or number < _HOPE) and (row := plain_rows.decoded(text)) is not None:
            plain += 1
            yield Record(number, row, plain=True)
            continue
        line = _bounded(file, number, text)
        if line.over or line.text.strip():
            yield fault_of(line) or _decoded(line)


def read_text(file: TextIO) -> Iterator[Item]:
    """One row a line; blank lines are passed over."""
    for line in bounded_lines(file):
        if line.over or line.text.strip():
            yield fault_of(line) or Record(line.number, {"text": line.text})


def fault_of(line: Line) -> Fault | None:
    """What is wrong with a line before it is even looked into: too long, or damaged."""
    if line.over:
        size, most = f"{line.over:,}", f"{RECORD_LIMIT:,}"
        return Fault(line.number, None, f"The line has {size} characters; a row may have {most} at most.", line.text)
    damage = None if line.text.isascii() and "\0" not in line.text else _DAMAGE.search(line.text)
    if damage is None:
        return None
    said = f"The byte 0x{ord(damage.group()) & 0xFF:02X} does not belong to the file's encoding; the row is damaged."
    if damage.group() == "\0":
        said = "The row holds a NUL byte, which no text has; the row is damaged."
    return Fault(line.number, damage.start() + 1, said, line.text[:RAW_KEPT])


def _decoded(line: Line) -> Item:
    """The value of a line of JSONL."""
    try:
        return Record(line.number, decode(line.text))
    except json.JSONDecodeError as error:
        return Fault(line.number, error.pos + 1, f"The line is no valid JSON: {error.msg}.", line.text[:RAW_KEPT])
    except RecursionError:
        return Fault(line.number, None, "The line is nested too deeply to be read.", line.text[:RAW_KEPT])
    except ValueError as error:
        place = offending(line.text, 0) + 1
        return Fault(line.number, place, f"The line is no valid JSON: {reason(error)}.", line.text[:RAW_KEPT])


def decode(text: str) -> Any:
    """Decode one JSON text strictly: NaN and Infinity are refused."""
    return DECODER.decode(text.strip())
