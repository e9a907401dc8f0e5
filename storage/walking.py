"""Walking along a dataset in the order of its rows, yielding what a condition finds, a stretch at a time.

Led by an index, a walk reads candidates from one statement and the answer of the condition with each. Without one it
looks at the rows in stretches of blocks and passes over blocks whose extremes (`zones`) cannot hold what is wanted.
Stretches grow, so that the first page comes at once and long walks cost few statements.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from storage import search
from storage.contents import ROLES
from storage.drivers import Driver, holding
from storage.queries import Condition, Query, of_range
from storage.segments import Range
from storage.settling import Pane, overlay
from storage.store import Store

BLOCK_BITS = 10
_FIRST_BLOCKS = 2
_MOST_BLOCKS = 32
_FIRST_CANDIDATES = 100
_MOST_CANDIDATES = 1000
_BY_INDEX = 6
_BY_WORDS = 4
# More rows than that are not looked at: the index is being filled, and searches find less until it is.
_MOST_DUE = 1000


class Walk(NamedTuple):
    """A condition on its way along ranges, which stand in the order of the walk. `through`: an unsettled change."""

    store: Store
    query: Query
    where: Condition
    through: Pane | None
    spans: Sequence[Range]
    driver: Driver | None
    reverse: bool = False

    @property
    def join(self) -> str:
        """The join that brings an unsettled change."""
        return overlay(self.through) if self.through else ""

    @property
    def order(self) -> str:
        """The direction of the walk."""
        return "desc" if self.reverse else "asc"

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """The connection on which the driver's index can be read."""
        words = self.driver is not None and self.driver.name == "words"
        return search.reading(self.store) if words else nullcontext(self.store.db.conn)


class Part(NamedTuple):
    """What a stretch of a walk found: the keys where they are wanted, and how many there are.

    `looked`: what it took, in rows looked at in turn; one by way of an index costs as much as several.
    """

    keys: list[int]
    found: int
    looked: int


class Steps:
    """The parts of a walk, one after the other. Set `counting` when keys are no longer wanted, only their number."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.counting = False

    def __iter__(self) -> Iterator[Part]:
        if self.walk.driver is None:
            for span in self.walk.spans:
                yield from self._scan(span)
            return
        with self.walk.reading() as conn:
            for span in self.walk.spans:
                yield from self._led(conn, self.walk.driver, span)

    def _scan(self, span: Range) -> Iterator[Part]:
        """Look at the rows of a range in turn."""
        walk = self.walk
        found = f"from examples e {walk.join} where e.id between :from and :to and {walk.where.sql}"
        values = of_range(walk.where, span)
        for low, high in _stretches(walk, span):
            within = {**values, "from": low, "to": high}
            if self.counting:
                yield Part([], int(walk.store.value(f"select count(*) {found}", within)), high - low)
            else:
                rows = walk.store.db.conn.execute(f"select e.id {found} order by e.id {walk.order}", within).fetchall()
                yield Part([row[0] for row in rows], len(rows), high - low)

    def _led(self, conn: sqlite3.Connection, driver: Driver, span: Range) -> Iterator[Part]:
        """Ask the condition of what an index leads to."""
        walk = self.walk
        cursor = conn.execute(
            f"select e.id, {walk.where.sql} from {driver.source} {walk.join} "
            f"where {driver.where} and {driver.key} between :from and :to order by {driver.key} {walk.order}",
            {**of_range(walk.where, span), "led": driver.value, "from": span.low, "to": span.high},
        )
        beside = _Due(walk, span) if driver.name == "words" else None
        size = _FIRST_CANDIDATES
        while rows := cursor.fetchmany(size):
            keys = [key for key, fits in rows if fits]
            if beside:
                keys = beside.woven(keys, rows[-1][0])
            elif search.match(walk.query.search):
                keys = holding(walk.store, walk.query.search, keys)
            yield Part(keys, len(keys), len(rows) * (_BY_WORDS if beside else _BY_INDEX))
            size = min(size * 2, _MOST_CANDIDATES)
        if beside and (rest := beside.woven([], None)):
            yield Part(rest, len(rest), len(rest))


class _Due:
    """Rows of a range whose words the index does not hold as they are now: their text is looked at instead."""

    def __init__(self, walk: Walk, span: Range) -> None:
        self.reverse = walk.reverse
        known = walk.store.rows(
            "select example_id as key from search_due where example_id between ? and ? order by example_id limit ?",
            [span.low, span.high, _MOST_DUE],
        )
        self.due = {row["key"] for row in known}
        self.left = self._fitting(walk, span) if self.due else []

    def _fitting(self, walk: Walk, span: Range) -> list[int]:
        """Those of them that the search and the condition find, in the order of the walk."""
        said = holding(walk.store, walk.query.search, sorted(self.due))
        rows = walk.store.db.conn.execute(
            f"select e.id from json_each(:keys) j cross join examples e on e.id = j.value {walk.join} "
            f"where {walk.where.sql} order by e.id {walk.order}",
            {**of_range(walk.where, span), "keys": json.dumps(said)},
        )
        return [row[0] for row in rows]

    def woven(self, keys: list[int], last: int | None) -> list[int]:
        """Keys from the index without these rows, and with those of them that belong before the last candidate."""
        if not self.due:
            return keys
        ahead = [key for key in self.left if last is None or (key >= last if self.reverse else key <= last)]
        self.left = self.left[len(ahead) :]
        return sorted([*ahead, *(key for key in keys if key not in self.due)], reverse=self.reverse)


def _stretches(walk: Walk, span: Range) -> Iterator[tuple[int, int]]:
    """The parts of a range that must be looked at, in the order of the walk, small ones first."""
    size = _FIRST_BLOCKS
    run: list[int] = []
    for block in _blocks(walk, span):
        if run and (abs(block - run[-1]) != 1 or len(run) >= size):
            yield _stretch(run, span)
            run, size = [], min(size * 2, _MOST_BLOCKS)
        run.append(block)
    if run:
        yield _stretch(run, span)


def _stretch(run: Sequence[int], span: Range) -> tuple[int, int]:
    first, last = min(run[0], run[-1]), max(run[0], run[-1])
    return max(span.low, first << BLOCK_BITS), min(span.high, (last << BLOCK_BITS) + (1 << BLOCK_BITS) - 1)


def _blocks(walk: Walk, span: Range) -> Sequence[int]:
    """The blocks of a range that may hold what is wanted, in the order of the walk."""
    first, last = span.low >> BLOCK_BITS, span.high >> BLOCK_BITS
    condition, values = zone_condition(walk.query)
    # An unsettled change may have texts of other lengths than the extremes say.
    if not condition or walk.through:
        return range(last, first - 1, -1) if walk.reverse else range(first, last + 1)
    rows = walk.store.db.conn.execute(
        f"select number from zones where number between ? and ? and {condition} order by number {walk.order}",
        [first, last, *values],
    )
    return [row[0] for row in rows]


def zone_condition(query: Query) -> tuple[str, list[int]]:
    """What the extremes of a block must be for it to hold what is wanted."""
    parts, values = [], []
    for name, limits in (("chars", query.chars), ("turns", query.turns)):
        low, high = limits or (None, None)
        if low is not None:
            parts.append(f"{name}_high >= ?")
            values.append(low)
        if high is not None:
            parts.append(f"{name}_low <= ?")
            values.append(high)
    if query.roles:
        mask = sum({ROLES[role] for role in query.roles})
        parts.append("roles & ? = ?")
        values += [mask, mask]
    return " and ".join(parts), values
