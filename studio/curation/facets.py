"""What the rows of a dataset can be filtered by: tags, imports, annotators, findings, tokenizers.

Names alone, without counts: at a million rows a list of names is found by jumping along an index, counts are not.
"""

from typing import Any, NamedTuple

from storage import datasets, segments
from storage.rows import Dataset
from storage.store import Store
from studio.curation.checks.registry import checks

_MOST = 200

# One jump along the index a name: `select distinct` would read every row.
_JUMP = """with recursive names(name) as (
  select min({column}) from {table}
  union all select (select min({column}) from {table} where {column} > name) from names where name is not null
) select name from names where name is not null"""


class Facet(NamedTuple):
    """One thing to filter by, and what it is called."""

    id: str
    label: str


def facets(store: Store, name: str) -> dict[str, list[dict[str, Any]]]:
    """What a dataset offers to filter by, by kind; raises NotFound."""
    dataset = datasets.get_dataset(store, name)
    found = {
        "tags": _present(store, dataset, "tagged", "tag"),
        "sources": _sources(store, dataset),
        "authors": _authors(store, dataset),
        "findings": _findings(store, dataset),
        "tokenizers": [
            Facet(row["sha256"], row["model"])
            for row in store.rows("select sha256, model from tokenizers order by seen_at desc")
        ],
    }
    return {kind: [facet._asdict() for facet in listed] for kind, listed in found.items()}


def _present(store: Store, dataset: Dataset, table: str, column: str) -> list[Facet]:
    """The names in an index of (name, example) that occur among the rows of a dataset."""
    spans = segments.ranges(store, dataset.id)
    names = [row["name"] for row in store.rows(_JUMP.format(table=table, column=column))]
    occurs = f"select 1 from {table} where {column} = ? and example_id between ? and ? limit 1"
    kept = [name for name in names if any(store.value(occurs, [name, span.low, span.high]) for span in spans)]
    return [Facet(name, name) for name in kept[:_MOST]]


def _findings(store: Store, dataset: Dataset) -> list[Facet]:
    """The checks that found something, by their titles."""
    known = checks(store.home.path)
    found = _present(store, dataset, "findings", "check_name")
    return [Facet(facet.id, known[facet.id].title if facet.id in known else facet.id) for facet in found]


def _sources(store: Store, dataset: Dataset) -> list[Facet]:
    """The imports that brought rows, the newest first."""
    rows = store.rows(
        "select id, coalesce(detail ->> 'file', 'an import') as file, "
        "strftime('%Y-%m-%d %H:%M', created_at, 'unixepoch', 'localtime') as at "
        "from batches where dataset_id = ? and kind = 'import' and state = 'published' order by number desc limit ?",
        [dataset.id, _MOST],
    )
    return [Facet(row["id"], f"{row['file']}, {row['at']}") for row in rows]


def _authors(store: Store, dataset: Dataset) -> list[Facet]:
    """Who imported, wrote or changed rows."""
    rows = store.rows(
        "select author from batches where dataset_id = :dataset and state = 'published' "
        "union select author from segments where dataset_id = :dataset and state = 'visible' order by 1 limit :most",
        {"dataset": dataset.id, "most": _MOST},
    )
    return [Facet(row["author"], row["author"]) for row in rows]
