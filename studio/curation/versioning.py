"""Versions as people handle them: frozen, named, compared, restored, forked, and which jobs trained on them."""

from typing import Any

from storage import datasets, versions
from storage.errors import BadInput
from storage.rows import Dataset, Task, Version
from storage.store import Store

AT_ONCE = 20_000
"""So many rows are frozen while the person waits."""
_LONGEST = 60


def list_versions(store: Store, name: str) -> list[dict[str, Any]]:
    """A dataset's versions, oldest first, each with the jobs that trained on it."""
    dataset = datasets.get_dataset(store, name)
    jobs: dict[str, list[dict[str, Any]]] = {}
    for row in store.rows(
        "select id, number, name, status, version_id from jobs where version_id in "
        "(select id from versions where dataset_id = ?) order by number",
        [dataset.id],
    ):
        job = {key: row[key] for key in ("id", "number", "name", "status")}
        jobs.setdefault(row["version_id"], []).append(job)
    return [version_json(one) | {"jobs": jobs.get(one.id, [])} for one in versions.list_versions(store, dataset)]


def version_json(version: Version) -> dict[str, Any]:
    """A version for JSON."""
    return {
        "number": version.number,
        "name": version.name,
        "note": version.note,
        "rows": version.rows,
        "sha256": version.sha256,
        "created_at": version.created_at,
    }


def freeze(store: Store, name: str, title: str | None = None) -> dict[str, Any]:
    """Freeze a dataset as it stands; `known`: nothing has changed since that version."""
    dataset = datasets.get_dataset(store, name)
    newest = store.value("select coalesce(max(number), 0) from versions where dataset_id = ?", [dataset.id])
    version = versions.freeze(store, dataset)
    if title:
        rename(store, dataset, version.number, title)
    return {"version": version.number, "rows": version.rows, "sha256": version.sha256, "name": title or version.name,
            "known": version.number <= newest}  # fmt: skip


def rename(store: Store, dataset: Dataset, number: int, title: str | None) -> None:
    """Give a version a name, or none."""
    version = versions.numbered(store, dataset, number)
    found = " ".join((title or "").split())
    if len(found) > _LONGEST:
        raise BadInput(f"A version's name has at most {_LONGEST} characters.")
    store.execute("update versions set name = ? where id = ?", [found or None, version.id])


def run_freeze(store: Store, task: Task) -> dict[str, Any]:
    """A freeze as a task."""
    return freeze(store, task.payload["dataset"], task.payload.get("name")) | {"say": "frozen"}
