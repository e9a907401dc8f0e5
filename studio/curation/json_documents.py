"""Reads a JSON document record by record, without holding the document.

The standard library decodes one value at a time out of a buffer; the list around the values, or the object around
that list (`{"data": [...]}`), is walked by hand. A document is broken as a whole: after a syntax error nothing
that follows can be trusted, so `Unreadable` says the line and column, and nothing of the file is imported.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, TextIO

from studio.curation.records import RECORD_LIMIT, Record, Unreadable

# Keys under which files wrap their list of records; lists under them are read one element at a time.
WRAPPERS = ("data", "examples", "rows", "train", "validation", "test", "dev", "eval", "records", "samples", "instances",
            "dataset", "documents", "entries", "results", "questions")  # fmt: skip
_DEPTH = 3
_SPACE = " \t\n\r"
_BLOCK = 1 << 16
# An error this near to the end of the buffer may come from a word or escape that was cut in two.
_TAIL = 16


def no_constants(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's reader lets pass."""
    raise ValueError(f"{name} is no JSON; write null or a number")


def finite(text: str) -> float:
    """A number; one too large for a computer's numbers is refused, for it would be stored as Infinity."""
    number = float(text)
    if number in (math.inf, -math.inf):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


DECODER = json.JSONDecoder(parse_constant=no_constants, parse_float=finite)
# The texts of a JSON document, which are passed over, and its numbers and the words that look like numbers.
_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity|-?\d[\d.eE+-]*', re.DOTALL)


def offending(text: str, start: int) -> int:
    """Where the number stands that `DECODER` refused in a value that begins at `start`; it does not say so itself."""
    for found in _NUMBER.finditer(text, start):
        try:
            if found[0][0] != '"':
                DECODER.decode(found[0])
        except ValueError:
            return found.start()
    return start


def reason(error: ValueError) -> str:
    """Why a number was refused; Python speaks of its own settings where one has too many digits."""
    digits = f"a number has more than {sys.get_int_max_str_digits():,} digits"
    return digits if "digits" in str(error) else str(error)


# Whether an object is a record by itself, and no wrapping around records.
IsRecord = Callable[[Mapping[str, Any]], bool]


def _nothing_is(_: Mapping[str, Any]) -> bool:
    return False


def read_document(file: TextIO, is_record: IsRecord = _nothing_is) -> Iterator[Record]:
    """The records of a JSON document: elements of the list, of the wrapped list, rows of an object of lists.

    Objects that follow one another on lines of their own, however they are spread, are read like a list of them.
    """
    walker = _Walker(file)
    opening = walker.peek()
    if opening == "[":
        yield from _elements(walker)
    elif opening == "{":
        yield from _members(walker, is_record)
    else:
        yield Record(1, walker.value())
    line = walker.line
    while opening == "{" and walker.peek() == "{" and walker.line > line:
        line = walker.line
        yield Record(line, walker.value())
        line = walker.line
    if walker.peek():
        walker.broken("more text after the end of the document")


def _elements(walker: "_Walker") -> Iterator[Record]:
    """The elements of the list that begins here."""
    walker.take("[")
    if walker.peek() == "]":
        walker.take("]")
        return
    while True:
        walker.peek()
        line = walker.line
        yield Record(line, walker.value())
        if walker.peek() == "]":
            walker.take("]")
            return
        walker.take(",")


def _members(walker: "_Walker", is_record: IsRecord) -> Iterator[Record]:
    """What the object that begins here holds: wrapped lists, or itself as one record or as columns."""
    members: dict[str, Any] = {}
    begun = streamed = False
    walker.take("{")
    while walker.peek() != "}":
        if begun:
            walker.take(",")
        begun = True
        if walker.peek() != '"':
            walker.broken("a key in double quotes is missing")
        key = walker.value()
        walker.peek()
        walker.take(":")
        # A record may have such a key as well (`instances` after an instruction): then its texts came before.
        if key in WRAPPERS and walker.begins_list_of_objects() and not is_record({**members, key: [{}]}):
            streamed = True
            yield from _elements(walker)
        else:
            walker.peek()
            members[key] = walker.value()
    walker.take("}")
    if not streamed:
        yield from (Record(number, row) for number, row in enumerate(rows_of(members, is_record), start=1))


def rows_of(value: dict[str, Any], is_record: IsRecord = _nothing_is, depth: int = _DEPTH) -> list[Any]:
    """The rows in an object: of its lists, of its columns, of the objects in it, or itself."""
    found = _split(value) or _columns(value)
    if found is not None:
        return found
    if is_record(value) or not depth:
        return [value]
    wrapped = [value[key] for key in WRAPPERS if _is_list_of_objects(value.get(key))]
    if wrapped:
        return [row for rows in wrapped for row in rows]
    if len(value) == 1 and isinstance(value.get("data"), list):
        return list(value["data"])
    return _deeper(value, is_record, depth)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(row, dict) for row in value)


def _columns(value: dict[str, Any]) -> list[Any] | None:
    """The rows of an object of columns: lists of one length, or objects with the same keys (pandas writes both)."""
    columns = list(value.values())
    if (
        columns
        and all(isinstance(column, dict) for column in columns)
        and list(columns[0]) == [str(number) for number in range(len(columns[0]))]
    ):
        columns = [list(column.values()) for column in columns]
    lists = bool(columns) and all(isinstance(column, list) for column in columns)
    if not lists or len({len(column) for column in columns}) != 1 or any(map(_is_talk, columns)):
        return None
    if len(columns) == 1 and _is_list_of_objects(columns[0]):  # a wrapped list, or a conversation
        return None
    return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _split(value: dict[str, Any]) -> list[Any] | None:
    """The rows of pandas' form `split`: names in one list, rows of cells in another."""
    names, rows = value.get("columns"), value.get("data")
    if not (isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows)):
        return None
    return [dict(zip(map(str, names), row, strict=False)) for row in rows]


def _deeper(value: dict[str, Any], is_record: IsRecord, depth: int) -> list[Any]:
    """The records a level deeper: a list of them under any key, or the objects in an object of objects."""
    for inner in value.values():
        if _is_list_of_objects(inner) and isinstance(inner[0], dict) and is_record(inner[0]):
            return list(inner)
    objects = [inner for inner in value.values() if isinstance(inner, dict)]
    if objects and sum(map(is_record, objects)) * 2 > len(value):
        return objects
    for inner in objects:
        found = rows_of(inner, is_record, depth - 1)
        if found and found != [inner] and (is_record(found[0]) or any(map(_is_list_of_objects, inner.values()))):
            return found
    return [value]


def _is_talk(column: Any) -> bool:
    """Whether a list holds messages: then it belongs to one record, and is no column of many."""
    first = column[0] if column else None
    return isinstance(first, dict) and ("role" in first or "from" in first)


class _Walker:
    """A cursor in a text that is read as it is needed."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.buffer = ""
        self.at = 0
        self.line = 1
        self.line_start = 0  # of the current line, as an index into the buffer; negative once it was cut off
        self.ended = False

    def peek(self) -> str:
        """The next sign that is no white space, "" at the end; the cursor stands on it."""
        while True:
            while self.at < len(self.buffer) and self.buffer[self.at] in _SPACE:
                if self.buffer[self.at] == "\n":
                    self.line += 1
                    self.line_start = self.at + 1
                self.at += 1
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self._more():
                return ""

    def take(self, sign: str) -> None:
        """Step over this sign, which must be next."""
        found = self.peek()
        if found != sign:
            self.broken(f'"{sign}" is missing' if found else f'the file ends where "{sign}" is missing')
        self.at += 1

    def begins_list_of_objects(self) -> bool:
        """Whether a list of objects comes next."""
        if self.peek() != "[":
            return False
        rest = self.buffer[self.at + 1 :].lstrip(_SPACE)
        while not rest and self._more():
            rest = self.buffer[self.at + 1 :].lstrip(_SPACE)
        return rest.startswith("{")

    def value(self) -> Any:
        """The value that begins here, decoded; reads on until it is whole."""
        while True:
            try:
                value, end = DECODER.raw_decode(self.buffer, self.at)
                # A number or word at the end of the buffer may go on in the next block.
                if end < len(self.buffer) or self.ended or not self._more():
                    self._step_to(end)
                    return value
            except json.JSONDecodeError as error:
                behind = error.pos - self.at  # reading on moves the buffer
                if self._goes_on(error):
                    continue
                self._step_to(self.at + behind)
                self.broken(_plain(error.msg))
            except RecursionError:
                raise Unreadable("The JSON is nested too deeply to be read.", self.line, self.column) from None
            except ValueError as error:
                self._step_to(offending(self.buffer, self.at))
                self.broken(reason(error))

    def _goes_on(self, error: json.JSONDecodeError) -> bool:
        """Whether the value was only cut off by the end of the buffer, and more of it could be read."""
        cut_off = error.msg.startswith("Unterminated string") or error.pos >= len(self.buffer) - _TAIL
        if not cut_off or self.ended:
            return False
        if len(self.buffer) - self.at > RECORD_LIMIT:
            self._too_long()
        return self._more()

    def _step_to(self, end: int) -> None:
        """Move on to an index of the buffer, counting lines."""
        lines = self.buffer.count("\n", self.at, end)
        if lines:
            self.line += lines
            self.line_start = self.buffer.rfind("\n", self.at, end) + 1
        self.at = end

    def _more(self) -> bool:
        """Read on; what lies behind the cursor is let go. Large values are read in ever larger steps."""
        if self.ended:
            return False
        block = self.file.read(max(_BLOCK, len(self.buffer) - self.at))
        if not block:
            self.ended = True
            return False
        self.buffer = self.buffer[self.at :] + block
        self.line_start -= self.at
        self.at = 0
        return True

    @property
    def column(self) -> int:
        """Of the cursor, 1-based."""
        return self.at - self.line_start + 1

    def _too_long(self) -> NoReturn:
        raise Unreadable(
            f"The record that begins in line {self.line} has more than {RECORD_LIMIT:,} characters; "
            "split it, or save the file as JSONL, where one long row does not stop the others.",
            self.line,
            self.column,
        )

    def broken(self, what: str) -> NoReturn:
        """Raise Unreadable for the place of the cursor."""
        raise Unreadable(
            f"The file is no valid JSON: {what} (line {self.line}, column {self.column}).", self.line, self.column
        )


def _plain(message: str) -> str:
    """A message of Python's decoder as part of our sentence."""
    return message[:1].lower() + message[1:].removesuffix(".")
