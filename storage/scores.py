"""What reward models and classifiers said about texts, by model, subject and the hash of the text that they read.

A text that has changed since has no score: it is asked about again. subject: "example" or "answer".
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from storage.clock import new_id, now
from storage.store import Store

_AT_ONCE = 500


class Subject(NamedTuple):
    """What is judged: an example or an answer by its id, and the hash of its text."""

    id: str
    text_sha256: str


class Said(NamedTuple):
    """What a model said about a subject: a number, a label, or both (the label and how sure it is)."""

    subject: Subject
    score: float | None
    label: str | None = None


def known(store: Store, model_id: str, kind: str, subjects: Sequence[Subject]) -> dict[Subject, Said]:
    """What the model has said already about these subjects as their texts stand."""
    found: dict[Subject, Said] = {}
    wanted = set(subjects)
    for begin in range(0, len(subjects), _AT_ONCE):
        ids = [subject.id for subject in subjects[begin : begin + _AT_ONCE]]
        marks = ",".join("?" * len(ids))
        for row in store.rows(
            "select subject_id, text_sha256, score, label from scores "
            f"where model_id = ? and subject = ? and subject_id in ({marks})",
            [model_id, kind, *ids],
        ):
            subject = Subject(row["subject_id"], row["text_sha256"])
            if subject in wanted:
                found[subject] = Said(subject, row["score"], row["label"])
    return found


def keep(store: Store, model_id: str, kind: str, said: Iterable[Said]) -> int:
    """Keep what the model said; a second time on the same text takes the place of the first. How many."""
    moment = now()
    rows = [
        [new_id(), model_id, kind, one.subject.id, one.subject.text_sha256, one.score, one.label, moment]
        for one in said
    ]
    for begin in range(0, len(rows), _AT_ONCE):
        with store.write():
            for row in rows[begin : begin + _AT_ONCE]:
                store.execute(
                    "insert into scores (id, model_id, subject, subject_id, text_sha256, score, label, created_at) "
                    "values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (model_id, subject, subject_id, text_sha256) "
                    "do update set score = excluded.score, label = excluded.label, created_at = excluded.created_at",
                    row,
                )
    return len(rows)


def judges_of(store: Store, kind: str, subject_ids: Sequence[str]) -> set[str]:
    """The models that have said something about any of these subjects."""
    found: set[str] = set()
    for begin in range(0, len(subject_ids), _AT_ONCE):
        ids = list(subject_ids[begin : begin + _AT_ONCE])
        marks = ",".join("?" * len(ids))
        rows = store.rows(
            f"select distinct model_id from scores where subject = ? and subject_id in ({marks})", [kind, *ids]
        )
        found |= {row["model_id"] for row in rows}
    return found
