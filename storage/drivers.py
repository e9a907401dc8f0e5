"""Where a walk gets its candidates from: an index that knows few rows, or every row in turn.

Each driver is the piece of a statement that yields rows in the order of their keys by an index of its own: words, tags,
statuses, findings. The index with the fewest rows leads; where none knows few, every row is looked at.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

from storage import search, search_file
from storage.queries import Query
from storage.rows import LIVE
from storage.segments import Range
from storage.settling import Pane
from storage.store import Store

FEW = 2000
# So few that words are asked of each of them, which takes some 50 µs a row.
_HANDFUL = 200
# A row by way of an index costs about as much as so many rows looked at in turn.
_WORTH = 12
_MOST_SIZED = 16_000


class Driver(NamedTuple):
    """An index that leads a walk: what is read (with the row as `e`), the key that orders it, and its condition.

    `base` is what is read without the row, for counting. `few`: whether all that it knows is a handful.
    """

    name: str
    base: str
    source: str
    key: str
    where: str
    value: str | float
    few: bool = False

    def size(self, store: Store, spans: Sequence[Range], most: int) -> int:
        """How many rows the index knows, at most `most`; not for words."""
        found = 0
        known = f"select 1 from {self.base} where {self.where} and {self.key} between :low and :high limit :most"
        for span in spans:
            values = {"led": self.value, "low": span.low, "high": span.high, "most": most - found}
            found += int(store.value(f"select count(*) from ({known})", values))
            if found >= most:
                break
        return found

    def alone(self, query: Query) -> bool:
        """Whether nothing else is asked of a row: then the index is the page, however much it knows."""
        others = replace(query, tags=()) if self.name == "tag" else replace(query, status=())
        asked = self.name == "tag" or self.name == "status"
        return asked and len(query.tags) < 2 and not others.filtered and not search.match(query.search)


def leader(store: Store, spans: Sequence[Range], query: Query, through: Pane | None) -> Driver | None:
    """The driver that a walk should follow; None where looking at every row in turn is quicker."""
    rows = sum(span.segment.places for span in spans)
    worth = max(FEW, min(rows // _WORTH, _MOST_SIZED))
    known = list(_indexes(query, spans, through))
    if len(known) == 1 and known[0].alone(query):
        return known[0]
    found, fewest = 0, None
    # What is rare is found by counting a little of each; only where nothing is, more is counted.
    for most in sorted({FEW + 1, worth}):
        sizes = [(one.size(store, spans, most), one) for one in known]
        found, fewest = min(sizes, key=lambda one: one[0], default=(0, None))
        if found < most:
            break
    words = search.match(query.search)
    if fewest and found <= (_HANDFUL if words else FEW):
        return fewest._replace(few=True)
    if words:  # they cannot be asked of many rows, so they lead
        return Driver("words", "words g", _joined("words", "rowid"), "g.rowid", "g.words match :led", words)
    return fewest if fewest and found < worth else None


def _joined(table: str, key: str) -> str:
    return f"{table} g cross join examples e on e.id = g.{key}"


def _indexes(query: Query, spans: Sequence[Range], through: Pane | None) -> Iterator[Driver]:
    """The indexes that know a part of a query. Tags and statuses do not while a change does not stand in the rows."""
    if query.finding:
        where = "g.check_name = :led"
        yield Driver("finding", "findings g", _joined("findings", "example_id"), "g.example_id", where, query.finding)
    if through is not None:
        return
    for tag in query.tags if set(query.status) <= set(LIVE) else ():
        yield Driver("tag", "tagged g", _joined("tagged", "example_id"), "g.example_id", "g.tag = :led", tag)
    if len(query.status) == 1 and query.status[0] != "draft":
        table = "examples e indexed by examples_by_status"
        yield Driver("status", table, table, "e.id", "e.status = :led", query.status[0])
    # Rows as they came have the author and the time of their segment; where those do not fit, changed rows are left.
    if query.author and all(span.segment.author != query.author for span in spans):
        table = "examples e indexed by examples_by_author"
        yield Driver("author", table, table, "e.id", "e.author = :led", query.author)
    since = query.since
    if since is not None and all(span.segment.created_at < since for span in spans):
        table = "examples e indexed by examples_changed"
        yield Driver("changed", table, table, "e.id", "e.changed_at >= :led", since)


def holding(store: Store, text: str, keys: Sequence[int]) -> list[int]:
    """Those of a handful of keys whose words fit a search, in the order given.

    An index of these rows alone, in memory: asking the large one costs what its commonest word costs, for every row.
    """
    rows = store.db.conn.execute(
        "select e.id, r.content from examples e join revisions r on r.id = e.revision_id "
        "where e.id in (select value from json_each(?))",
        [json.dumps(list(keys))],
    )
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        conn.executescript(search_file.SCHEMA)
        conn.executemany(search.INSERT, ((key, search.words_in(content)) for key, content in rows))
        fitting = {row[0] for row in conn.execute("select rowid from words where words match ?", [search.match(text)])}
    return [key for key in keys if key in fitting]
