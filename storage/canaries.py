"""Canaries: what is expected of the answers, what each model answered, and which of two answers people found better.

Expectations are lifted, never deleted; a model's answer to a prompt is kept once, by what answered; votes are only
added, and the newest one of a person on two texts speaks.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from storage.clock import new_id, now
from storage.errors import NotFound
from storage.prompts import text_sha256
from storage.rows import Row
from storage.store import Store

FIRST, SECOND, SAME = "first", "second", "same"


@dataclass(frozen=True)
class Expectation(Row):
    """What an answer to a prompt must be like; kinds and values as `studio.rounds.expectations` has them."""

    id: str
    prompt_sha256: str
    kind: str
    value: Any
    author: str
    created_at: float
    lifted_at: float | None
    lifted_by: str | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"value"})


@dataclass(frozen=True)
class CanaryAnswer(Row):
    """What a model said to a canary prompt, greedily. `answerer`: the hash of what answered; `sha256`: of the text."""

    answerer: str
    prompt_sha256: str
    model_id: str
    text: str
    sha256: str
    tokens: int
    seconds: float
    stamp: dict[str, Any]
    created_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"stamp"})


@dataclass(frozen=True)
class CanaryVote(Row):
    """Which of two texts is the better answer: first, second or same; None takes back what was said before."""

    id: str
    prompt_sha256: str
    first_sha256: str
    second_sha256: str
    choice: str | None
    annotator: str
    created_at: float


def add_expectation(store: Store, prompt_sha256: str, kind: str, value: Any, author: str) -> Expectation:
    """Expect something of a prompt's answers from now on; what stands already is returned as it is."""
    text = json.dumps(value, sort_keys=True)
    with store.write():
        row = store.one(
            "select * from expectations where prompt_sha256 = ? and kind = ? and value = ? and lifted_at is null",
            [prompt_sha256, kind, text],
        )
        if row is None:
            row = {"id": new_id(), "prompt_sha256": prompt_sha256, "kind": kind, "value": text, "author": author,
                   "created_at": now(), "lifted_at": None, "lifted_by": None}  # fmt: skip
            store.insert("expectations", row)
    return Expectation.from_row(row)


def set_lifted(store: Store, expectation_id: str, author: str, lifted: bool) -> Expectation:
    """Expect it no longer, or again; raises NotFound."""
    store.execute(
        "update expectations set lifted_at = ?, lifted_by = ? where id = ?",
        [now() if lifted else None, author if lifted else None, expectation_id],
    )
    row = store.one("select * from expectations where id = ?", [expectation_id])
    if row is None:
        raise NotFound(f'There is no expectation "{expectation_id}".')
    return Expectation.from_row(row)


def standing_expectations(store: Store) -> list[Expectation]:
    """What is expected now, in the order in which it was said."""
    return [
        Expectation.from_row(row)
        for row in store.rows("select * from expectations where lifted_at is null order by rowid")
    ]


def keep_answer(store: Store, answer: CanaryAnswer) -> None:
    """Keep an answer in the place of an older one by the same answerer."""
    row = {**vars(answer), "stamp": json.dumps(answer.stamp)}
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    store.execute(f"insert or replace into canary_answers ({columns}) values ({marks})", list(row.values()))


def answers_of(store: Store, answerer: str) -> dict[str, CanaryAnswer]:
    """What one answerer has said, by the hash of the prompt."""
    rows = store.rows("select * from canary_answers where answerer = ?", [answerer])
    return {row["prompt_sha256"]: CanaryAnswer.from_row(row) for row in rows}


def cast(store: Store, vote: CanaryVote) -> bool:
    """Store a vote; a second time with the same id changes nothing and is False."""
    row = vars(vote)
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    return store.execute(f"insert or ignore into canary_votes ({columns}) values ({marks})", list(row.values())) == 1


def current_votes(store: Store, prompts: Iterable[str] | None = None) -> list[CanaryVote]:
    """The newest vote of each person on each two texts, those taken back left out; of these prompts if given."""
    rows = store.rows(
        "select * from canary_votes v where choice is not null and v.rowid = (select max(w.rowid) from canary_votes w "
        "where w.prompt_sha256 = v.prompt_sha256 and w.first_sha256 = v.first_sha256 "
        "and w.second_sha256 = v.second_sha256 and w.annotator = v.annotator) order by v.rowid"
    )
    wanted = None if prompts is None else set(prompts)
    return [CanaryVote.from_row(row) for row in rows if wanted is None or row["prompt_sha256"] in wanted]


def new_answer(
    answerer: str, prompt_sha256: str, model_id: str, text: str, tokens: int, seconds: float, stamp: dict[str, Any]
) -> CanaryAnswer:
    """An answer of this moment, with the hash of its text."""
    return CanaryAnswer(answerer, prompt_sha256, model_id, text, text_sha256(text), tokens, seconds, stamp, now())
