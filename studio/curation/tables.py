"""Reads tables: CSV and its relatives with any separator, and Parquet."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from studio.curation.lines import Line, bounded_lines, fault_of
from studio.curation.records import RAW_KEPT, RECORD_LIMIT, Fault, Item, Position, Record, Unreadable

SEPARATORS = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}
_SAMPLE_ROWS = 30
# A cell that begins so would be run by a spreadsheet; our exports put an apostrophe before it.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def separator_of(sample: str) -> str | None:
    """The separator that cuts the sample's lines into the same number of cells, two at least; None if none does.

    With a space behind it where quotation marks follow a space: `1, "two, three"`.
    """
    best: tuple[float, int, str] | None = None
    for separator in SEPARATORS:
        rows = [row for row in csv.reader(sample.splitlines()[:_SAMPLE_ROWS], delimiter=separator) if row]
        if not rows or len(rows[0]) < 2:
            continue
        agreeing = Counter(len(row) for row in rows)[len(rows[0])] / len(rows)
        if best is None or (agreeing, len(rows[0])) > best[:2]:
            best = (agreeing, len(rows[0]), separator)
    if best is None or best[0] <= 0.5:
        return None
    return best[2] + " " if f'{best[2]} "' in sample and best[2] != "\t" else best[2]


def read_table(file: TextIO, separator: str) -> Iterator[Item]:
    """The rows of a table as objects named by its first row; a row with too many cells is a fault.

    `separator`: one sign, with a space behind it where spaces after it are to be skipped.
    """
    csv.field_size_limit(RECORD_LIMIT)
    feed = _Feed(bounded_lines(file))
    reader = csv.reader(feed, delimiter=separator[0], skipinitialspace=separator.endswith(" "))
    header: list[str] | None = None
    while True:
        feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield feed.fault(f"The row cannot be read: {error}.")
            continue
        if feed.damage:
            yield feed.damage
        elif not cells or (len(cells) == 1 and not cells[0].strip()):
            continue  # a blank line; a row of empty cells is a row
        elif header is None:
            header = named(cells)
        else:
            yield _row(feed, header, cells)


def named(cells: Sequence[str]) -> list[str]:
    """Column names: trimmed, never blank, never twice."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = plain(cell).strip() or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _row(feed: "_Feed", header: list[str], cells: list[str]) -> Item:
    """One row as an object; missing cells at the end are absent."""
    if len(cells) > len(header):
        message = (
            f"The row has {len(cells)} cells and the header {len(header)}; a separator inside a cell needs quotes."
        )
        return feed.fault(message)
    if feed.unclosed:
        return feed.fault("A quotation mark opened in this row is never closed.")
    return Record(feed.line, {name: plain(cell) for name, cell in zip(header, cells, strict=False)})


def plain(cell: str) -> str:
    """A cell as it was meant: without the apostrophe that keeps spreadsheets from running it."""
    guarded = cell.startswith("'") and cell[1:2] in (*FORMULA_SIGNS, "'") and len(cell) > 1
    return cell[1:] if guarded else cell


class _Feed:
    """Gives a csv reader its lines and remembers where the present row began and what it is made of."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines
        self.line = 0
        self.raw = ""
        self.taken = 0
        self.unclosed = False
        self.damage: Fault | None = None

    def begin(self) -> None:
        """A new row begins with the next line."""
        self.raw, self.taken, self.damage, self.unclosed = "", 0, None, False

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        line = next(self.lines, None)
        if line is None:
            self.unclosed = self.taken > 0  # the reader wanted more of a row that had begun
            raise StopIteration
        if "\0" in line.text:
            raise Unreadable(f"The table has a NUL byte in line {line.number}; it may be a binary file.", line.number)
        if not self.taken:
            self.line = line.number
        self.damage = self.damage or fault_of(line)
        self.taken += len(line.text) + 1
        self.raw += line.text[: max(0, RAW_KEPT - len(self.raw))]
        if self.taken > RECORD_LIMIT:
            raise csv.Error("it is too long, or a quotation mark is never closed")
        return line.text + line.end

    def fault(self, message: str) -> Fault:
        """A fault of the present row."""
        return Fault(self.line, None, message, self.raw)


def read_parquet(path: Path, position: Position) -> Iterator[Record]:
    """The rows of a Parquet file, a thousand at a time."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise Unreadable(f'"{path.name}" is a broken Parquet file: {str(error).splitlines()[0]}') from error
    total, number = max(1, table.metadata.num_rows), 0
    for batch in table.iter_batches(batch_size=1000):
        for row in batch.to_pylist():
            number += 1
            yield Record(number, _json_like(row))
        position.done = int(position.size * number / total)


def _json_like(value: Any) -> Any:
    """A Parquet value as JSON would hold it: bytes and dates become text."""
    if isinstance(value, dict):
        return {str(key): _json_like(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_like(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
