"""Versions brought back: a dataset as it was, in one step that can be undone, or a new dataset from a version."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid
from typing import Any

from storage import batches, changes, datasets, examples, indexing, segments
from storage.changes import Change, Progress
from storage.contents import Prepared, prepared
from storage.errors import Stopped
from storage.processes import identify
from storage.queries import Query
from storage.rows import FROZEN, STATUSES, Batch, Dataset, Example, Version
from storage.store import Store
from storage.versions import contents

_CHUNK = 1000


def restore(
    store: Store, dataset: Dataset, version: Version, author: str, progress: Progress | None = None
) -> Batch | None:
    """Make a dataset what it was in a version, as one batch; None where it is that already.

    What came later goes to the trash; what is gone for good is written again; rejected examples stay rejected.
    """
    with _wanted(store, version):

        def make(example: Example) -> Change | None:
            row = store.one("select * from temp.wanted where example_id = ?", [example.key])
            if row is None:
                return Change(status="deleted") if example.status in FROZEN else None
            tags = json.loads(row["tags"])
            if row["revision_id"] == example.revision_id:
                return Change(tags=tags, status=row["status"])
            return Change(json.loads(_content(store, row["revision_id"])), tags, row["status"])

        return changes.change(
            store, dataset, Query(status=STATUSES), make, kind="restore",
            label=f"restored version {version.number}", author=author, progress=progress,
            also=lambda batch: _write_lost(store, batch),
        )  # fmt: skip


@contextmanager
def _wanted(store: Store, version: Version) -> Iterator[None]:
    """The rows of a version by example, in a table `wanted` of this connection."""
    store.execute("drop table if exists temp.wanted")
    store.execute(
        "create temp table wanted (example_id integer primary key, revision_id integer, tags text, status text)"
    )
    store.execute(
        "insert into temp.wanted select example_id, revision_id, tags, status from version_rows where version = ?",
        [version.key],
    )
    try:
        yield
    finally:
        store.execute("drop table temp.wanted")


def _content(store: Store, revision: int) -> str:
    return str(store.value("select content from revisions where id = ?", [revision]))


def _write_lost(store: Store, batch: Batch) -> int:
    """Write again what no longer has a row that is seen: examples of an undone import. They get places of their own."""
    lost = (
        "select w.* from temp.wanted w where not exists (select 1 from examples e join segments s "
        "on s.number = e.id >> 32 where e.id = w.example_id and s.state = 'visible' "
        "and e.status not in ('absent', 'erased')) and w.example_id > ? order by w.example_id limit ?"
    )
    after = written = 0
    while rows := store.rows(lost, [after, _CHUNK]):
        after = rows[-1]["example_id"]
        made = [_again(_content(store, row["revision_id"]), row) for row in rows]
        with store.write():
            segment = segments.of_batch(store, batch.number) or segments.open_segment(
                store, batch.dataset_id, batch.number, batch.author
            )
            examples.add_rows(store, segment, made)
        written += len(made)
    return written


def _again(content: str, row: dict[str, Any]) -> Prepared:
    return prepared(json.loads(content), tuple(json.loads(row["tags"])), row["status"])


def fork(store: Store, version: Version, name: str, author: str, progress: Progress | None = None) -> Dataset:
    """Make a new dataset of a version; seen whole or not at all. Raises Conflict where the name is taken."""
    source = datasets.get_dataset(store, version.dataset_id)
    datasets.refuse_taken(store, name)
    made = datasets.begin_dataset(store, source.kind)
    me = identify(getpid())
    detail = {"pid": getpid(), "pid_started": me.started if me else None}
    batch = batches.open_batch(store, made.id, "import", author, detail)
    try:
        _copy(store, version, batch, progress)
    except BaseException:
        batches.drop(store, batch)
        raise
    with store.write():
        datasets.reveal_dataset(store, made.id, name)
        label = f"forked version {version.number} of {source.name}"
        batches.publish(store, batch, {"label": label, "rows": version.rows, "version": version.id})
    indexing.fill(store)
    return datasets.get_dataset(store, made.id)


def _copy(store: Store, version: Version, batch: Batch, progress: Progress | None) -> None:
    """Copy the rows of a version into the segment of a batch."""
    segment = segments.open_segment(store, batch.dataset_id, batch.number, batch.author)
    done = 0
    for part in _parts(store, version):
        examples.add_rows(store, segment, part)
        done += len(part)
        if progress and progress(min(done / version.rows, 0.99), f"{done:,} rows copied"):
            raise Stopped("The copy was stopped; nothing was made.")


def _parts(store: Store, version: Version) -> Iterator[list[Prepared]]:
    part: list[Prepared] = []
    for row in contents(store, version):
        part.append(_again(row["content"], row))
        if len(part) == _CHUNK:
            yield part
            part = []
    if part:
        yield part
