"""Versions: frozen lists of example revisions, named by the hash of their content."""

import hashlib
from collections.abc import Iterator
from typing import Any

from storage.clock import new_id, now
from storage.errors import BadInput, NotFound
from storage.rows import Dataset, Version
from storage.store import Store

_CHUNK = 1000


def freeze(store: Store, dataset: Dataset) -> Version:
    """Freeze a dataset as it stands; the same content gives the same version. Raises BadInput when empty."""
    heads = store.rows(
        "select revision_id, sha256 from heads where dataset_id = ? and status != 'deleted' order by position",
        [dataset.id],
    )
    if not heads:
        raise BadInput(f'Dataset "{dataset.name}" is empty; import or write examples first.')
    digest = hashlib.sha256("\n".join(row["sha256"] for row in heads).encode()).hexdigest()
    found = store.one("select * from versions where dataset_id = ? and sha256 = ?", [dataset.id, digest])
    if found:
        return Version.from_row(found)
    return _write(store, dataset, digest, [row["revision_id"] for row in heads])


def _write(store: Store, dataset: Dataset, digest: str, revisions: list[int]) -> Version:
    """Write the list in short transactions and the version's own row last."""
    version_id = new_id()
    for start in range(0, len(revisions), _CHUNK):
        with store.write() as db:
            db.conn.executemany(
                "insert into version_rows (version_id, position, revision_id) values (?, ?, ?)",
                [(version_id, start + n, revision) for n, revision in enumerate(revisions[start : start + _CHUNK])],
            )
    with store.write():
        twin = store.one("select * from versions where dataset_id = ? and sha256 = ?", [dataset.id, digest])
        if twin:  # somebody froze the same content in this moment
            store.execute("delete from version_rows where version_id = ?", [version_id])
            return Version.from_row(twin)
        number = store.value("select coalesce(max(number), 0) + 1 from versions where dataset_id = ?", [dataset.id])
        row = {"id": version_id, "dataset_id": dataset.id, "number": number, "sha256": digest,
               "rows": len(revisions), "created_at": now()}  # fmt: skip
        store.insert("versions", row)
    return Version(**row)


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


def contents(store: Store, version: Version) -> Iterator[dict[str, Any]]:
    """The rows of a version in order: example id, revision id, `content` as JSON text, tags as JSON text."""
    for start in range(0, version.rows, _CHUNK):
        yield from store.rows(
            "select r.example_id, r.id as revision_id, r.content, r.tags from version_rows v "
            "join revisions r on r.id = v.revision_id "
            "where v.version_id = ? and v.position >= ? and v.position < ? order by v.position",
            [version.id, start, start + _CHUNK],
        )
