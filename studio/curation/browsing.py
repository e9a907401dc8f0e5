"""A page of a dataset's table: short views of rows, how many match, where the next page begins, what undo would do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from storage import batches, datasets, examples
from storage.queries import Query
from storage.rows import Dataset, Example
from storage.store import Store
from studio.curation import bulk, editing
from studio.curation.filters import last_tokenizer, query_of
from studio.curation.listing import dataset_json
from studio.curation.searching import summary


def page(
    store: Store, name: str, filters: Mapping[str, Any], *, sort: str = "", number: int = 1, size: int = 25,
    after: str | None = None, at: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A page as the table shows it. `at`: the id of a row whose page is wanted, where rows stand in
    their order; `after`: where the last page ended.

    Past the end, after a deletion, it is the last page there is.
    """
    dataset = datasets.get_dataset(store, name)
    query = query_of(store, filters, sort=sort, limit=size, offset=(number - 1) * size, after=after)
    if at and query.sort == "number":
        number = examples.count_before(store, editing.get(store, name, at), query) // size + 1
        query = replace(query, offset=(number - 1) * size, after=None)
    found = examples.page(store, dataset.id, query)
    if not found.examples and found.total and number > 1:
        number = (found.total - 1) // size + 1
        found = examples.page(store, dataset.id, replace(query, offset=(number - 1) * size, after=None))
    return {
        **dataset_json(dataset),
        "rows": _rows(store, found.examples, query),
        "total": found.total,
        "exact": found.exact,
        "all": found.total if query.plain else datasets.count_examples(store, dataset.id),
        "page": number,
        "pages": max(1, -(-found.total // size)) if found.exact else None,
        "next": found.next,
        "task": bulk.running_task(store, dataset.name),
        **editing.steps(store, dataset)._asdict(),
    }


def _rows(store: Store, found: Sequence[Example], query: Query) -> list[dict[str, Any]]:
    """Short views with what stands in the columns of the table."""
    tokens = _tokens(store, found, query.tokenizer or last_tokenizer(store))
    return [
        summary(row, query.search)
        | {
            "status": row.status,
            "reason": row.reason,
            "split": row.split,
            "chars": row.chars,
            "tokens": tokens.get(row.revision_id),
            "author": row.author,
            "changed_at": row.revised_at,
        }
        for row in found
    ]


def _tokens(store: Store, found: Sequence[Example], tokenizer: str | None) -> dict[int, int]:
    """How many tokens rows have, of those that were counted."""
    if tokenizer is None:
        return {}
    rows = store.rows(
        "select revision_id, tokens from tokens where tokenizer_sha256 = ? and tokens is not null "
        "and revision_id in (select value from json_each(?))",
        [tokenizer, json.dumps([row.revision_id for row in found])],
    )
    return {row["revision_id"]: row["tokens"] for row in rows}


def changes(store: Store, dataset: Dataset, limit: int = 50) -> list[dict[str, Any]]:
    """The last changes of a dataset, the newest first, with those that were undone."""
    return [
        {"id": batch.id, "label": editing.label_of(batch), "kind": batch.kind, "author": batch.author,
         "state": batch.state, "created_at": batch.created_at}
        for batch in batches.list_batches(store, dataset.id, limit)
    ]  # fmt: skip
