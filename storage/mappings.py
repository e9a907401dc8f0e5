"""What people said that the columns of a file hold: kept by the file's columns, offered for the next file like it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.clock import now
from storage.rows import Row
from storage.store import Store

# Older ones go: a mapping is offered, and nothing depends on it.
_KEPT = 500


@dataclass(frozen=True)
class ColumnMapping(Row):
    """A mapping of column to role, and the dataset that it was used for last."""

    mapping: dict[str, str]
    dataset: str
    used_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"mapping"})


def remember(store: Store, columns: Sequence[str], mapping: Mapping[str, str], dataset: str) -> None:
    """Keep the mapping of a file with these columns, instead of an older one."""
    with store.write():
        store.execute(
            "insert or replace into mappings (columns, mapping, dataset, used_at) values (?, ?, ?, ?)",
            [_key(columns), json.dumps(dict(mapping)), dataset, now()],
        )
        store.execute(
            "delete from mappings where columns not in (select columns from mappings order by used_at desc limit ?)",
            [_KEPT],
        )


def recall(store: Store, columns: Sequence[str]) -> ColumnMapping | None:
    """The mapping that was used last for a file with these columns, in whatever order."""
    row = store.one("select mapping, dataset, used_at from mappings where columns = ?", [_key(columns)])
    return ColumnMapping.from_row(row) if row else None


def _key(columns: Sequence[str]) -> str:
    return json.dumps(sorted(columns))
