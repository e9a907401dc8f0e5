"""Versions: frozen lists of example revisions, named by the hash of their content.

A freeze reads one moment through a connection of its own, writes its list in short transactions, and its own row last.
"""

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from os import getpid
from typing import Any, NamedTuple

from storage import segments
from storage.clock import new_id, now
from storage.errors import BadInput, NotFound, Stopped
from storage.processes import alive, identify
from storage.rows import FROZEN, Dataset, Version
from storage.rows_training import Job
from storage.segments import name_of
from storage.settling import overlay, pane
from storage.store import Store

_CHUNK = 1000


class Frozen(NamedTuple):
    """One row of a version while it is being frozen."""

    example_id: int
    revision_id: int
    sha256: bytes
    tags: str
    status: str


def freeze(store: Store, dataset: Dataset, progress: Callable[[float, str], bool | None] | None = None) -> Version:
    """Freeze a dataset as it stands, drafts and approved examples; the same content gives the same version.

    `progress` is called with the fraction done and a sentence; where it answers True, Stopped is raised and nothing
    is left. Raises BadInput where there is nothing to freeze.
    """
    key = _begin(store, dataset)
    try:
        count, digest = _write(store, dataset, key, progress or (lambda *_: None))
        return _publish(store, dataset, key, count, digest)
    finally:
        _end(store, key)


def _begin(store: Store, dataset: Dataset) -> int:
    """Take a key, with a note of who works on it; what a kill leaves behind is swept by that."""
    me = identify(getpid())
    row = [dataset.id, getpid(), me.started if me else 0.0, now()]
    with store.write():
        # One transaction a freeze at least, so that keys never meet.
        key = store.value(
            "select 1 + max((select coalesce(max(key), 0) from versions), (select coalesce(max(key), 0) from freezes))"
        )
        store.execute(
            "insert into freezes (key, dataset_id, pid, pid_started, created_at) values (?, ?, ?, ?, ?)", [key, *row]
        )
    return int(key)


def _end(store: Store, key: int) -> None:
    """Forget a freeze; its rows go where no version has come of it."""
    if not store.value("select 1 from versions where key = ?", [key]):
        _remove_rows(store, key)
    store.execute("delete from freezes where key = ?", [key])


def _write(store: Store, dataset: Dataset, key: int, progress: Callable[[float, str], bool | None]) -> tuple[int, str]:
    """Write the list in short transactions; how many rows, and the hash of their hashes."""
    digest = hashlib.sha256()
    place = 0
    with store.snapshot() as moment:
        total = sum(span.segment.places for span in segments.ranges(moment, dataset.id))
        for part in _standing(moment, dataset.id):
            with store.write() as db:
                db.conn.executemany(
                    "insert into version_rows (version, place, example_id, revision_id, tags, status) "
                    "values (?, ?, ?, ?, ?, ?)",
                    [(key, place + n, row.example_id, row.revision_id, row.tags, row.status)
                     for n, row in enumerate(part)],
                )  # fmt: skip
            lines = "\n".join(row.sha256.hex() for row in part)
            digest.update((f"\n{lines}" if place else lines).encode())
            place += len(part)
            if progress(min(place / max(total, 1), 0.99), f"{place:,} rows frozen"):
                raise Stopped("The freeze was stopped; nothing was frozen.")
    if not place:
        raise BadInput(nothing_to_learn(dataset, total))
    return place, digest.hexdigest()


def nothing_to_learn(dataset: Dataset, rows: int) -> str:
    """Why nothing of a dataset can be frozen or trained on."""
    if rows:
        return f'All examples of dataset "{dataset.name}" are rejected or in the trash; approve or restore some first.'
    return f'Dataset "{dataset.name}" is empty; import or write examples first.'


def _standing(moment: Store, dataset_id: str) -> Iterator[list[Frozen]]:
    """What is frozen of a dataset, in order, by the thousand."""
    through = pane(moment, dataset_id)
    columns, join = "e.revision_id, e.sha256, e.tags, e.status, null", ""
    if through:
        side, join = through.side, overlay(through)
        columns = (
            f"coalesce(c.{side}_revision, e.revision_id), e.sha256, coalesce(c.{side}_tags, e.tags), "
            f"coalesce(c.{side}_status, e.status), c.{side}_features ->> 0"
        )
    for span in segments.ranges(moment, dataset_id):
        cursor = moment.db.conn.execute(
            f"select e.id, {columns} from examples e {join} where e.id between ? and ? order by e.id",
            [span.low, span.high],
        )
        while rows := cursor.fetchmany(_CHUNK):
            kept = [
                Frozen(key, revision, bytes.fromhex(text) if text else sha256, tags, status)
                for key, revision, sha256, tags, status, text in rows
                if status in FROZEN
            ]
            if kept:
                yield kept


def peek(store: Store, dataset: Dataset, most: int) -> list[tuple[str, str]]:
    """What a freeze would hold, without one: id and content (JSON text) of at most `most` rows spread over all."""
    with store.snapshot() as moment:
        total = sum(len(part) for part in _standing(moment, dataset.id))
        every = max(1, -(-total // most))
        standing = (row for part in _standing(moment, dataset.id) for row in part)
        chosen = [(row.example_id, row.revision_id) for row in islice(standing, 0, None, every)]
        said: dict[int, str] = {}
        for start in range(0, len(chosen), _CHUNK):
            keys = [revision for _, revision in chosen[start : start + _CHUNK]]
            marks = ",".join("?" * len(keys))
            said |= {
                row["id"]: row["content"]
                for row in moment.rows(f"select id, content from revisions where id in ({marks})", keys)
            }
    return [(name_of(example), said[revision]) for example, revision in chosen if revision in said]


def _publish(store: Store, dataset: Dataset, key: int, count: int, digest: str) -> Version:
    """Write the version's own row, unless the same content was frozen before."""
    with store.write():
        twin = store.one("select * from versions where dataset_id = ? and sha256 = ?", [dataset.id, digest])
        if twin:
            return Version.from_row(twin)
        number = store.value("select coalesce(max(number), 0) + 1 from versions where dataset_id = ?", [dataset.id])
        row = {"id": new_id(), "dataset_id": dataset.id, "number": number, "sha256": digest, "rows": count,
               "created_at": now(), "key": key}  # fmt: skip
        store.insert("versions", row)
    return Version(**row)


def _remove_rows(store: Store, key: int) -> None:
    """Remove the rows of a version that never came to be, by the thousand."""
    removed = "delete from version_rows where version = ? and place >= ? and place < ?"
    last = store.value("select coalesce(max(place), -1) from version_rows where version = ?", [key])
    for start in range(0, int(last) + 1, _CHUNK):
        store.execute(removed, [key, start, start + _CHUNK])


def sweep(store: Store) -> int:
    """Remove what killed freezes left behind; returns how many there were."""
    lost = [row for row in store.rows("select * from freezes") if not alive(row["pid"], row["pid_started"])]
    for row in lost:
        _end(store, row["key"])
    return len(lost)


def get_version(store: Store, version_id: str) -> Version:
    """A version by id; raises NotFound."""
    row = store.one("select * from versions where id = ?", [version_id])
    if row is None:
        raise NotFound(f'There is no version "{version_id}".')
    return Version.from_row(row)


def numbered(store: Store, dataset: Dataset, number: int) -> Version:
    """A dataset's version by number; raises NotFound."""
    row = store.one("select * from versions where dataset_id = ? and number = ?", [dataset.id, number])
    if row is None:
        raise NotFound(f'Dataset "{dataset.name}" has no version {number}.')
    return Version.from_row(row)


def list_versions(store: Store, dataset: Dataset) -> list[Version]:
    """A dataset's versions, oldest first."""
    rows = store.rows("select * from versions where dataset_id = ? order by number", [dataset.id])
    return [Version.from_row(row) for row in rows]


def rename(store: Store, version: Version, name: str | None) -> Version:
    """Give a version a name, or none."""
    store.execute("update versions set name = ? where id = ?", [name or None, version.id])
    return get_version(store, version.id)


def jobs_of(store: Store, version: Version) -> list[Job]:
    """The jobs that trained on a version, oldest first."""
    rows = store.rows("select * from jobs where version_id = ? order by number", [version.id])
    return [Job.from_row(row) for row in rows]


def contents(store: Store, version: Version) -> Iterator[dict[str, Any]]:
    """The rows of a version in order: example id, revision id, `content` as JSON text, tags as JSON text, status."""
    # Not the count of rows: where an example was erased, its place stays empty.
    last = int(store.value("select coalesce(max(place), -1) from version_rows where version = ?", [version.key]))
    for start in range(0, last + 1, _CHUNK):
        for row in store.rows(
            "select v.example_id, v.revision_id, r.content, v.tags, v.status from version_rows v "
            "join revisions r on r.id = v.revision_id "
            "where v.version = ? and v.place >= ? and v.place < ? order by v.place",
            [version.key, start, start + _CHUNK],
        ):
            yield {**row, "example_id": name_of(row["example_id"])}
