"""Versions as people handle them: frozen, named, compared, restored, forked, and which jobs trained on them.

A large dataset is frozen, restored and forked by a task of that kind, with progress and cancel.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storage import datasets, differences, restoring, segments, tasks, versions
from storage.differences import Difference
from storage.errors import BadInput
from storage.rows import Version
from storage.rows_training import Task
from storage.store import Store

AT_ONCE = 20_000
"""So many rows are frozen, restored or copied while the person waits."""

Json = dict[str, Any]
KINDS = ("added", "removed", "changed", "relabelled")
SHOWN = 50
_LONGEST_NAME = 60
_LONGEST_TEXT = 20_000
_LOOKED_AT = 100_000


def list_versions(store: Store, name: str) -> list[Json]:
    """A dataset's versions, oldest first, each with the jobs that trained on it."""
    dataset = datasets.get_dataset(store, name)
    return [
        version_json(one)
        | {"jobs": [{"id": job.id, "number": job.number, "name": job.name, "status": job.status}
                    for job in versions.jobs_of(store, one)]}
        for one in versions.list_versions(store, dataset)
    ]  # fmt: skip


def version_json(version: Version) -> Json:
    """A version for JSON."""
    return {
        "number": version.number,
        "name": version.name,
        "note": version.note,
        "rows": version.rows,
        "sha256": version.sha256,
        "created_at": version.created_at,
    }


def find(store: Store, name: str, number: int) -> Version:
    """A version by its dataset and number; raises NotFound."""
    return versions.numbered(store, datasets.get_dataset(store, name), number)


def freeze(store: Store, name: str, title: str | None = None, progress: Any = None) -> Json:
    """Freeze a dataset as it stands; `known`: nothing has changed since that version."""
    called = _title(title)
    dataset = datasets.get_dataset(store, name)
    before = {version.id for version in versions.list_versions(store, dataset)}
    version = versions.freeze(store, dataset, progress)
    if called:
        version = versions.rename(store, version, called)
    return {"version": version.number, "rows": version.rows, "sha256": version.sha256, "name": version.name,
            "known": version.id in before}  # fmt: skip


def rename(store: Store, name: str, number: int, title: str | None) -> Json:
    """Give a version a name, or none."""
    return version_json(versions.rename(store, find(store, name, number), _title(title)))


def _title(title: str | None) -> str | None:
    found = " ".join((title or "").split())
    if len(found) > _LONGEST_NAME:
        raise BadInput(f"A version's name has at most {_LONGEST_NAME} characters.")
    return found or None


def restore(store: Store, name: str, number: int, author: str, progress: Any = None) -> Json:
    """Make a dataset what it was in a version, in one step that can be undone."""
    dataset = datasets.get_dataset(store, name)
    batch = restoring.restore(store, dataset, versions.numbered(store, dataset, number), author, progress)
    changed = int(batch.detail.get("rows", 0)) if batch else 0
    return {"version": number, "changed": changed, "batch": batch.id if batch else None}


def fork(store: Store, name: str, number: int, new: str, author: str, progress: Any = None) -> Json:
    """Make a new dataset of a version; raises Conflict where the name is taken."""
    version = find(store, name, number)
    made = restoring.fork(store, version, new.strip(), author, progress)
    return {"version": number, "dataset": made.name, "rows": version.rows}


def compare(store: Store, name: str, old: int, new: int, kind: str = "", offset: int = 0) -> Json:
    """What was added, removed and changed from one version to another, with the texts of some; `kind`: those alone."""
    if kind and kind not in KINDS:
        raise BadInput(f'There is no kind of difference "{kind}"; there are {", ".join(KINDS)}.')
    before, after = find(store, name, old), find(store, name, new)
    found = differences.compare(store, before, after, shown=_LOOKED_AT)
    wanted = [item for item in found.first if not kind or item.kind == kind][offset : offset + SHOWN]
    same = after.rows - found.added - found.changed - found.relabelled
    counts = {name: getattr(found, name) for name in KINDS}
    return {**counts, "unchanged": same, "rows": _shown(store, before, after, wanted)}


def _shown(store: Store, before: Version, after: Version, wanted: Sequence[Difference]) -> list[Json]:
    """Differences with what was said before and after."""
    ids = [revision for item in wanted for revision in (item.before, item.after) if revision is not None]
    rows = store.rows(
        "select id, content from revisions where id in (select value from json_each(?))", [json.dumps(ids)]
    )
    texts = {row["id"]: said(json.loads(row["content"])) for row in rows}
    return [
        {"kind": item.kind, "id": item.example_id, "number": _number(store, item.example_id),
         "before": _text(store, before, item, item.before, texts),
         "after": _text(store, after, item, item.after, texts)}
        for item in wanted
    ]  # fmt: skip


def _text(
    store: Store, version: Version, item: Difference, revision: int | None, texts: Mapping[int, str]
) -> str | None:
    """What an example said in a version; of one whose labels alone differ, those."""
    if revision is None:
        return None
    if item.kind != "relabelled":
        return texts.get(revision, "")[:_LONGEST_TEXT]
    row = store.one(
        "select tags, status from version_rows where version = ? and example_id = ? limit 1",
        [version.key, segments.key_of(item.example_id)],
    )
    return f"{row['status']}; tags: {', '.join(json.loads(row['tags'])) or 'none'}" if row else ""


def _number(store: Store, example_id: str) -> int:
    """The number under which people see an example."""
    key = segments.key_of(example_id)
    span = segments.range_of(store, key)
    return key + span.offset if span else 0


def said(content: Mapping[str, Any]) -> str:
    """What an example says, turn by turn, for a comparison of words."""
    if "text" in content:
        return str(content["text"])
    lines = []
    for name in ("messages", "prompt", "chosen", "rejected", "completion"):
        for turn in content.get(name) or ():
            calls = json.dumps(turn["tool_calls"], ensure_ascii=False) if turn.get("tool_calls") else ""
            head = f"{name}, {turn['role']}" if name in ("chosen", "rejected", "completion") else turn["role"]
            lines.append(f"{head}: {turn.get('content') or ''}{calls}")
    lines += [f"{name}: {content[name]}" for name in ("margin", "label", "score") if name in content]
    return "\n".join(lines)


def _tell(store: Store, task: Task) -> Callable[[float, str], bool]:
    return lambda fraction, sentence: tasks.advance(store, task.id, fraction, sentence)


def run_freeze(store: Store, task: Task) -> Json:
    """A freeze as a task."""
    wanted = task.payload
    return freeze(store, wanted["dataset"], wanted.get("name"), _tell(store, task)) | {"say": "frozen"}


def run_restore(store: Store, task: Task) -> Json:
    """A restore as a task."""
    wanted = task.payload
    done = restore(store, wanted["dataset"], wanted["version"], wanted.get("author", "me"), _tell(store, task))
    return done | {"say": "restored"}


def run_fork(store: Store, task: Task) -> Json:
    """A fork as a task."""
    wanted = task.payload
    author, tell = wanted.get("author", "me"), _tell(store, task)
    return fork(store, wanted["dataset"], wanted["version"], wanted["name"], author, tell) | {"say": "forked"}
