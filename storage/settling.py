"""Settling: copying a published (or undone) change from `changes` into the rows themselves, a thousand at a time.

Until it is done, readers look through the change as through a pane (`overlay`): one write publishes or undoes a change
of a million rows. Each row remembers the number of the batch that it was changed by last (`change_id`), so every step
can be done twice, in any order, by anybody, and after a kill.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from storage.errors import Conflict
from storage.rows import LIVE
from storage.store import Store

_CHUNK = 1000

_CHANGES = """select c.*, e.change_id, e.tags as tags, e.status as status, e.revision_id
from changes c join examples e on e.id = c.example_id"""
_UPDATE = """update examples set revision_id = :revision, status = :status, tags = :tags, author = :author,
changed_at = :changed_at, change_id = :change where id = :id"""
_UPDATE_FEATURES = """update examples set sha256 = :sha256, prompt_key = :prompt_key, split = :split, turns = :turns,
chars = :chars, roles = :roles where id = :id"""


class Pane(NamedTuple):
    """A change that does not stand in the rows yet. `side`: which of its values count, `before` or `after`."""

    number: int
    side: str


def pane(store: Store, dataset_id: str) -> Pane | None:
    """The unsettled change of a dataset, where there is one: readers must look through it."""
    row = store.one(
        "select number, state from batches where dataset_id = ? and settled = 0 and state in ('published', 'undone', "
        "'dropped') limit 1",
        [dataset_id],
    )
    return Pane(row["number"], "after" if row["state"] == "published" else "before") if row else None


def overlay(through: Pane) -> str:
    """The SQL join that brings the values of an unsettled change, as `c`, to rows that do not hold them yet."""
    todo = "e.change_id is c.before_change" if through.side == "after" else "e.change_id = c.batch"
    return f"left join changes c on c.batch = {through.number} and c.example_id = e.id and {todo}"


def settle(store: Store, dataset_id: str) -> int:
    """Copy the unsettled change of a dataset into its rows; returns how many rows it looked at."""
    looked = 0
    while through := pane(store, dataset_id):
        looked += _settle_batch(store, through.number)
    return looked


def settle_others(store: Store, dataset_id: str, number: int) -> None:
    """Settle what is unsettled, unless it is this batch: at most one batch of a dataset is."""
    through = pane(store, dataset_id)
    if through and through.number != number:
        settle(store, dataset_id)


def settle_small(store: Store, number: int) -> bool:
    """Settle a batch within the running transaction where it is small; whether it was."""
    if not is_small(store, number):
        _refuse_beside_open(store, number)
        return False
    _settle_batch(store, number)
    return True


def is_small(store: Store, number: int) -> bool:
    """Whether a batch changes so few rows that one transaction can settle it."""
    counted = "select count(*) from (select 1 from changes where batch = ? limit ?)"
    return int(store.value(counted, [number, _CHUNK + 1])) <= _CHUNK


def _refuse_beside_open(store: Store, number: int) -> None:
    """A large change must not be flipped under one that is being prepared from what stands there now."""
    if store.value(
        "select 1 from batches o join batches b on b.dataset_id = o.dataset_id "
        "where b.number = ? and o.state = 'open' and o.kind != 'import'",
        [number],
    ):
        raise Conflict("Another change of this dataset is being made; wait until it has ended, then undo.")


def unsettled(store: Store) -> list[str]:
    """The ids of datasets that have something to settle: after a kill, at the next start."""
    rows = store.rows("select distinct dataset_id from batches where settled = 0 and state != 'open'")
    return [row["dataset_id"] for row in rows]


def _settle_batch(store: Store, number: int) -> int:
    """Go through the changes of a batch; begin again where it was flipped meanwhile."""
    looked, after, flips = 0, -1, None
    while True:
        with store.write():
            batch = store.one("select * from batches where number = ?", [number])
            if batch is None or batch["settled"]:
                return looked
            if flips is not None and flips != batch["flips"]:
                after = -1
            flips = batch["flips"]
            rows = _changes(store, number, after)
            apply(store, batch, rows)
            looked += len(rows)
            if len(rows) < _CHUNK:
                store.execute("update batches set settled = 1 where number = ?", [number])
                return looked
            after = rows[-1]["example_id"]


def _changes(store: Store, number: int, after: int) -> list[dict[str, Any]]:
    """The next changes of a batch with the state of their rows."""
    return store.rows(
        f"{_CHANGES} where c.batch = ? and c.example_id > ? order by c.example_id limit ?",
        [number, after, _CHUNK],
    )


def settle_row(store: Store, dataset_id: str, key: int) -> None:
    """Settle one row, so that it can be changed by hand while the rest of a large change is still being copied."""
    through = pane(store, dataset_id)
    if through is None:
        return
    rows = store.rows(
        f"{_CHANGES} where c.batch = ? and c.example_id = ?",
        [through.number, key],
    )
    apply(store, store.rows("select * from batches where number = ?", [through.number])[0], rows)


def apply(store: Store, batch: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Bring rows to what the batch says; those that hold it already, or something newer, stay as they are."""
    forward = batch["state"] == "published"
    if forward:
        due = [row for row in rows if row["change_id"] == row["before_change"]]
    else:
        due = [row for row in rows if row["change_id"] == batch["number"]]
    if not due:
        return
    side = "after" if forward else "before"
    makers = {} if forward else _makers(store, due)
    values = [_values(batch, row, side, makers) for row in due]
    connection = store.db.conn
    connection.executemany(_UPDATE, values)
    _retag(store, [(row["example_id"], _seen(row["tags"], row["status"]),
                    _seen(row[f"{side}_tags"], row[f"{side}_status"])) for row in due])  # fmt: skip
    if texts := [row for row in due if row[f"{side}_features"] and row["revision_id"] != row[f"{side}_revision"]]:
        rewrite(store, [(row["example_id"], row["revision_id"], row[f"{side}_features"]) for row in texts])
    leave_open(store, [row["example_id"] for row in due], batch["number"])


def _makers(store: Store, rows: Sequence[Mapping[str, Any]]) -> dict[int, tuple[str, float]]:
    """Who made the changes that come to light again when a later one is undone, and when."""
    numbers = json.dumps(sorted({row["before_change"] for row in rows if row["before_change"]}))
    found = store.rows(
        "select number, author, created_at from batches where number in (select value from json_each(?))", [numbers]
    )
    return {row["number"]: (row["author"], row["created_at"]) for row in found}


def _values(
    batch: Mapping[str, Any], row: Mapping[str, Any], side: str, makers: Mapping[int, tuple[str, float]]
) -> dict[str, Any]:
    """What stands in a row afterwards, its features aside."""
    if side == "after":
        change, author, changed_at = batch["number"], batch["author"], batch["created_at"]
    else:
        change = row["before_change"]
        author, changed_at = makers.get(change, (None, None))
    return {"id": row["example_id"], "revision": row[f"{side}_revision"], "status": row[f"{side}_status"],
            "tags": row[f"{side}_tags"], "author": author, "changed_at": changed_at, "change": change}  # fmt: skip


def _seen(tags: str, status: str) -> str:
    """The tags under which a row is found: none for what is out of sight, so that the index can be counted."""
    return tags if status in LIVE else "[]"


def _retag(store: Store, rows: Sequence[tuple[int, str, str]]) -> None:
    """Keep the index of tags in step: (example, tags as JSON now, tags as JSON then)."""
    gone, come = [], []
    for key, now, then in rows:
        if now != then:
            before, after = set(json.loads(now)), set(json.loads(then))
            gone += [(tag, key) for tag in before - after]
            come += [(tag, key) for tag in after - before]
    store.db.conn.executemany("delete from tagged where tag = ? and example_id = ?", gone)
    store.db.conn.executemany("insert or ignore into tagged (tag, example_id) values (?, ?)", come)


def rewrite(store: Store, rows: Sequence[tuple[int, int | None, str]]) -> None:
    """Give rows the features of another text, and note that search must read it: (example, old revision, features)."""
    connection = store.db.conn
    parsed = [(key, json.loads(features)) for key, _, features in rows]
    names = ("sha256", "prompt_key", "split", "turns", "chars", "roles")
    connection.executemany(
        _UPDATE_FEATURES,
        [{"id": key, **dict(zip(names, [bytes.fromhex(held[0]), *held[1:]], strict=True))} for key, held in parsed],
    )
    connection.executemany(
        "update zones set chars_low = min(chars_low, ?1), chars_high = max(chars_high, ?1), "
        "turns_low = min(turns_low, ?2), turns_high = max(turns_high, ?2), roles = roles | ?3 where number = ?4",
        [(held[4], held[3], held[5], key >> 10) for key, held in parsed],
    )
    connection.executemany(
        "insert or ignore into search_due (example_id, indexed_revision) values (?, ?)",
        [(key, revision) for key, revision, _ in rows],
    )


def leave_open(store: Store, keys: Sequence[int], but: int) -> None:
    """Take rows that changed now out of changes that are still being prepared: the person at the row wins."""
    opened = "select number from batches where state = 'open' and kind != 'import' and number != ?"
    for row in store.rows(opened, [but]):
        lost = store.rows(
            "delete from changes where batch = ? and example_id in (select value from json_each(?)) "
            "returning before_revision, after_revision",
            [row["number"], json.dumps(list(keys))],
        )
        texts = [(item["after_revision"],) for item in lost if item["after_revision"] != item["before_revision"]]
        store.db.conn.executemany("delete from revisions where id = ?", texts)
