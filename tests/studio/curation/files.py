"""Imports of files, and what they leave in the store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.store import Store
from studio.curation.importing import import_files
from studio.curation.listing import show
from studio.curation.reports import ImportReport

Write = Callable[..., Path]


def chat(*said: str) -> list[dict[str, str]]:
    """Messages, user and assistant by turns."""
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(said)]


def imported(store: Store, path: Path, dataset: str = "rows", **wish: Any) -> ImportReport:
    """Import one file; what was read must have gone somewhere."""
    report = import_files(store, [path], dataset, **wish)
    assert isinstance(report, ImportReport)
    assert report.read == report.imported + report.duplicates + report.rejected
    return report


def rows_of(store: Store, dataset: str = "rows", *parts: str) -> list[Any]:
    """The stored rows, each the one part that is asked for (or a list of them)."""
    rows = show(store, dataset, limit=10_000).to_json()["rows"]
    return [row[parts[0]] if len(parts) == 1 else [row.get(part) for part in parts] for row in rows]


def faults(report: ImportReport) -> list[tuple[Any, ...]]:
    """The errors of a report as plain tuples."""
    return [tuple(fault) for fault in report.errors]
