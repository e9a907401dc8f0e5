"""The beginning of a file for the person who must say what its columns mean."""

from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from studio.curation.mapping import ROLES
from studio.curation.reading import open_source
from studio.curation.records import Record
from studio.curation.shapes import columns_of

_ROWS = 5
_CELL = 160


class Sample(NamedTuple):
    """Columns of a file and the first rows, cut short."""

    name: str
    columns: list[str]
    rows: list[dict[str, str]]

    def to_json(self) -> dict[str, Any]:
        """For the mapping form."""
        return {**self._asdict(), "roles": ROLES}


def sample(path: Path, name: str) -> Sample:
    """The first rows of a file; raises Unreadable where it cannot be read."""
    with open_source(path, name) as source:
        items = [item.value for item in islice(source.items, 4 * _ROWS) if isinstance(item, Record)]
    rows = [item for item in items if isinstance(item, dict)][:_ROWS]
    return Sample(name, columns_of(rows), [{key: _short(value) for key, value in row.items()} for row in rows])


def _short(value: Any) -> str:
    """A cell cut short."""
    text = value if isinstance(value, str) else repr(value)
    return text[:_CELL] + "…" if len(text) > _CELL else text
