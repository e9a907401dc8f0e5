"""Rows of cells become records named by a header, whatever stands before the header and around the cells.

Shared by CSV and spreadsheets. A title or a date above the header is passed over; a column without a name counts
only where it holds something; a row with more cells than the header is a fault.
"""

import ast
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from studio.curation.records import RAW_KEPT, Fault, Item, Record

# So many rows are looked at for the header.
_HEAD = 30
# A cell that begins so would be run by a spreadsheet; our exports put an apostrophe before it.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Cells(NamedTuple):
    """A row of a table: its line, its cells, and its text where it is known."""

    line: int
    cells: Sequence[Any]
    raw: str


def records(rows: Iterator[Cells | Fault], header: list[str] | None = None) -> Iterator[Item]:
    """The records of a table; the names of its columns are put into `header`."""
    head = list(islice(rows, _HEAD))
    top = _header([row for row in head if isinstance(row, Cells)])
    names: list[str] | None = None
    for row in chain(head, rows):
        if isinstance(row, Fault):
            yield row
        elif names is None:
            names = named(row.cells) if row is top else None
            if header is not None and names:
                header += [name for name in names if name and name not in header]
        elif any(cell not in (None, "") for cell in row.cells) or len(row.cells) > 1:
            yield _record(names, row)


def _header(rows: Sequence[Cells]) -> Cells | None:
    """The first row that fills more than half of the cells that rows usually fill; else the first that fills any."""
    filled = [sum(1 for cell in row.cells if str(cell if cell is not None else "").strip()) for row in rows]
    counted = Counter(count for count in filled if count)
    usual = counted.most_common(1)[0][0] if counted else 0
    counts = list(zip(rows, filled, strict=True))
    first = next((row for row, count in counts if count), None)
    return next((row for row, count in counts if count * 2 > usual), first)


def named(cells: Sequence[Any]) -> list[str]:
    """Column names: trimmed, never twice; blank where the header has none."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = plain("" if cell is None else str(cell)).strip()
        names.append(f"{name} ({number})" if name and name in names else name)
    while names and not names[-1]:
        names.pop()
    return names


def _record(names: Sequence[str], row: Cells) -> Item:
    """One row as an object; missing cells at the end are absent."""
    cells = row.cells
    surplus = [number for number, cell in enumerate(cells) if number >= len(names) and cell not in (None, "")]
    if surplus:
        message = (
            f"The row has {surplus[-1] + 1} cells and the header {len(names)}; a separator inside a cell needs quotes."
        )
        return Fault(row.line, surplus[0] + 1, message, row.raw or _shown(cells))
    # Unnamed cells are kept where they hold something, under the number of their column.
    value = {
        name or f"column {number}": plain(cell) if isinstance(cell, str) else cell
        for number, (name, cell) in enumerate(zip(names, cells, strict=False), start=1)
        if name or cell not in (None, "")
    }
    return Record(row.line, value)


def _shown(cells: Sequence[Any]) -> str:
    """Cells as a line of text, for the file of rejected rows."""
    return "\t".join("" if cell is None else str(cell) for cell in cells)[:RAW_KEPT]


def plain(cell: str) -> str:
    """A cell as it was meant: without the apostrophe that keeps spreadsheets from running it."""
    guarded = cell[:1] == "'" and cell[1:2] in (*FORMULA_SIGNS, "'") and len(cell) > 1
    return cell[1:] if guarded else cell


def structured(text: str) -> Any:
    """The list or object that a text spells out in JSON or as Python prints it; None where it is neither.

    Tables hold conversations so: `to_csv` of pandas writes what Python prints.
    """
    text = text.strip()
    if text[:1] not in ("[", "{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None
    return value if isinstance(value, list | dict) else None
