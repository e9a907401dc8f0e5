"""Changes of examples that exist: by hand one at a time, in bulk by the thousand, each a batch that can be undone.

A small change is one transaction. A large one writes rows of `changes` in chunks under an open batch, is published by
a write to one row, and then settles (storage/settling.py). Whoever edits a row meanwhile wins: the bulk leaves it out.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import getpid
from typing import Any

from storage import batches, examples, indexing, search, segments, settling
from storage.contents import Prepared, prepared
from storage.errors import Conflict, Stopped
from storage.processes import identify
from storage.queries import Query
from storage.rows import Batch, Dataset, Example
from storage.segments import key_of
from storage.store import Store

_CHUNK = 1000

Progress = Callable[[float, str], bool | None]
"""Called with the fraction done and a sentence; answers True where somebody asked to stop."""

_INSERT = """insert into changes (batch, example_id, before_revision, after_revision, before_status, after_status,
before_tags, after_tags, before_features, after_features, before_change, reason)
select :batch, id, revision_id, coalesce(:revision, revision_id), status, coalesce(:status, status), tags,
coalesce(:tags, tags), :before_features, :after_features, change_id, :reason
from examples where id = :id and revision_id = :seen_revision and coalesce(change_id, 0) = :seen_change"""


@dataclass(frozen=True)
class Change:
    """What is to become of an example; None leaves as it is. `reason`: why it is rejected."""

    content: dict[str, Any] | None = None
    tags: Sequence[str] | None = None
    status: str | None = None
    reason: str | None = None


Make = Callable[[Example], Change | None]


def add(store: Store, dataset: Dataset, row: Prepared, author: str, what: str = "") -> str:
    """Write one example by hand at the end of a dataset, in one transaction; returns its id. `what` was done."""
    name = add_within(store, dataset, row, author, what)
    search.catch_up(store)
    return name


def add_within(
    store: Store, dataset: Dataset, row: Prepared, author: str, what: str = "", reason: str | None = None
) -> str:
    """The same within a running transaction, which waits for no index: the caller calls `search.catch_up` after it.

    `reason`: of a row that comes in as rejected.
    """
    with store.write():
        batch = batches.open_batch(store, dataset.id, "add", author)
        key = examples.add_by_hand(store, batch, row)
        if reason is not None:
            store.execute(
                "update changes set reason = ? where batch = ? and example_id = ?", [reason, batch.number, key]
            )
        name = segments.name_of(key)
        batches.publish(store, batch, {"label": what or f"added example {_number(store, key)}", "examples": [name]})
    return name


def edit(
    store: Store, example: Example, change: Change, *, label: str, author: str, kind: str = "edit",
    expected_revision: int | None = None, expected_change: int | None = None,
) -> bool:  # fmt: skip
    """Change one example in one transaction; False where nothing differs.

    Raises Conflict where the text (`expected_revision`), or anything of it (`expected_change`), is no longer what
    the person saw.
    """
    with store.write():
        settling.settle_row(store, example.dataset_id, example.key)
        current = examples.get_example(store, example.id)
        _expect(current, expected_revision, expected_change)
        made = _changed(current, change)
        if made is None:
            return False
        batch = batches.open_batch(store, example.dataset_id, kind, author)
        _write(store, batch, [(current, made)])
        batches.publish(store, batch, {"label": label, "examples": [example.id]}, settled=False)
        settling.settle_small(store, batch.number)
    search.catch_up(store)
    return True


def _expect(current: Example, revision: int | None, change: int | None) -> None:
    """Raise Conflict where the person saw something else."""
    if (revision is not None and current.revision_id != revision) or (change is not None and current.change != change):
        raise Conflict(
            f"This example was changed by {current.author} since you opened it; look at the newer text first."
        )


def change(
    store: Store,
    dataset: Dataset,
    wanted: Query | Sequence[str],
    make: Make,
    *,
    kind: str,
    label: str,
    author: str,
    progress: Progress | None = None,
    also: Callable[[Batch], int] | None = None,
) -> Batch | None:
    """Change all examples that a query finds, or those named, as one batch; None where nothing differs.

    `label` may hold `{count}`. Raises Stopped where `progress` answers True, Conflict while another bulk change of the
    dataset is being made. `batch.detail` says `rows`, and `left_out`: rows that somebody changed meanwhile. `also`
    writes what else belongs to the batch, by the thousand, and says how many rows that were.
    """
    settling.settle(store, dataset.id)
    batch = _begin(store, dataset, kind, author)
    try:
        total = _estimate(store, dataset, wanted)
        looked = written = 0
        for keys in _chunks(store, dataset, wanted):
            written += _change_chunk(store, batch, keys, make)
            looked += len(keys)
            if progress and progress(min(looked / max(total, 1), 0.99), f"{looked:,} rows looked at"):
                raise Stopped("The change was stopped; nothing was changed.")
        added = also(batch) if also else 0
        return _finish(store, dataset, batch, written, added, label)
    except BaseException:
        give_up(store, batch)
        raise


def _begin(store: Store, dataset: Dataset, kind: str, author: str) -> Batch:
    """Open the one bulk change that a dataset may have at a time."""
    me = identify(getpid())
    with store.write():
        if store.value(
            "select 1 from batches where dataset_id = ? and state = 'open' and kind != 'import'", [dataset.id]
        ):
            raise Conflict(f'Another change of dataset "{dataset.name}" is being made; wait until it has ended.')
        detail = {"pid": getpid(), "pid_started": me.started if me else None}
        return batches.open_batch(store, dataset.id, kind, author, detail)


def _estimate(store: Store, dataset: Dataset, wanted: Query | Sequence[str]) -> int:
    return examples.page(store, dataset.id, wanted).total if isinstance(wanted, Query) else len(wanted)


def _chunks(store: Store, dataset: Dataset, wanted: Query | Sequence[str]) -> Iterator[Sequence[int]]:
    """The keys of what is wanted, by the thousand."""
    if isinstance(wanted, Query):
        yield from examples.ids(store, dataset.id, wanted)
        return
    keys = list(dict.fromkeys(key_of(name) for name in wanted))
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _change_chunk(store: Store, batch: Batch, keys: Sequence[int], make: Make) -> int:
    """Make the changes of a chunk outside of the lock, write those whose rows are as they were; returns how many."""
    made = []
    for example in examples.read_keys(store, keys):
        if example.dataset_id != batch.dataset_id or example.status in ("absent", "erased"):
            continue
        wish = make(example)
        different = _changed(example, wish) if wish else None
        if different:
            made.append((example, different))
    if not made:
        return 0
    with store.write():
        _write(store, batch, made)
    return len(made)


def _changed(example: Example, change: Change) -> Change | None:
    """A change without what stands there already; None where nothing is left of it."""
    content = change.content if change.content is not None and change.content != example.content else None
    tags = list(change.tags) if change.tags is not None and list(change.tags) != example.tags else None
    status = change.status if change.status is not None and change.status != example.status else None
    reason = change.reason if (status or example.status) == "rejected" else None
    if content is None and tags is None and status is None and reason in (None, example.reason):
        return None
    return Change(content, tags, status, reason or example.reason)


def _write(store: Store, batch: Batch, made: Iterable[tuple[Example, Change]]) -> None:
    """Write the new texts and the rows of `changes`, where the examples are as they were seen."""
    connection = store.db.conn
    revision = int(store.value("select coalesce(max(id), 0) from revisions"))
    texts, rows = [], []
    for example, wish in made:
        row: dict[str, Any] = {
            "batch": batch.number, "id": example.key, "revision": None, "status": wish.status, "reason": wish.reason,
            "tags": None if wish.tags is None else json.dumps(list(wish.tags)), "before_features": None,
            "after_features": None, "seen_revision": example.revision_id, "seen_change": example.change,
        }  # fmt: skip
        if wish.content is not None:
            revision += 1
            new = prepared(wish.content)
            row |= {"revision": revision, "after_features": _features(new)}
            row["before_features"] = _features(prepared(example.content))
            texts.append((revision, example.key, new.content, batch.author, batch.created_at))
        rows.append(row)
    connection.executemany(
        "insert into revisions (id, example_id, content, author, created_at) values (?, ?, ?, ?, ?)", texts
    )
    if connection.executemany(_INSERT, rows).rowcount < len(rows):  # somebody was quicker: their texts go again
        connection.executemany(
            "delete from revisions where id = ?1 and not exists (select 1 from changes where batch = ?2 "
            "and example_id = ?3 and after_revision = ?1)",
            [(text[0], batch.number, text[1]) for text in texts],
        )


def _features(row: Prepared) -> str:
    sha256, *others = row.features
    return json.dumps([sha256.hex(), *others])


def _finish(store: Store, dataset: Dataset, batch: Batch, written: int, added: int, label: str) -> Batch | None:
    """Publish a bulk change in one commit of one row, then settle it."""
    with store.write():
        rows = int(store.value("select count(*) from changes where batch = ?", [batch.number]))
        first = store.rows("select example_id from changes where batch = ? limit 100", [batch.number])
        detail = {"label": label.format(count=f"{rows + added:,}"), "rows": rows + added, "left_out": written - rows,
                  "examples": [segments.name_of(row["example_id"]) for row in first]}  # fmt: skip
        if rows + added:
            batches.publish(store, batch, detail, settled=False)
            settling.settle_small(store, batch.number)
    if not rows + added:
        give_up(store, batch)
        return None
    settling.settle(store, dataset.id)
    search.catch_up(store, limit=None)
    if added:
        indexing.fill(store)
    return batches.get_batch(store, batch.id)


def give_up(store: Store, batch: Batch) -> None:
    """Drop a bulk change that was not published, and remove what it wrote, by the thousand."""
    batches.drop(store, batch)
    clear(store)


def clear(store: Store) -> int:
    """Remove what changes wrote that were never published; returns how many rows."""
    gone = 0
    for row in store.rows("select number from batches where settled = 2"):
        gone += _clear_batch(store, row["number"])
    return gone


def _clear_batch(store: Store, number: int) -> int:
    """Remove the changes of one batch and the texts that they brought."""
    gone = 0
    while True:
        with store.write():
            part = store.rows(
                "select example_id, before_revision, after_revision from changes where batch = ? limit ?",
                [number, _CHUNK],
            )
            if not part:
                store.execute("update batches set settled = 1 where number = ?", [number])
                return gone
            texts = [row["after_revision"] for row in part if row["after_revision"] != row["before_revision"]]
            store.db.conn.executemany(
                "delete from changes where batch = ? and example_id = ?",
                [(number, row["example_id"]) for row in part],
            )
            store.db.conn.executemany("delete from revisions where id = ?", [(text,) for text in texts])
            gone += len(part)


def _number(store: Store, key: int) -> int:
    span = segments.range_of(store, key)
    return key + span.offset if span else 0
