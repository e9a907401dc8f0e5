"""How many rows have a status, or a tag, from their indexes alone: exact where a walk would have to stop counting."""

from collections.abc import Sequence
from dataclasses import replace

from storage.segments import Range
from storage.store import Store
from storage.walking import Walk

MOST = 20_000
_OF_STATUS = "select count(*) from (select 1 from examples where status = ? and id between ? and ? limit ?)"
_OF_TAG = "select count(*) from (select 1 from tagged where tag = ? and example_id between ? and ? limit ?)"


def total(walk: Walk) -> tuple[int, bool] | None:
    """The number of rows, and whether that is all, for a query of statuses or of one tag alone; else None."""
    query = walk.query
    if walk.through is not None or query.search:
        return None
    if query.status and not replace(query, status=()).filtered:
        found = sum(_count(walk.store, _OF_STATUS, status, walk.spans) for status in query.status)
    elif len(query.tags) == 1 and not replace(query, tags=()).filtered:
        found = _count(walk.store, _OF_TAG, query.tags[0], walk.spans)
    else:
        return None
    return min(found, MOST), found < MOST


def _count(store: Store, sql: str, word: str, spans: Sequence[Range]) -> int:
    found = 0
    for span in spans:
        found += int(store.value(sql, [word, span.low, span.high, MOST - found]))
        if found >= MOST:
            break
    return found
