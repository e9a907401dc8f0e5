"""Finding the examples that a query wants: their keys page by page, how many there are, all of them in chunks.

What nearly every page asks for, all rows in order, is answered by places. Everything else is a walk
(storage/walking.py) led by the index that knows the fewest rows (storage/drivers.py), or sorted (storage/sorting.py).
Counting goes on behind the page until 10,000 are found or some 12,000 rows were looked at; then the total is "at
least", and whoever needs the exact number asks `count`. The same question has the same answer, however busy it is.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import NamedTuple

from storage import places, search, segments, sorting, tallies
from storage.drivers import leader
from storage.queries import Query, condition
from storage.segments import Range
from storage.settling import pane
from storage.store import Store
from storage.walking import Steps, Walk

MOST_COUNTED = 10_000
# Rows that are looked at for a count, about a millisecond: as many as there are in a dataset of ten thousand.
_MOST_LOOKED = 12_000
_CHUNK = 1000


class Found(NamedTuple):
    """Keys of a page, how many there are in all (at least, where not `exact`), and where the next page begins."""

    keys: list[int]
    total: int
    exact: bool
    next: str | None


def way(store: Store, dataset_id: str, query: Query) -> Walk:
    """How to walk for a query."""
    query.check()
    through = pane(store, dataset_id)
    spans = _ranges(store, dataset_id, query)
    driver = None if through is None and _every(query) else leader(store, spans, query, through)
    reverse = query.sort == "-number"
    asked = query
    if driver and driver.name == "tag":  # the index has answered that already
        asked = replace(query, tags=[tag for tag in query.tags if tag != driver.value])
    where = condition(asked, through)
    return Walk(store, query, where, through, spans[::-1] if reverse else spans, driver, reverse)


def _ranges(store: Store, dataset_id: str, query: Query) -> list[Range]:
    """Where to look: an import's rows lie in its own segment."""
    spans = segments.ranges(store, dataset_id)
    if not query.source:
        return spans
    number = store.value("select number from batches where id = ?", [query.source])
    return [span for span in spans if span.segment.batch is not None and span.segment.batch == number]


def _every(query: Query) -> bool:
    """Whether all rows that are seen are wanted, so that places answer."""
    return not query.filtered and not search.match(query.search)


def page(store: Store, dataset_id: str, query: Query) -> Found:
    """The keys of a page."""
    walk = way(store, dataset_id, query)
    if query.sort.removeprefix("-") != "number":
        keys, following = sorting.page(walk)
        return Found(keys, *_counted(walk), following)
    if walk.through is None and _every(query):
        return _by_place(walk)
    return _from_key(walk) if query.after else _from_offset(walk)


def _by_place(walk: Walk) -> Found:
    """A page of all rows: an offset is a place."""
    query, spans = walk.query, walk.spans[::-1] if walk.reverse else walk.spans
    total = places.count(walk.store, spans)
    before = query.offset
    if query.after:
        rank = places.rank(walk.store, spans, segments.key_of(query.after), inclusive=not walk.reverse)
        before = total - rank if walk.reverse else rank
    wanted = max(0, min(query.limit, total - before))
    keys = places.keys(walk.store, spans, total - before - wanted if walk.reverse else before, wanted)
    if walk.reverse:
        keys.reverse()
    return Found(keys, total, True, _next(keys, before + len(keys) < total))


def _next(keys: Sequence[int], more: bool) -> str | None:
    return segments.name_of(keys[-1]) if keys and more else None


def _from_offset(walk: Walk) -> Found:
    """A page and the count behind it, in one walk."""
    end = walk.query.offset + walk.query.limit
    known = tallies.total(walk)
    held: list[int] = []
    seen, looked, exact = 0, 0, True
    steps = Steps(walk)
    for part in steps:
        held += part.keys[: max(0, end - seen)]
        seen, looked = seen + part.found, looked + part.looked
        if seen > end:
            if known or _enough(seen, looked):
                exact = False
                break
            steps.counting = True
    keys = held[walk.query.offset :]
    total = known or _total(seen, exact, end)
    return Found(keys, *total, _next(keys, not exact or seen > end))


def _enough(seen: int, looked: int) -> bool:
    return seen > MOST_COUNTED or looked > _MOST_LOOKED


def _total(seen: int, exact: bool, at_least: int = 0) -> tuple[int, bool]:
    return (seen, True) if exact else (max(min(seen, MOST_COUNTED), min(seen, at_least)), False)


def _from_key(walk: Walk) -> Found:
    """A page after a row, and a count from the beginning."""
    rest = walk._replace(spans=_after(walk, segments.key_of(walk.query.after or "")))
    keys = list(islice(_keys(rest), walk.query.limit + 1))
    shown = keys[: walk.query.limit]
    return Found(shown, *_counted(walk), _next(shown, len(keys) > walk.query.limit))


def _keys(walk: Walk) -> Iterator[int]:
    return chain.from_iterable(part.keys for part in Steps(walk))


def _after(walk: Walk, key: int) -> list[Range]:
    """What is left of the ranges after a row."""
    for number, span in enumerate(walk.spans):
        if span.low <= key <= span.high:
            cut = span._replace(high=key - 1) if walk.reverse else span._replace(low=key + 1)
            return [*([cut] if cut.low <= cut.high else []), *walk.spans[number + 1 :]]
    return []


def _counted(walk: Walk) -> tuple[int, bool]:
    """How many a walk finds, and whether that is all."""
    if walk.through is None and _every(walk.query):
        return places.count(walk.store, walk.spans), True
    if known := tallies.total(walk):
        return known
    seen = looked = 0
    steps = Steps(walk)
    steps.counting = True
    for part in steps:
        seen, looked = seen + part.found, looked + part.looked
        if _enough(seen, looked):
            return _total(seen, False)
    return seen, True


def count(store: Store, dataset_id: str, query: Query) -> int:
    """How many examples a query finds, exactly, however long it takes."""
    walk = way(store, dataset_id, query)
    if walk.through is None and _every(query):
        return places.count(store, walk.spans)
    steps = Steps(walk)
    steps.counting = True
    return sum(part.found for part in steps)


def keys(store: Store, dataset_id: str, query: Query) -> Iterator[list[int]]:
    """The keys of all examples that a query finds now, at most a thousand at a time, in the dataset's order.

    They are all found before the first is given, eight bytes each: what the caller writes meanwhile changes nothing.
    """
    found = array("q", _keys(way(store, dataset_id, query)))
    for start in range(0, len(found), _CHUNK):
        yield found[start : start + _CHUNK].tolist()


def count_before(store: Store, dataset_id: str, key: int, query: Query) -> int:
    """How many examples that a query finds stand before this one."""
    walk = way(store, dataset_id, query)
    if walk.through is None and _every(query) and not walk.reverse:
        return places.rank(store, walk.spans, key)
    seen = 0
    for part in Steps(walk):
        if key in part.keys:
            return seen + part.keys.index(key)
        seen += part.found
    return seen
