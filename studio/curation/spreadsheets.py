"""Reads XLSX spreadsheets row by row: every sheet is a table with a header of its own.

By openpyxl in its read-only way, which streams a sheet's rows; only the texts that cells share are held. Formulas
count by the values that the spreadsheet program stored for them.
"""

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from studio.curation.archives import check_spreadsheet
from studio.curation.columnar import json_like
from studio.curation.records import Item, Position, Unreadable
from studio.curation.table_rows import Cells, records


def read_spreadsheet(path: Path, name: str, position: Position) -> Iterator[Item]:
    """The rows of all sheets; raises Unreadable for a spreadsheet that is broken, locked or a trap."""
    check_spreadsheet(path, name)
    try:
        book = _opened(path)
        try:
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            for number, sheet in enumerate(sheets, start=1):
                yield from records(_cells(sheet))
                position.done = position.size * number // len(sheets)
        finally:
            book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, ParseError, OSError) as error:
        # openpyxl lets through whatever a damaged part of the file makes Python say.
        raise Unreadable(f'"{name}" is a broken spreadsheet: {error}.') from error


def _opened(path: Path) -> Any:
    from openpyxl import load_workbook

    # It warns of pictures and styles that it passes over; the rows are all that is wanted.
    warnings.filterwarnings("ignore", module="openpyxl")
    return load_workbook(path, read_only=True, data_only=True, keep_links=False)


def _cells(sheet: Any) -> Iterator[Cells]:
    """The rows of a sheet. What a sheet says of its size is often wrong, so that it is not asked."""
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        yield Cells(number, [json_like(value) for value in row], "")
