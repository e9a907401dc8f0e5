"""What is there: the datasets, and the rows of one as stored."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from storage import datasets, examples
from storage.rows import Dataset, Example
from storage.store import Store
from studio.curation.filters import query_of


class Datasets(NamedTuple):
    """All datasets with their counts."""

    datasets: list[datasets.DatasetCount]

    def to_json(self) -> dict[str, Any]:
        """`datasets[{name, kind, rows, …}]`."""
        return {"datasets": [dataset_json(item.dataset) | {"rows": item.rows} for item in self.datasets]}


class Rows(NamedTuple):
    """Rows of a dataset, and how many match in all."""

    dataset: Dataset
    rows: list[Example]
    total: int

    def to_json(self) -> dict[str, Any]:
        """`rows[]` as stored, each with its id, tags and revision."""
        return {
            "dataset": self.dataset.name,
            "kind": self.dataset.kind,
            "total": self.total,
            "rows": [row_json(row) for row in self.rows],
        }


def list_all(store: Store) -> Datasets:
    """The datasets, oldest first."""
    return Datasets(datasets.list_datasets(store))


def show(
    store: Store,
    name: str,
    search: str = "",
    limit: int = 25,
    filters: Mapping[str, Any] | None = None,
    sort: str = "",
) -> Rows:
    """Rows of a dataset that have all words of `search` and fit all `filters` (curation/filters.py).

    Raises NotFound, BadInput for a filter that cannot be read.
    """
    dataset = datasets.get_dataset(store, name)
    query = query_of(store, {**(filters or {}), "search": search}, sort=sort, limit=max(0, limit))
    found = examples.page(store, dataset.id, query)
    return Rows(dataset, found.examples, found.total)


def dataset_json(dataset: Dataset) -> dict[str, Any]:
    """A dataset for JSON."""
    return {
        "name": dataset.name,
        "kind": dataset.kind,
        "id": dataset.id,
        "description": dataset.description,
        "created_at": dataset.created_at,
    }


def row_json(row: Example) -> Mapping[str, Any]:
    """An example as stored, with what belongs to it."""
    return {
        **row.content,
        "id": row.id,
        "number": row.number,
        "tags": row.tags,
        "status": row.status,
        "split": row.split,
        "sha256": row.sha256,
        "revision": row.revision_id,
    }
