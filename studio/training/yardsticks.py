"""What a run is measured against at its end, frozen into its folder beside the rows that it learns from.

`labels.parquet`: tags and languages of the rows, so that the held-out loss can be told by them. `earlier.parquet`: some
rows of the run before, on which forgetting is measured. `canaries.parquet`: the project's own canary prompts.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from storage.datasets import find_dataset
from storage.freezing import Sample
from storage.jobs import get_job
from storage.prompts import as_messages
from storage.rows import Version
from storage.rows_training import Model
from storage.specs.canaries import DATASET
from storage.store import Store
from storage.versions import contents, freeze

_MOST_EARLIER, _MOST_CANARIES = 32, 16
_CHUNK = 500

Rows = list[dict[str, Any]]


def yardsticks(store: Store, measured: Version | None, origin: Model) -> dict[str, Rows | Sample]:
    """Rows by name of their file; `measured`: the version that the held-out rows come from, `origin`: the start."""
    found: dict[str, Rows | Sample | None] = {
        "labels": _labels(store, measured) if measured else None,
        "earlier": _earlier(store, origin),
        "canaries": _canaries(store),
    }
    return {name: rows for name, rows in found.items() if rows}


def measures(store: Store, beaten: Model) -> dict[str, Rows | Sample]:
    """What a model that nobody trained here is measured on: what the one that it must beat had learnt, and canaries."""
    found: dict[str, Rows | Sample | None] = {"earlier": _earlier(store, beaten), "canaries": _canaries(store)}
    return {name: rows for name, rows in found.items() if rows}


def _labels(store: Store, version: Version) -> Rows:
    """Id, tags (JSON) and language of every row that has any."""
    rows = [(row["example_id"], row["revision_id"], row["tags"]) for row in contents(store, version)]
    spoken = dict(_languages(store, [revision for _, revision, _ in rows]))
    return [
        {"id": name, "tags": tags or "[]", "language": spoken.get(revision)}
        for name, revision, tags in rows
        if revision in spoken or (tags and tags != "[]")
    ]


def _languages(store: Store, revisions: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    """The languages of revisions that were looked at and are sure of theirs."""
    for start in range(0, len(revisions), _CHUNK):
        part = revisions[start : start + _CHUNK]
        marks = ", ".join("?" * len(part))
        for row in store.rows(
            f"select revision_id, language from checked where language is not null and revision_id in ({marks})", part
        ):
            yield row["revision_id"], row["language"]


def _earlier(store: Store, origin: Model) -> Sample | None:
    """An even sample of what the model that the run starts from was trained on."""
    if origin.job_id is None:
        return None
    path = store.home.run(get_job(store, origin.job_id).id) / "data.parquet"
    return Sample(path, _MOST_EARLIER) if path.is_file() else None


def _canaries(store: Store) -> Rows:
    """The prompts of the dataset named `canaries`, where there is one of kind prompts."""
    dataset = find_dataset(store, DATASET)
    if dataset is None or dataset.kind != "prompts":
        return []
    found: Rows = []
    for row in contents(store, freeze(store, dataset)):
        prompt = as_messages(json.loads(row["content"])["prompt"])
        found.append({"id": row["example_id"], "prompt": json.dumps(prompt, ensure_ascii=True)})
        if len(found) == _MOST_CANARIES:
            break
    return found
