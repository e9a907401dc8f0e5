"""Batches: changes to a dataset, each seen whole or not at all, undone and redone in order.

An import fills a segment of its own. A change of rows that exist is listed in `changes` (storage/changes.py).
"""

import json
from typing import Any

from storage import indexing, segments, settling
from storage.clock import new_id, now
from storage.rows import Batch
from storage.store import Store


def open_batch(store: Store, dataset_id: str, kind: str, author: str, detail: dict[str, Any] | None = None) -> Batch:
    """Begin a change that nobody sees until `publish`."""
    row = {"id": new_id(), "dataset_id": dataset_id, "kind": kind, "state": "open", "author": author,
           "detail": json.dumps(detail or {}, ensure_ascii=False), "created_at": now()}  # fmt: skip
    made = store.rows(
        "insert into batches (id, dataset_id, kind, state, author, detail, created_at) "
        "values (:id, :dataset_id, :kind, :state, :author, :detail, :created_at) returning *",
        row,
    )
    return Batch.from_row(made[0])


def get_batch(store: Store, batch_id: str) -> Batch | None:
    """A batch by id, as it is now."""
    row = store.one("select * from batches where id = ?", [batch_id])
    return Batch.from_row(row) if row else None


def publish(store: Store, batch: Batch, detail: dict[str, Any] | None = None, settled: bool = True) -> None:
    """Let a batch be seen, in one short commit; what had been undone before can no longer be redone.

    `settled`: whether its changes stand in the rows already; False leaves that to `settling.settle`.
    """
    with store.write():
        store.execute(
            "update batches set state = 'dropped' where dataset_id = ? and state = 'undone'", [batch.dataset_id]
        )
        text = json.dumps(batch.detail if detail is None else detail, ensure_ascii=False)
        store.execute(
            "update batches set state = 'published', detail = ?, settled = ?, "
            "step = (select coalesce(max(step), 0) + 1 from batches where dataset_id = ?) where number = ?",
            [text, int(settled), batch.dataset_id, batch.number],
        )
        segments.show(store, batch.number)


def drop(store: Store, batch: Batch) -> None:
    """Give up a batch that was not published, and remove what it wrote."""
    give_up(store, batch)
    clear(store)


def give_up(store: Store, batch: Batch) -> None:
    """Give up a batch that was not published; `clear` removes what it wrote."""
    with store.write():
        _drop(store, batch.number)


def _drop(store: Store, number: int) -> int:
    """Mark an open batch as given up; settled = 2: what it wrote is to be removed (`changes.clear`)."""
    dropped = store.execute(
        "update batches set state = 'dropped', settled = 2 where number = ? and state = 'open'", [number]
    )
    segments.discard(store, number)
    return dropped


def sweep(store: Store, numbers: list[int] | None = None) -> int:
    """Give up batches that a crash left open (all, or those named); returns how many. `clear` removes their rows."""
    with store.write():
        found = [row["number"] for row in store.rows("select number from batches where state = 'open'")]
        return sum(_drop(store, number) for number in found if numbers is None or number in numbers)


def clear(store: Store) -> int:
    """Remove what imports that were given up wrote, their words first; returns how many rows went."""
    indexing.forget_dropped(store)
    return segments.clear(store)


def open_batches(store: Store) -> list[Batch]:
    """Batches being written, of all datasets."""
    return [Batch.from_row(row) for row in store.rows("select * from batches where state = 'open' order by number")]


def undo(store: Store, dataset_id: str) -> Batch | None:
    """Take back the newest published change; returns it, or None where there is none."""
    return _flip(store, dataset_id, "published", "undone", "desc")


def redo(store: Store, dataset_id: str) -> Batch | None:
    """Bring again what was undone last; returns it, or None."""
    return _flip(store, dataset_id, "undone", "published", "asc")


def _flip(store: Store, dataset_id: str, before: str, after: str, order: str) -> Batch | None:
    """Change the state of one batch; a small one is copied into the rows at once, a large one by `settle`."""
    wanted = f"select * from batches where dataset_id = ? and state = '{before}' order by step {order} limit 1"
    row = store.one(wanted, [dataset_id])
    if row is None:
        return None
    if not settling.is_small(store, row["number"]):
        settling.settle_others(store, dataset_id, row["number"])
    with store.write():
        row = store.one(wanted, [dataset_id])
        if row is None:
            return None
        flipped = store.rows(
            "update batches set state = ?, settled = 0, flips = flips + 1 where number = ? returning *",
            [after, row["number"]],
        )[0]
        if after == "published":
            segments.show(store, row["number"])
        else:
            segments.hide(store, row["number"])
        settling.settle_small(store, row["number"])
    return Batch.from_row(flipped)


def list_batches(store: Store, dataset_id: str, limit: int = 50) -> list[Batch]:
    """Changes to a dataset, newest first: what undo and redo walk along."""
    rows = store.rows(
        "select * from batches where dataset_id = ? and state in ('published', 'undone') order by step desc limit ?",
        [dataset_id, limit],
    )
    return [Batch.from_row(row) for row in rows]
