"""Finding the examples that a query wants: their keys page by page, their number, all of them in chunks."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from storage import search, segments
from storage.queries import Condition, Query, condition, of_range
from storage.segments import Range
from storage.settling import Pane, overlay, pane
from storage.store import Store

_CHUNK = 1000


class Found(NamedTuple):
    """Keys of a page, how many there are in all (at least, where not `exact`), and where the next page begins."""

    keys: list[int]
    total: int
    exact: bool
    next: str | None


def page(store: Store, dataset_id: str, query: Query) -> Found:
    """The keys of a page."""
    query.check()
    every = list(_all(store, dataset_id, query))
    if query.after:
        every_after = [key for key in every if key > segments.key_of(query.after)]
        wanted = every_after[: query.limit]
    else:
        wanted = every[query.offset : query.offset + query.limit]
    more = bool(wanted) and wanted[-1] != every[-1]
    return Found(wanted, len(every), True, segments.name_of(wanted[-1]) if more else None)


def count_before(store: Store, dataset_id: str, key: int, query: Query) -> int:
    """How many examples that a query finds stand before this one."""
    count = 0
    for found in _all(store, dataset_id, query):
        if found == key:
            break
        count += 1
    return count


def count(store: Store, dataset_id: str, query: Query) -> int:
    """How many examples a query finds, exactly."""
    query.check()
    return sum(1 for _ in _all(store, dataset_id, query))


def keys(store: Store, dataset_id: str, query: Query) -> Iterator[list[int]]:
    """All keys, in chunks."""
    query.check()
    found = _all(store, dataset_id, query)
    while part := list(islice(found, _CHUNK)):
        yield part


def _all(store: Store, dataset_id: str, query: Query) -> Iterator[int]:
    through = pane(store, dataset_id)
    where = condition(query, through)
    for span in _ranges(store, dataset_id, query):
        yield from _in_range(store, span, query, where, through)


def _ranges(store: Store, dataset_id: str, query: Query) -> list[Range]:
    """Where to look: an import's rows lie in its own segment."""
    spans = segments.ranges(store, dataset_id)
    if not query.source:
        return spans
    number = store.value("select number from batches where id = ?", [query.source])
    return [span for span in spans if span.segment.batch is not None and span.segment.batch == number]


def _in_range(store: Store, span: Range, query: Query, where: Condition, through: Pane | None) -> Iterator[int]:
    words = ""
    values = {**of_range(where, span), "low": span.low, "high": span.high}
    if search.match(query.search):
        words = "and e.id in (select value from json_each(:words))"
        values["words"] = json.dumps(list(search.matching(store, query.search, span.low, span.high)))
    join = overlay(through) if through else ""
    sql = f"select e.id from examples e {join} where e.id between :low and :high and {where.sql} {words} order by e.id"
    yield from (row[0] for row in store.db.conn.execute(sql, values).fetchall())
