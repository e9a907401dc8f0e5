"""Classifiers at work: a dataset's rows labelled, and tagged where the classifier is sure enough, as one undoable step.

A process of its own labels (it needs torch). What it said is kept by the text that it read, so that a second look costs
nothing; a changed row is read anew.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage import changes, tasks
from storage.changes import Change
from storage.datasets import get_dataset
from storage.errors import BadInput, NotReady, Refused
from storage.home import read_json, write_json
from storage.models import get_model
from storage.prompts import content_sha256
from storage.rows import Dataset
from storage.rows_training import Model, Task
from storage.scores import Said, Subject, keep, known
from storage.specs.classify import NOT
from storage.store import Store
from storage.versions import peek
from studio.settings import Settings
from studio.training.launching import threads_of
from studio.training.origins import helper_of
from studio.training.shaping_labels import text_of

_ROOT = Path(__file__).resolve().parents[2]
_NICE = 19
_MOST_ROWS = 10_000_000


class Text(NamedTuple):
    """A row's text."""

    subject: Subject
    text: str


def label_dataset(
    store: Store, settings: Settings, model: str, dataset: str, tag_above: float | None = None, author: str = "me"
) -> dict[str, Any]:
    """Label every row of a dataset; with `tag_above` tag those of which the classifier is at least so sure.

    A classifier of numbers tags rows whose number is at least `tag_above`. Returns the JSON object of `ratchet label`.
    """
    judge = _judge(store, model)
    found = get_dataset(store, dataset)
    if tag_above is not None and judge.labels and not 0 <= tag_above <= 1:
        raise BadInput(f"A classifier is sure by a share between 0 and 1; {tag_above:g} is none.")
    rows = [(name, text_of(json.loads(content))) for name, content in peek(store, found, _MOST_ROWS)]
    texts = [Text(Subject(name, content_sha256(text)), text) for name, text in rows if text]
    if not texts:
        raise BadInput(f'No row of dataset "{found.name}" holds a text to be labelled.')
    said = known(store, judge.id, "example", [text.subject for text in texts])
    missing = [text for text in texts if text.subject not in said]
    if missing:
        fresh = _ask(store, settings, judge, missing)
        keep(store, judge.id, "example", fresh)
        said |= {one.subject: one for one in fresh}
    tagged = {} if tag_above is None else _tags(judge, said.values(), tag_above)
    batch = _tag(store, found, judge, tagged, author) if tagged else None
    return {
        "model": judge.name,
        "dataset": found.name,
        "rows": len(rows),
        "labelled": len(texts),
        "reused": len(texts) - len(missing),
        **_summary(judge, list(said.values())),
        "tagged": int(batch.detail["rows"]) if batch else 0,
        "batch": batch.id if batch else None,
    }


def run_label(store: Store, task: Task) -> dict[str, Any]:
    """Label a dataset as a task."""
    tasks.advance(store, task.id, 0.0, f"{task.payload['model']} reads the rows")
    settings = Settings.from_env(os.environ, home=store.home.path)
    payload = task.payload
    return label_dataset(
        store, settings, payload["model"], payload["dataset"], payload.get("tag_above"), payload.get("author", "me")
    )


def _judge(store: Store, name: str) -> Model:
    model = get_model(store, name)
    if model.kind != "classifier":
        raise Refused(
            f'"{model.name}" is of kind {model.kind} and labels nothing; train a classifier with `ratchet train '
            "classify`, and name that."
        )
    return model


def _ask(store: Store, settings: Settings, judge: Model, texts: Sequence[Text]) -> list[Said]:
    """Let the classifier's process label; raises NotReady with its sentence where it fails."""
    import psutil

    helper = helper_of(store, judge.name, ("classifier",))
    with tempfile.TemporaryDirectory(prefix=".labelling-", dir=store.home.runs) as name:
        folder = Path(name)
        request = {"model": helper, "reads_through": _reads_through(store, judge)}
        write_json(folder / "request.json", {**request, "threads": threads_of(settings, psutil.cpu_count() or 1)})
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"id": text.subject.id, "text": text.text}) + "\n" for text in texts)
        with (store.home.logs / "labelling.log").open("ab") as log:
            code = subprocess.run(
                [sys.executable, "-m", "trainers.labeller", str(folder)],
                cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_lower_priority,
            ).returncode  # fmt: skip
        if code:
            error = read_json(folder / "error.json") or {"sentence": "The labelling process was ended from outside."}
            raise NotReady(f"{judge.name} could not label: {error['sentence']}")
        lines = map(json.loads, (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines())
        found = {line["id"]: line for line in lines}
    return [
        Said(text.subject, float(found[text.subject.id]["score"]), found[text.subject.id]["label"]) for text in texts
    ]


def _reads_through(store: Store, judge: Model) -> str | None:
    """The adapter that the classifier's base was read through when it learnt, if any."""
    settings = read_json(Path(str(judge.path)) / "classifier.json") or {}
    if not settings.get("on_adapter"):
        return None
    return get_model(store, str(judge.parent_id)).path


def _lower_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)


def _tags(judge: Model, said: Any, tag_above: float) -> dict[str, str]:
    """The tag of each row that gets one, by its id; that something is not so makes no tag."""
    if not judge.labels:
        name = f"{judge.name}-from-{tag_above:g}"
        return {one.subject.id: name for one in said if one.score is not None and one.score >= tag_above}
    return {
        one.subject.id: one.label
        for one in said
        if one.label and not one.label.startswith(NOT) and (one.score or 0.0) >= tag_above
    }


def _tag(store: Store, dataset: Dataset, judge: Model, tagged: Mapping[str, str], author: str) -> Any:
    """Add the tags as one change that can be undone; None where all rows have theirs already."""
    return changes.change(
        store, dataset, sorted(tagged),
        lambda row: Change(tags=[*row.tags, tagged[row.id]]) if tagged[row.id] not in row.tags else None,
        kind="tag", label=f"tagged {{count}} examples by {judge.name}", author=author,
    )  # fmt: skip


def _summary(judge: Model, said: list[Said]) -> dict[str, Any]:
    """How many rows each label got, and how sure that was; or mean and extremes of numbers."""
    scores = [float(one.score or 0.0) for one in said]
    if not judge.labels:
        return {"labels": [], "mean": sum(scores) / len(scores), "minimum": min(scores), "maximum": max(scores)}
    counted = Counter(str(one.label) for one in said)
    sure = {name: [float(one.score or 0.0) for one in said if one.label == name] for name in counted}
    return {
        "labels": [
            {"name": name, "rows": count, "sure": round(sum(sure[name]) / count, 4)}
            for name, count in counted.most_common()
        ]
    }
