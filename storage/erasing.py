"""Erasing for good: examples with all their texts, or a passage of them, from wherever the store holds it.

What was trained keeps what it learnt: `trace` names the jobs, models, run folders and backups that no erasing reaches.
Each example goes in one transaction, with the index of words first, so that a kill leaves nothing to be found by.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from storage import census, search, segments, settling
from storage.clock import now
from storage.contents import features
from storage.errors import BadInput
from storage.rows import Dataset
from storage.segments import key_of
from storage.settling import leave_open, pane, rewrite
from storage.store import Store

_MASK = "[erased]"

_DESCENDANTS = """with recursive led (id) as (
select model_id from jobs where id in (select value from json_each(?)) and model_id is not null
union select came.id from (select id, parent_id from models union select model_id, parent_id from model_parents) came
join led on came.parent_id = led.id)
select name from models where id in (select id from led) order by created_at"""


@dataclass(frozen=True)
class Trace:
    """Where the texts of examples have gone. What is named here from `jobs` on is not changed by erasing.

    versions: numbers that lose rows. jobs: numbers of those that trained on them. models: names, those that were
    trained further included. packs: frozen data of runs. backups: copies of the database. comparisons: how many ask
    one of these prompts.
    """

    examples: int
    texts: int
    versions: list[int]
    jobs: list[int]
    models: list[str]
    packs: list[str]
    backups: list[str]
    comparisons: int

    def to_json(self) -> dict[str, Any]:
        """For pages and the command line."""
        return asdict(self)


Mask = Callable[[dict[str, Any]], dict[str, Any]]


def without(passage: str, replacement: str = _MASK) -> Mask:
    """What replaces a passage wherever it stands in a content; raises BadInput for an empty one."""
    if not passage.strip():
        raise BadInput("Select the passage that is to be erased; an empty one would be everywhere.")

    def masked(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(passage, replacement)
        if isinstance(value, Mapping):
            return {masked(key): masked(item) for key, item in value.items()}
        return [masked(item) for item in value] if isinstance(value, list) else value

    return masked


def trace(store: Store, dataset: Dataset, ids: Sequence[str]) -> Trace:
    """Where the texts of these examples have gone; changes nothing."""
    keys = _keys(store, dataset, ids)
    revisions = _revisions(store, keys)
    held = json.dumps([revision for found in revisions.values() for revision in found])
    versions = store.rows(
        "select id, number, key from versions where dataset_id = ? and key in (select version from version_rows "
        "where revision_id in (select value from json_each(?))) order by number",
        [dataset.id, held],
    )
    jobs = store.rows(
        "select id, number from jobs where version_id in (select value from json_each(?)) order by number",
        [json.dumps([row["id"] for row in versions])],
    )
    models = store.rows(_DESCENDANTS, [json.dumps([row["id"] for row in jobs])])
    packs = [path for row in jobs if (path := store.home.run(row["id"]) / "data.parquet").exists()]
    return Trace(
        len(keys),
        sum(map(len, revisions.values())),
        [row["number"] for row in versions],
        [row["number"] for row in jobs],
        [row["name"] for row in models],
        [str(path.relative_to(store.home.path)) for path in packs],
        sorted(path.name for path in store.home.backups.iterdir() if path.suffix in (".db", ".zip")),
        _comparisons(store, revisions),
    )


def _comparisons(store: Store, revisions: Mapping[int, Sequence[int]]) -> int:
    """How many comparisons ask a prompt of these examples."""
    from storage.prompts import content_sha256

    texts = _texts(store, [revision for found in revisions.values() for revision in found])
    prompts = {
        content_sha256(content["prompt"]) for content in texts.values() if isinstance(content.get("prompt"), list)
    }
    counted = "select count(*) from comparisons where prompt_sha256 in (select value from json_each(?))"
    return int(store.value(counted, [json.dumps(sorted(prompts))])) if prompts else 0


def erase(store: Store, dataset: Dataset, ids: Sequence[str]) -> Trace:
    """Remove examples and all their texts for good; returns where they had gone. Raises NotFound for unknown ids."""
    return _all(store, dataset, ids, _erase_one, "erased")


def mask(store: Store, dataset: Dataset, ids: Sequence[str], masked: Mask) -> Trace:
    """Replace every text that these examples have or had by a masked one; returns where they had gone."""

    def one(store: Store, key: int, revisions: Sequence[int]) -> list[int]:
        return _mask_one(store, key, revisions, masked)

    return _all(store, dataset, ids, one, "masked")


def _all(
    store: Store, dataset: Dataset, ids: Sequence[str], one: Callable[[Store, int, Sequence[int]], list[int]], verb: str
) -> Trace:
    """Go through examples one transaction each, then note it at the versions and overwrite what the file had."""
    if pane(store, dataset.id):
        settling.settle(store, dataset.id)
    found = trace(store, dataset, ids)
    keys = _keys(store, dataset, ids)
    search.forget(store, keys)
    # Freed space is overwritten, so that the file holds the text nowhere.
    store.execute("pragma secure_delete = on")
    try:
        for key, revisions in _revisions(store, keys).items():
            with store.write():
                leave_open(store, [key], -1)
                lost = _lost(store, dataset, one(store, key, revisions))
                _note(store, lost, verb)
    finally:
        store.execute("pragma secure_delete = off")
    census.forget(store, dataset.id)
    store.rows("pragma wal_checkpoint(truncate)")
    search.catch_up(store, limit=None)
    return found


def _keys(store: Store, dataset: Dataset, ids: Sequence[str]) -> list[int]:
    """The keys of examples of this dataset that are not erased already."""
    keys = [key_of(name) for name in dict.fromkeys(ids)]
    rows = store.rows(
        "select e.id from examples e join segments s on s.number = e.id >> 32 where s.dataset_id = ? "
        "and e.revision_id is not null and e.id in (select value from json_each(?)) order by e.id",
        [dataset.id, json.dumps(keys)],
    )
    return [row["id"] for row in rows]


def _revisions(store: Store, keys: Sequence[int]) -> dict[int, list[int]]:
    """All texts of examples: a scan, so that none is missed that no change leads to."""
    found: dict[int, list[int]] = {key: [] for key in keys}
    rows = store.rows(
        "select id, example_id from revisions where example_id in (select value from json_each(?)) order by id",
        [json.dumps(list(keys))],
    )
    for row in rows:
        found[row["example_id"]].append(row["id"])
    return found


def _texts(store: Store, revisions: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = store.rows(
        "select id, content from revisions where id in (select value from json_each(?))", [json.dumps(list(revisions))]
    )
    return {row["id"]: json.loads(row["content"]) for row in rows}


def _erase_one(store: Store, key: int, revisions: Sequence[int]) -> list[int]:
    """Remove one example; what is left is its empty place. Returns the revisions that are gone."""
    held = json.dumps(list(revisions))
    store.execute("delete from changes where example_id = ?", [key])
    store.execute("delete from tagged where example_id = ?", [key])
    store.execute("delete from search_due where example_id = ?", [key])
    store.execute("delete from comments where example_id = ?", [segments.name_of(key)])
    _forget_beside(store, key, held)
    store.execute(
        "update examples set revision_id = null, status = 'erased', tags = '[]', sha256 = x'', prompt_key = 0, "
        "turns = 0, chars = 0, roles = 0, split = 'train', author = null, changed_at = null, change_id = null "
        "where id = ?",
        [key],
    )
    store.execute("delete from revisions where id in (select value from json_each(?))", [held])
    return list(revisions)


def _forget_beside(store: Store, key: int, held: str) -> None:
    """Remove what is known of texts beside them: findings, languages, token counts, unsaved changes."""
    inside = "in (select value from json_each(?))"
    store.execute("delete from findings where example_id = ?", [key])
    store.execute(f"delete from checked where revision_id {inside}", [held])
    store.execute(f"delete from tokens where revision_id {inside}", [held])
    store.execute("delete from drafts where example_id = ?", [segments.name_of(key)])
    _forget_answers(store, key)


def _forget_answers(store: Store, key: int) -> None:
    """Remove what models answered to it, and the answers that became the dataset in which it stands."""
    store.execute(
        "delete from bulk_answers where answering_id in (select id from answerings) and example_id = ?",
        [segments.name_of(key)],
    )
    store.execute(
        "delete from bulk_answers where answering_id in (select id from answerings where made_id = ?)",
        [segments.get_dataset_id(store, key)],
    )


def _mask_one(store: Store, key: int, revisions: Sequence[int], masked: Mask) -> list[int]:
    """Mask all texts of one example; returns the revisions that changed."""
    changed = {}
    for revision, content in _texts(store, revisions).items():
        new = masked(content)
        if new != content:
            changed[revision] = new
    for revision, content in changed.items():
        store.execute(
            "update revisions set content = ? where id = ?", [json.dumps(content, ensure_ascii=True), revision]
        )
        sha256, *others = features(content)
        text = json.dumps([sha256.hex(), *others])
        for side in ("before", "after"):
            store.execute(
                f"update changes set {side}_features = ? where example_id = ? and {side}_revision = ? "
                f"and {side}_features is not null",
                [text, key, revision],
            )
        if store.value("select 1 from examples where id = ? and revision_id = ?", [key, revision]):
            rewrite(store, [(key, revision, text)])
    _forget_beside(store, key, json.dumps(list(changed)))
    store.execute("insert or ignore into search_due (example_id) values (?)", [key])
    return list(changed)


def _lost(store: Store, dataset: Dataset, revisions: Sequence[int]) -> dict[int, int]:
    """How many rows of each version had these texts; where they are gone, so are the rows."""
    held = json.dumps(list(revisions))
    rows = store.rows(
        "select version, count(*) as rows from version_rows where version in "
        "(select key from versions where dataset_id = ?) and revision_id in (select value from json_each(?)) "
        "group by version",
        [dataset.id, held],
    )
    store.execute(
        "delete from version_rows where revision_id in (select value from json_each(?)) "
        "and revision_id not in (select id from revisions)",
        [held],
    )
    return {row["version"]: row["rows"] for row in rows}


def _note(store: Store, lost: Mapping[int, int], verb: str) -> None:
    """Say at each version what is no longer as it was frozen; it keeps its number and gets another hash."""
    for key, count in lost.items():
        row = store.rows("select * from versions where key = ?", [key])[0]
        day = datetime.fromtimestamp(now(), UTC).strftime("%Y-%m-%d")
        note = _counted(row["note"], verb, count, day)
        left = store.value("select count(*) from version_rows where version = ?", [key])
        digest = hashlib.sha256(f"{row['sha256']} {note}".encode()).hexdigest()
        store.execute("update versions set note = ?, rows = ?, sha256 = ? where key = ?", [note, left, digest, key])


def _counted(note: str | None, verb: str, count: int, day: str) -> str:
    """A version's note with this one counted: "3 examples erased (2026-05-01)"."""
    lines = (note or "").splitlines()
    ending = f" {verb} ({day})"
    for number, line in enumerate(lines):
        if line.endswith(ending):
            count += int(line.split(" ", 1)[0])
            lines[number] = ""
    noun = "example" if count == 1 else "examples"
    return "\n".join([*filter(None, lines), f"{count} {noun}{ending}"])
