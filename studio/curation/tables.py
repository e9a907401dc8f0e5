"""Reads CSV and its relatives with any separator."""

import csv
from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from studio.curation.lines import Line, bounded_lines, fault_of
from studio.curation.records import RAW_KEPT, RECORD_LIMIT, Fault, Item
from studio.curation.table_rows import Cells, records

SEPARATORS = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv", "^": "csv", "~": "csv"}
_SAMPLE_ROWS = 30


def separator_of(sample: str) -> str | None:
    """The separator that cuts most of the sample's lines into the same number of cells, two at least, or None.

    With a space behind it where quotation marks follow a space: `1, "two, three"`.
    """
    csv.field_size_limit(RECORD_LIMIT)
    best: tuple[float, int, str] | None = None
    for separator in SEPARATORS:
        rows = [row for row in csv.reader(sample.splitlines()[:_SAMPLE_ROWS], delimiter=separator) if row]
        if not rows:
            continue
        usual, count = Counter(map(len, rows)).most_common(1)[0]
        agreeing = count / len(rows)
        if usual >= 2 and (best is None or (agreeing, usual) > best[:2]):
            best = (agreeing, usual, separator)
    if best is None or best[0] <= 0.5:
        return None
    return best[2] + " " if f'{best[2]} "' in sample and best[2] != "\t" else best[2]


def read_table(file: TextIO, separator: str, header: list[str] | None = None) -> Iterator[Item]:
    """The rows of a table as objects named by its header; a row with too many cells is a fault.

    `separator`: one sign, with a space behind it where spaces after it are to be skipped. `header` receives the names.
    """
    csv.field_size_limit(RECORD_LIMIT)
    return records(_rows(file, separator), header)


def _rows(file: TextIO, separator: str) -> Iterator[Cells | Fault]:
    """The rows of a table as cells; blank lines are passed over, a row of empty cells is a row."""
    feed = _Feed(bounded_lines(file))
    reader = csv.reader(feed, delimiter=separator[0], skipinitialspace=separator.endswith(" "))
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
        elif feed.unclosed:
            yield feed.fault("A quotation mark opened in this row is never closed.")
        elif len(cells) > 1 or (cells and cells[0].strip()):
            yield Cells(feed.line, cells, feed.raw)


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
        first = not self.taken
        if first:
            self.line = line.number
        self.damage = self.damage or fault_of(line)
        self.taken += len(line.text) + 1
        self.raw += line.text[: max(0, RAW_KEPT - len(self.raw))]
        if self.taken > RECORD_LIMIT:
            raise csv.Error("it is too long, or a quotation mark is never closed")
        return line.text + line.end if first else line.mark + line.text + line.end

    def fault(self, message: str) -> Fault:
        """A fault of the present row."""
        return Fault(self.line, None, message, self.raw)
