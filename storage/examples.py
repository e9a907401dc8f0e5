"""Examples and their revisions: written under a batch, seen when the batch is published, undone by its state."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from storage.clock import new_id, now
from storage.errors import Conflict, NotFound
from storage.prompts import example_sha256
from storage.rows import Batch, Example
from storage.store import Store


@dataclass(frozen=True)
class Draft:
    """An example about to be written. `words`: what search finds it by."""

    content: dict[str, Any]
    words: str
    tags: Sequence[str] = ()
    status: str = "active"


@dataclass(frozen=True)
class Query:
    """Which examples are wanted. `search`: words that must all occur, the last one as a beginning."""

    search: str = ""
    limit: int = 25
    offset: int = 0
    tags: Sequence[str] = field(default_factory=tuple)


class Page(NamedTuple):
    """Examples of one page, and how many there are in all."""

    examples: list[Example]
    total: int


def open_batch(store: Store, dataset_id: str, kind: str, author: str, detail: dict[str, Any] | None = None) -> Batch:
    """Begin a change that nobody sees until `publish`."""
    row = {"id": new_id(), "dataset_id": dataset_id, "kind": kind, "state": "open", "author": author,
           "detail": json.dumps(detail or {}, ensure_ascii=False), "created_at": now()}  # fmt: skip
    store.insert("batches", row)
    return Batch.from_row(row)


def publish(store: Store, batch: Batch, detail: dict[str, Any] | None = None) -> None:
    """Let a batch be seen, in one commit of one row; what had been undone before can no longer be redone."""
    with store.write():
        store.execute(
            "update batches set state = 'dropped' where dataset_id = ? and state = 'undone'", [batch.dataset_id]
        )
        text = json.dumps(batch.detail if detail is None else detail, ensure_ascii=False)
        store.execute("update batches set state = 'published', detail = ? where id = ?", [text, batch.id])


def drop(store: Store, batch: Batch) -> None:
    """Give up a batch that was not published."""
    store.execute("update batches set state = 'dropped' where id = ? and state = 'open'", [batch.id])


def sweep(store: Store) -> int:
    """Give up batches that a crash left open; call it only when nothing is importing. Returns how many."""
    return store.execute("update batches set state = 'dropped' where state = 'open'")


def add_examples(store: Store, batch: Batch, drafts: Sequence[Draft]) -> list[str]:
    """Write new examples under a batch in one transaction (at most 1,000 a call); returns their ids."""
    ids = []
    with store.write():
        position = store.value(
            "select coalesce(max(position), 0) from examples where dataset_id = ?", [batch.dataset_id]
        )
        for offset, draft in enumerate(drafts, start=1):
            example_id = new_id()
            store.insert(
                "examples",
                {"id": example_id, "dataset_id": batch.dataset_id, "position": position + offset,
                 "batch_id": batch.id},
            )  # fmt: skip
            _write_revision(store, batch, example_id, draft)
            ids.append(example_id)
    return ids


def revise(store: Store, batch: Batch, example_id: str, draft: Draft, expected_revision: int | None = None) -> int:
    """Write a new revision of an example under a batch; returns the revision's id.

    Raises Conflict where `expected_revision` is no longer the newest: somebody else changed the example.
    """
    with store.write():
        head = get_example(store, example_id)
        if expected_revision is not None and head.revision_id != expected_revision:
            raise Conflict(
                f"This example was changed by {head.author} since you opened it; look at the newer text first."
            )
        return _write_revision(store, batch, example_id, draft)


def _write_revision(store: Store, batch: Batch, example_id: str, draft: Draft) -> int:
    """One revision and its words for search."""
    cursor = store.db.conn.execute(
        "insert into revisions (example_id, dataset_id, batch_id, content, sha256, tags, status, author, created_at) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [example_id, batch.dataset_id, batch.id, json.dumps(draft.content, ensure_ascii=True),
         example_sha256(draft.content), json.dumps(list(draft.tags)), draft.status, batch.author, now()],
    )  # fmt: skip
    revision = int(cursor.lastrowid or 0)
    # Lone surrogates cannot be stored as UTF-8; search does without them.
    words = draft.words.encode("utf-8", "replace").decode()
    store.execute("insert into revision_words (rowid, words) values (?, ?)", [revision, words])
    return revision


def get_example(store: Store, example_id: str) -> Example:
    """An example as it stands, a deleted one too; raises NotFound."""
    row = store.one("select * from heads where id = ?", [example_id])
    if row is None:
        raise NotFound(f'There is no example "{example_id}"; it may have been undone.')
    return Example.from_row(row)


def page(store: Store, dataset_id: str, query: Query) -> Page:
    """A page of a dataset's examples in order."""
    where, values = _where(dataset_id, query)
    total = store.value(f"select count(*) from heads where {where}", values)
    rows = store.rows(
        f"select * from heads where {where} order by position limit :limit offset :offset",
        {**values, "limit": query.limit, "offset": query.offset},
    )
    return Page([Example.from_row(row) for row in rows], int(total))


def count_before(store: Store, example: Example, query: Query) -> int:
    """How many examples that a query finds stand before this one."""
    where, values = _where(example.dataset_id, query)
    sql = f"select count(*) from heads where {where} and position < :position"
    return int(store.value(sql, {**values, "position": example.position}))


def _where(dataset_id: str, query: Query) -> tuple[str, dict[str, Any]]:
    """The condition of a query and its values."""
    parts = ["dataset_id = :dataset_id", "status != 'deleted'"]
    values: dict[str, Any] = {"dataset_id": dataset_id}
    if words := _match(query.search):
        parts.append("revision_id in (select rowid from revision_words where revision_words match :words)")
        values["words"] = words
    for number, tag in enumerate(query.tags):
        parts.append(f"exists (select 1 from json_each(tags) where value = :tag{number})")
        values[f"tag{number}"] = tag
    return " and ".join(parts), values


def _match(search: str) -> str:
    """An FTS5 query from what a person typed: every word quoted, so that no sign has a meaning of its own."""
    words = search.replace("\0", " ").replace('"', " ").split()
    return " ".join(f'"{word}"*' for word in words if any(sign.isalnum() for sign in word))


def known_hashes(store: Store, dataset_id: str, hashes: Sequence[str], batch_id: str | None = None) -> set[str]:
    """Which of these content hashes an example of the dataset has now, or has in the open batch."""
    found = store.rows(
        "select r.sha256 from revisions r join batches b on b.id = r.batch_id "
        "where r.dataset_id = :dataset and r.sha256 in (select value from json_each(:hashes)) "
        "and r.status != 'deleted' and (b.id = :batch or (b.state = 'published' and r.id = ("
        "  select max(v.id) from revisions v join batches c on c.id = v.batch_id"
        "  where v.example_id = r.example_id and c.state = 'published')))",
        {"dataset": dataset_id, "hashes": json.dumps(list(hashes)), "batch": batch_id},
    )
    return {row["sha256"] for row in found}


def undo(store: Store, dataset_id: str) -> Batch | None:
    """Hide the newest published change; returns it, or None where there is none."""
    return _flip(store, dataset_id, "published", "undone", "desc")


def redo(store: Store, dataset_id: str) -> Batch | None:
    """Show again what was undone last; returns it, or None."""
    return _flip(store, dataset_id, "undone", "published", "asc")


def _flip(store: Store, dataset_id: str, before: str, after: str, order: str) -> Batch | None:
    """Change the state of one batch in one statement."""
    found = store.rows(
        "update batches set state = ? where id = (select id from batches where dataset_id = ? and state = ? "
        f"order by id {order} limit 1) returning *",
        [after, dataset_id, before],
    )
    return Batch.from_row(found[0]) if found else None


def batches(store: Store, dataset_id: str, limit: int = 50) -> list[Batch]:
    """Changes to a dataset, newest first: what undo and redo walk along."""
    rows = store.rows(
        "select * from batches where dataset_id = ? and state in ('published', 'undone') order by id desc limit ?",
        [dataset_id, limit],
    )
    return [Batch.from_row(row) for row in rows]


def history(store: Store, example_id: str) -> list[dict[str, Any]]:
    """All revisions of an example, oldest first, with the state of their batch."""
    rows = store.rows(
        "select r.id as revision_id, r.content, r.tags, r.status, r.author, r.created_at, b.state, b.kind "
        "from revisions r join batches b on b.id = r.batch_id where r.example_id = ? order by r.id",
        [example_id],
    )
    return [{**row, "content": json.loads(row["content"]), "tags": json.loads(row["tags"])} for row in rows]
