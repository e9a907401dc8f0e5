"""What reading a file yields: records, and faults where a record could not be read.

A file as a whole may be unreadable (binary, empty, broken JSON): then `Unreadable` is raised and nothing of it is
imported. A single row that is broken is a `Fault`, and the rows around it go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from storage.errors import BadInput

# The largest record, in characters: a text of 10 MB fits, however its quotes and line ends are escaped. A line beyond
# it is skipped without ever being held in memory.
RECORD_LIMIT = 32_000_000

# How much of a broken line is kept for the file of rejected rows.
RAW_KEPT = 2_000


class Record(NamedTuple):
    """One source record. `line`: 1-based line of the file, or number of the element in a JSON document.

    `records`: how many records of the file it stands for; more than one where messages that name their parents were
    put together to a tree. All of them share the tree's fate (imported, there already, rejected).
    `plain`: it stands in the inner form already (plain_rows.py).
    """

    line: int
    value: Any
    records: int = 1
    plain: bool = False


# Where in a row: the path of a field ("messages[2].role"), or the 1-based place of a character.
Column = str | int | None


class Fault(NamedTuple):
    """A record that could not be read, with as much of its text as is worth keeping."""

    line: int
    column: Column
    message: str
    raw: str


Item = Record | Fault


class Unreadable(BadInput):
    """The whole file cannot be read; `line` and `column` (1-based) say where, if a place can be named."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class RowError(Exception):
    """A record cannot become an example: the field's path, and a sentence with the value."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


@dataclass
class Position:
    """How far reading has come, in bytes of the file; `done` is moved by the reader, for the progress bar."""

    size: int
    done: int = 0

    @property
    def fraction(self) -> float:
        """Between 0 and 1."""
        return min(1.0, self.done / self.size) if self.size else 1.0


@dataclass(frozen=True)
class Source:
    """A file opened for import: what it is, and its records one after the other."""

    format: str
    encoding: str
    items: Iterator[Item]
    position: Position = field(default_factory=lambda: Position(0))
    # The columns that a table's header names, known once its first row was asked for.
    header: list[str] = field(default_factory=list)


def quoted(value: Any, limit: int = 60) -> str:
    """A value as it is shown inside a sentence: in quotes, short."""
    text = value if isinstance(value, str) else repr(value)
    return f'"{text[:limit]}…"' if len(text) > limit else f'"{text}"'


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return f"{names.get(type(value), 'something else')} ({quoted(value, 40)})"
