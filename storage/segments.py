"""Segments: runs of examples that appear and vanish together, each with its own range of ids.

An example's id is `segment << 32 | place`, so the rows of an import lie side by side, a hidden import costs nothing
to those who read, and publishing or undoing one is a write to one row. What people add by hand goes to a segment at
the end that grows. People see `first + place` as the example's number.
"""

import json
from time import sleep
from typing import Any, NamedTuple

from storage.clock import now
from storage.errors import NotFound
from storage.rows import Segment
from storage.store import Store

SHIFT = 32
_CHUNK = 1000
# Between two transactions of a long row of them the lock is free for so many seconds: voters wait for no more than one.
_PAUSE = 0.01


class Range(NamedTuple):
    """The ids of a visible segment, both ends included; `offset` is what makes an id the number that people see."""

    segment: Segment
    low: int
    high: int
    offset: int


def name_of(key: int) -> str:
    """An example's id outside of the store: "2-15"."""
    return f"{key >> SHIFT}-{key & 0xFFFFFFFF}"


def key_of(name: str) -> int:
    """The key of an example's id; raises NotFound for what is none."""
    segment, dash, place = name.partition("-")
    if not (dash and segment.isdecimal() and place.isdecimal() and len(name) <= 20):
        raise NotFound(f'There is no example "{name}".')
    return int(segment) << SHIFT | int(place)


def open_segment(store: Store, dataset_id: str, batch: int | None, author: str, state: str = "open") -> Segment:
    """Begin a segment after all others of its dataset; `batch`: the import that it belongs to."""
    row: dict[str, Any] = {"dataset_id": dataset_id, "batch": batch, "state": state, "author": author,
           "first": next_number(store, dataset_id), "places": 0, "created_at": now()}  # fmt: skip
    number = store.value(
        "insert into segments (dataset_id, batch, state, author, first, places, created_at) "
        "values (:dataset_id, :batch, :state, :author, :first, :places, :created_at) returning number",
        row,
    )
    return Segment(number=int(number), **row)


def of_batch(store: Store, batch: int) -> Segment | None:
    """The segment that a batch fills."""
    row = store.one("select * from segments where batch = ?", [batch])
    return Segment.from_row(row) if row else None


def by_hand(store: Store, dataset_id: str, author: str) -> Segment:
    """The growing segment at the end of a dataset; call it inside the transaction that adds to it."""
    row = store.one(
        "select * from segments where dataset_id = ? and state in ('visible', 'hidden') "
        "order by first desc, number desc limit 1",
        [dataset_id],
    )
    if row and row["batch"] is None:
        return Segment.from_row(row)
    return open_segment(store, dataset_id, None, author, "visible")


def next_number(store: Store, dataset_id: str) -> int:
    """How many numbers of a dataset are given: those of hidden segments too, which redo may bring back."""
    return int(
        store.value(
            "select coalesce(max(first + places), 0) from segments where dataset_id = ? "
            "and state in ('visible', 'hidden')",
            [dataset_id],
        )
    )


def show(store: Store, batch: int) -> None:
    """Let an import's segment be seen; one that was never seen gets its numbers now. Part of a transaction."""
    segment = of_batch(store, batch)
    if segment is None:
        return
    first = next_number(store, segment.dataset_id) if segment.state == "open" else segment.first
    store.execute("update segments set state = 'visible', first = ? where number = ?", [first, segment.number])


def hide(store: Store, batch: int) -> None:
    """Hide an import's segment."""
    store.execute("update segments set state = 'hidden' where batch = ?", [batch])


def ranges(store: Store, dataset_id: str) -> list[Range]:
    """The visible ranges of a dataset in order."""
    rows = store.rows(
        "select * from segments where dataset_id = ? and state = 'visible' and places > 0 order by first, number",
        [dataset_id],
    )
    return [_range(Segment.from_row(row)) for row in rows]


def _range(segment: Segment) -> Range:
    base = segment.number << SHIFT
    return Range(segment, base + 1, base + segment.places, segment.first - base)


def range_of(store: Store, key: int) -> Range | None:
    """The range that an example lies in, visible or not."""
    row = store.one("select * from segments where number = ?", [key >> SHIFT])
    return _range(Segment.from_row(row)) if row else None


def get_dataset_id(store: Store, key: int) -> str | None:
    """The dataset that an example belongs to."""
    found = store.value("select dataset_id from segments where number = ?", [key >> SHIFT])
    return str(found) if found else None


def discard(store: Store, batch: int) -> None:
    """Mark the segment of a batch that will never be seen; `clear` removes its rows."""
    store.execute("update segments set state = 'dropped' where batch = ? and state = 'open'", [batch])


def clear(store: Store) -> int:
    """Remove the rows of dropped segments in short transactions; returns how many rows went."""
    gone = 0
    for row in store.rows("select number from segments where state = 'dropped'"):
        base = row["number"] << SHIFT
        while part := _clear_part(store, base, base + 0xFFFFFFFF):
            gone += part
            sleep(_PAUSE)
        store.execute("delete from segments where number = ? and state = 'dropped'", [row["number"]])
    return gone


def _clear_part(store: Store, low: int, high: int) -> int:
    """Remove the first thousand rows between two ids with all that hangs on them."""
    with store.write():
        found = store.rows(
            "select id, revision_id from examples where id between ? and ? order by id limit ?", [low, high, _CHUNK]
        )
        if not found:
            return 0
        last = found[-1]["id"]
        revisions = json.dumps([row["revision_id"] for row in found if row["revision_id"]])
        store.execute("delete from tagged where example_id between ? and ?", [low, last])
        store.execute("delete from search_due where example_id between ? and ?", [low, last])
        store.execute("delete from zones where number between ? >> 10 and ? >> 10", [low, last])
        store.execute("delete from examples where id between ? and ?", [low, last])
        store.execute("delete from revisions where id in (select value from json_each(?))", [revisions])
    return len(found)
