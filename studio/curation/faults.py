"""What stood in a row where it is wrong, for the list of errors: the value beside the line, column and sentence."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.curation.lines import decode
from studio.curation.reports import ERROR_KEY, RAW_KEY, ImportReport

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_CELL = 120
# Rejected rows may be megabytes each; beyond this much the list goes without values.
_MOST_READ = 8_000_000


def with_values(report: ImportReport) -> list[dict[str, Any]]:
    """The errors of a report as JSON, each with its `value` where the row says one.

    The rows come from the file of rejected rows, which holds them in the order of the errors.
    """
    found = [fault._asdict() | {"value": None} for fault in report.errors]
    if report.rejected_file and Path(report.rejected_file).is_file():
        for fault, row in zip(found, _rows(Path(report.rejected_file), len(found)), strict=False):
            if row.get(ERROR_KEY, {}).get("line") == fault["line"]:
                fault["value"] = _value(row, fault["column"])
    return found


def _rows(path: Path, count: int) -> list[dict[str, Any]]:
    """The first rows of a file of rejected rows."""
    rows: list[dict[str, Any]] = []
    with path.open("rb") as file:
        while len(rows) < count and file.tell() < _MOST_READ and (line := file.readline(_MOST_READ)):
            try:
                row = decode(line.decode(errors="replace"))
            except (ValueError, RecursionError):
                break
            rows.append(row if isinstance(row, dict) else {})
    return rows


def _value(row: Mapping[str, Any], column: Any) -> str | None:
    """What stands at a column, cut short; the beginning of the line where it could not be decoded."""
    if RAW_KEY in row:
        return _short(row[RAW_KEY])
    if not isinstance(column, str) or not column:
        return None
    value: Any = row
    if column in row:
        return _short(row[column])
    for name, place in _STEP.findall(column):
        key: Any = int(place) if place else name
        value = _unpacked(value)
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return _short(value)


def _unpacked(value: Any) -> Any:
    """A list or object that a table holds as text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return decode(value)
        except (ValueError, RecursionError):
            return value
    return value


def _short(value: Any) -> str | None:
    """A value as text, cut short."""
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text[:_CELL] + "…" if len(text) > _CELL else text
