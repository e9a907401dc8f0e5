"""Pages sorted by length, turns or last change.

By length and turns, blocks are looked at from the one with the most extreme value on, and no further than another could
still hold a row for this page. What an index leads to is sorted as a whole.
"""

import heapq
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from storage import search
from storage.drivers import Driver
from storage.errors import BadInput
from storage.queries import changed_at, of_range
from storage.segments import Range, key_of, name_of
from storage.walking import BLOCK_BITS, Steps, Walk, zone_condition

_BLOCK = 1 << BLOCK_BITS

Item = tuple[float, int]
"""A row in the order of a page: its value and its key, both negative where the largest comes first."""


def page(walk: Walk) -> tuple[list[int], str | None]:
    """The keys of a sorted page, and where the next begins."""
    query = walk.query
    after = _cursor(query.after, _sign(walk))
    skipped = 0 if after else query.offset
    end = skipped + query.limit
    found = _items(walk, end + 1, after)
    shown = found[skipped:end]
    following = _name(shown[-1], _sign(walk)) if shown and len(found) > end else None
    return [abs(item[1]) for item in shown], following


def _sign(walk: Walk) -> int:
    return -1 if walk.query.sort.startswith("-") else 1


def _cursor(after: str | None, sign: int) -> Item | None:
    """The last row of the page before; raises BadInput for what no page gave."""
    if not after:
        return None
    value, _, name = after.partition("~")
    try:
        return sign * float(value), sign * key_of(name)
    except ValueError as error:
        raise BadInput(f'"{after}" is no place in a sorted list; begin with the first page.') from error


def _name(item: Item, sign: int) -> str:
    return f"{sign * item[0]!r}~{name_of(abs(item[1]))}"


def _items(walk: Walk, count: int, after: Item | None) -> list[Item]:
    """The first rows in the order of the page that stand after one."""
    column = walk.query.sort.removeprefix("-")
    by_words = walk.driver is not None and walk.driver.name == "words"
    due = by_words and walk.store.value("select 1 from search_due limit 1")
    if due or (walk.driver and not by_words and search.match(walk.query.search)):
        # What the index of words cannot say alone, the walk does.
        few = (part.keys for part in Steps(walk))
        return heapq.nsmallest(count, (item for item in _valued(walk, few) if after is None or item > after))
    if walk.driver or walk.through:
        return _led(walk, column, count, after)
    if column == "changed":
        changed = heapq.merge(*(each for span in walk.spans for each in _by_change(walk, span)))
        return list(islice((item for item in changed if after is None or item > after), count))
    return _by_blocks(walk, column, count, after)


def _led(walk: Walk, column: str, count: int, after: Item | None) -> list[Item]:
    """All that an index leads to, sorted by SQLite; without an index, all rows, through an unsettled change."""
    sign = _sign(walk)
    order, beyond = ("desc", "<") if sign < 0 else ("asc", ">")
    value = changed_at(walk.through) if column == "changed" else f"e.{column}"
    led = walk.driver or Driver("rows", "", "examples e", "e.id", "true", 0)
    sql = (
        f"select {value}, e.id from {led.source} {walk.join} where {led.where} and {led.key} between :from and :to "
        f"and {walk.where.sql} and (:after is null or ({value}, e.id) {beyond} (:value, :after)) "
        f"order by {value} {order}, e.id {order} limit :count"
    )
    begun = _begun(count, after, sign)
    found: list[Item] = []
    with walk.reading() as conn:
        for span in walk.spans:
            values = {**of_range(walk.where, span), "led": led.value, "from": span.low, "to": span.high} | begun
            found += [(sign * held, sign * key) for held, key in conn.execute(sql, values)]
    return heapq.nsmallest(count, found)


def _begun(count: int, after: Item | None, sign: int) -> dict[str, Any]:
    """How many rows are wanted, and after which."""
    if after is None:
        return {"count": count, "value": 0, "after": None}
    return {"count": count, "value": sign * after[0], "after": sign * after[1]}


def _valued(walk: Walk, every: Iterable[list[int]]) -> Iterator[Item]:
    """A handful of rows with what they are sorted by."""
    column = walk.query.sort.removeprefix("-")
    value = "coalesce(e.changed_at, s.created_at)" if column == "changed" else f"e.{column}"
    sign = _sign(walk)
    for part in every:
        rows = walk.store.db.conn.execute(
            f"select {value}, e.id from json_each(?) j cross join examples e on e.id = j.value "
            "join segments s on s.number = e.id >> 32",
            [json.dumps(part)],
        )
        for held, key in rows:
            yield sign * held, sign * key


def _by_change(walk: Walk, span: Range) -> Iterator[Iterator[Item]]:
    """Rows of a range that were changed, by their index; and those that are as they came, at the time when they did."""
    sign = _sign(walk)
    order = "desc" if sign < 0 else "asc"
    changed = walk.store.db.conn.execute(
        "select changed_at, id from examples e indexed by examples_changed where changed_at is not null "
        f"and id between :low and :high and {walk.where.sql} order by changed_at {order}, id {order}",
        {**of_range(walk.where, span), "low": span.low, "high": span.high},
    )
    yield ((sign * at, sign * key) for at, key in changed)
    untouched = walk.where._replace(sql=f"{walk.where.sql} and e.changed_at is null")
    at = sign * span.segment.created_at
    as_they_came = Steps(walk._replace(where=untouched, reverse=sign < 0, spans=[span]))
    yield ((at, sign * key) for part in as_they_came for key in part.keys)


def _by_blocks(walk: Walk, column: str, count: int, after: Item | None) -> list[Item]:
    """The first rows by a value whose extremes are known of each block."""
    sign = _sign(walk)
    order, beyond = ("desc", "<") if sign < 0 else ("asc", ">")
    best: list[Item] = []
    sql = (
        f"select {column}, id from examples e where id between :from and :to and {walk.where.sql} "
        f"and {column} {'>=' if sign < 0 else '<='} :worst "
        f"and (:after is null or ({column}, id) {beyond} (:value, :after)) "
        f"order by {column} {order}, id {order} limit :count"
    )
    for bound, span, block in _blocks(walk, column):
        if len(best) == count and bound > best[-1]:
            break
        low, high = max(span.low, block << BLOCK_BITS), min(span.high, (block << BLOCK_BITS) + _BLOCK - 1)
        worst = sign * best[-1][0] if len(best) == count else sign * (1 << 53)
        values = {**of_range(walk.where, span), "from": low, "to": high, "worst": worst, **_begun(count, after, sign)}
        rows = walk.store.db.conn.execute(sql, values)
        best = heapq.nsmallest(count, [*best, *((sign * value, sign * key) for value, key in rows)])
    return best


def _blocks(walk: Walk, column: str) -> list[tuple[Item, Range, int]]:
    """The blocks that may hold what is wanted, with the first item that each could hold, in that order."""
    sign = _sign(walk)
    extreme = f"{column}_high" if sign < 0 else f"{column}_low"
    condition, values = zone_condition(walk.query)
    found: list[tuple[Item, Range, int]] = []
    for span in walk.spans:
        given: list[Any] = [span.low >> BLOCK_BITS, span.high >> BLOCK_BITS, *values]
        rows = walk.store.db.conn.execute(
            f"select {extreme}, number from zones where number between ? and ? and {condition or 'true'}", given
        )
        edge = _BLOCK - 1 if sign < 0 else 0
        found += [((sign * value, sign * ((block << BLOCK_BITS) + edge)), span, block) for value, block in rows]
    return sorted(found, key=lambda one: one[0])
