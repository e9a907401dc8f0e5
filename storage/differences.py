"""What differs between two versions of a dataset: by example, and by what is said in it.

An example that went and came again under another id with the same content counts as unchanged.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from storage.errors import BadInput
from storage.prompts import example_sha256
from storage.rows import Version
from storage.segments import name_of
from storage.store import Store

_CHUNK = 1000
_SHOWN = 200


class Difference(NamedTuple):
    """One example that differs. kind: added, removed, changed, or relabelled (tags or status alone differ)."""

    kind: str
    example_id: str
    before: int | None
    after: int | None


class Compared(NamedTuple):
    """How many examples differ, and the first of them in order."""

    added: int
    removed: int
    changed: int
    relabelled: int
    first: list[Difference]


class _Row(NamedTuple):
    """One row of a version."""

    example: int
    revision: int
    label: str


def compare(store: Store, old: Version, new: Version, shown: int = _SHOWN) -> Compared:
    """What became of a version in a later one; raises BadInput for versions of two datasets."""
    if old.dataset_id != new.dataset_id:
        raise BadInput("These versions belong to two datasets; compare versions of one.")
    found = _moved_out(store, list(_differences(store, old, new)))
    counts = Counter(item.kind for item in found)
    return Compared(counts["added"], counts["removed"], counts["changed"], counts["relabelled"], found[:shown])


def _differences(store: Store, old: Version, new: Version) -> Iterator[Difference]:
    """Both lists side by side, in the order of examples."""
    befores, afters = _rows(store, old), _rows(store, new)
    before, after = next(befores, None), next(afters, None)
    while before or after:
        if after is None or (before and before.example < after.example):
            assert before is not None
            yield Difference("removed", name_of(before.example), before.revision, None)
            before = next(befores, None)
        elif before is None or after.example < before.example:
            yield Difference("added", name_of(after.example), None, after.revision)
            after = next(afters, None)
        else:
            if before.revision != after.revision:
                yield Difference("changed", name_of(after.example), before.revision, after.revision)
            elif before.label != after.label:
                yield Difference("relabelled", name_of(after.example), before.revision, after.revision)
            before, after = next(befores, None), next(afters, None)


def _rows(store: Store, version: Version) -> Iterator[_Row]:
    cursor = store.db.conn.execute(
        "select example_id, revision_id, tags || status from version_rows where version = ? order by example_id",
        [version.key],
    )
    yield from (_Row(*row) for row in cursor)


def _moved_out(store: Store, found: Sequence[Difference]) -> list[Difference]:
    """Leave out what only moved or was written anew: pairs with the same content."""
    wanted = {revision for item in found for revision in (item.before, item.after) if item.kind != "relabelled"}
    hashes = _hashes(store, sorted(revision for revision in wanted if revision is not None))
    removed = Counter(hashes.get(item.before or 0) for item in found if item.kind == "removed")
    added = Counter(hashes.get(item.after or 0) for item in found if item.kind == "added")
    both = {"removed": removed & added, "added": removed & added}
    kept = []
    for item in found:
        said = hashes.get((item.before if item.kind == "removed" else item.after) or 0)
        if item.kind in both and both[item.kind][said] > 0:
            both[item.kind][said] -= 1
        elif item.kind != "changed" or hashes.get(item.before or 0) != said:
            kept.append(item)
        else:  # the same text, written again: by a restore, or by an edit that was edited back
            continue
    return kept


def _hashes(store: Store, revisions: Sequence[int]) -> dict[int, bytes]:
    """The content hash of each revision; that of a row which stands there is known already."""
    found: dict[int, bytes] = {}
    for start in range(0, len(revisions), _CHUNK):
        rows = store.db.conn.execute(
            "select r.id, e.sha256, iif(e.id is null, r.content, null) from revisions r "
            "left join examples e on e.id = r.example_id and e.revision_id = r.id "
            "where r.id in (select value from json_each(?))",
            [json.dumps(revisions[start : start + _CHUNK])],
        )
        for revision, known, content in rows:
            found[revision] = known if content is None else bytes.fromhex(example_sha256(json.loads(content)))
    return found
