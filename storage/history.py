"""What an example was, change by change: read from `changes`, and from the import that brought it."""

import json
from typing import Any

from storage import segments
from storage.segments import key_of
from storage.store import Store


def history(store: Store, example_id: str) -> list[dict[str, Any]]:
    """All states of an example, oldest first: revision, content, tags, status, author, time, reason, batch's state."""
    key = key_of(example_id)
    changes = store.rows(
        "select c.*, b.state, b.kind, b.author, b.created_at, b.id as batch_id, b.detail from changes c "
        "join batches b on b.number = c.batch where c.example_id = ? and b.state != 'open' order by c.batch",
        [key],
    )
    rows = [*_origin(store, key, changes), *(_after(change) for change in changes)]
    texts = _texts(store, [row["revision_id"] for row in rows])
    return [
        {**row, "content": texts[row["revision_id"]], "tags": json.loads(row["tags"])}
        for row in rows
        if row["revision_id"] in texts
    ]


def _origin(store: Store, key: int, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How an import brought the example; nothing for one that was written by hand, whose first change says it."""
    segment = store.one(
        "select s.author, s.created_at, b.state, b.kind, b.id as batch_id, b.detail from segments s "
        "join batches b on b.number = s.batch where s.number = ?",
        [key >> segments.SHIFT],
    )
    row = store.one("select revision_id, status, tags from examples where id = ?", [key])
    if segment is None or row is None:
        return []
    if changes:
        row = {name: changes[0][f"before_{name}"] for name in ("revision", "status", "tags")}
        row["revision_id"] = row.pop("revision")
    return [{**row, "label": _label(segment), "author": segment["author"], "created_at": segment["created_at"],
             "state": segment["state"], "kind": segment["kind"], "batch": segment["batch_id"],
             "reason": None}]  # fmt: skip


def _after(change: dict[str, Any]) -> dict[str, Any]:
    """What a change made of the example."""
    return {"revision_id": change["after_revision"], "status": change["after_status"], "tags": change["after_tags"],
            "label": _label(change), "author": change["author"], "created_at": change["created_at"],
            "state": change["state"], "kind": change["kind"], "batch": change["batch_id"],
            "reason": change["reason"]}  # fmt: skip


def _label(batch: dict[str, Any]) -> str:
    return str(json.loads(batch["detail"]).get("label") or batch["kind"])


def _texts(store: Store, revisions: list[int]) -> dict[int, Any]:
    """The contents of revisions."""
    rows = store.rows(
        "select id, content from revisions where id in (select value from json_each(?))", [json.dumps(revisions)]
    )
    return {row["id"]: json.loads(row["content"]) for row in rows}
