"""Answerings: whole datasets answered by models, with their answers one by one.

States of an answering: running (a process works on it, or was killed at it), stopping, stopped, failed, done, undone
(the dataset that it made was thrown away). An answer that could not be given is a row with `error` and no text.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage.clock import new_id, now
from storage.errors import NotFound
from storage.rows import Row
from storage.store import Store

ENDED = ("done", "failed", "stopped", "undone")


@dataclass(frozen=True)
class Answering(Row):
    """A wish to answer a dataset. `total`: answers wanted, 0 until they have been counted; `target`: the new name.

    `params`: max_tokens, temperature, top_p, seed, and `count`, the most prompts, or None for all. `result`: what
    became of it; `made_id`: the dataset, both known a moment before it appears.
    """

    id: str
    dataset_id: str
    version_id: str | None
    target: str
    model_ids: list[str]
    params: dict[str, Any]
    system: str | None
    state: str
    total: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    task_id: str | None
    made_id: str | None
    created_by: str | None
    created_at: float
    finished_at: float | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"model_ids", "params", "result", "error"})


@dataclass(frozen=True)
class BulkAnswer(Row):
    """One answer to one row, or why there is none (`error`). `reused`: 1 where it stood already; see `key`."""

    answering_id: str
    example_id: str
    model_id: str
    key: str | None
    text: str | None
    stamp: dict[str, Any] | None
    tokens: int | None
    seconds: float | None
    error: str | None
    reused: int
    created_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"stamp"})


class Counts(NamedTuple):
    """How many answers of an answering there are, how many of those stood already, and how many could not be given."""

    answered: int
    reused: int
    failed: int
    tokens: int


class Standing(NamedTuple):
    """An answer that exists already; `whence` says where: "study:<comparison>" or "answering:<id>"."""

    text: str
    stamp: dict[str, Any]
    tokens: int
    seconds: float
    whence: str


def add_answering(
    store: Store,
    dataset_id: str,
    target: str,
    model_ids: Sequence[str],
    params: Mapping[str, Any],
    system: str | None,
    author: str,
) -> Answering:
    """Note a wish; a process of its own fulfils it."""
    row = {"id": new_id(), "dataset_id": dataset_id, "target": target, "model_ids": json.dumps(list(model_ids)),
           "params": json.dumps(dict(params)), "system": system, "state": "running", "total": 0, "created_by": author,
           "created_at": now()}  # fmt: skip
    store.insert("answerings", row)
    return get_answering(store, str(row["id"]))


def get_answering(store: Store, reference: str) -> Answering:
    """An answering by its id, or the newest one into a dataset of that name; raises NotFound."""
    row = store.one(
        "select * from answerings where id = :it or target = :it order by id = :it desc, created_at desc limit 1",
        {"it": reference},
    )
    if row is None:
        raise NotFound(f'There is no answering "{reference}"; `ratchet answerings` lists them.')
    return Answering.from_row(row)


def list_answerings(store: Store, dataset_id: str | None = None, limit: int = 50) -> list[Answering]:
    """Answerings, newest first; of one dataset if given."""
    rows = store.rows(
        "select * from answerings where :dataset is null or dataset_id = :dataset "
        "order by created_at desc, id desc limit :limit",
        {"dataset": dataset_id, "limit": limit},
    )
    return [Answering.from_row(row) for row in rows]


def unfinished(store: Store) -> list[Answering]:
    """Those that a process works on, or should: oldest first."""
    rows = store.rows("select * from answerings where state in ('running', 'stopping') order by created_at, id")
    return [Answering.from_row(row) for row in rows]


def change(store: Store, answering_id: str, **values: Any) -> Answering:
    """Write columns of an answering; dicts are stored as JSON."""
    told = {
        name: json.dumps(value) if name in Answering.json_columns() and value is not None else value
        for name, value in values.items()
    }
    columns = ", ".join(f"{name} = :{name}" for name in told)
    store.execute(f"update answerings set {columns} where id = :id", {**told, "id": answering_id})
    return get_answering(store, answering_id)


def turn(store: Store, answering_id: str, before: Sequence[str], state: str) -> bool:
    """Change the state where it is one of `before`; whether it was."""
    marks = ", ".join("?" for _ in before)
    return bool(
        store.execute(
            f"update answerings set state = ? where id = ? and state in ({marks})", [state, answering_id, *before]
        )
    )


def keep(store: Store, answers: Sequence[BulkAnswer]) -> None:
    """Write answers down, in one transaction; one that was there before is replaced."""
    with store.write() as db:
        db.conn.executemany(
            "insert or replace into bulk_answers (answering_id, example_id, model_id, key, text, stamp, tokens, "
            "seconds, error, reused, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(one.answering_id, one.example_id, one.model_id, one.key, one.text,
              None if one.stamp is None else json.dumps(one.stamp), one.tokens, one.seconds, one.error, one.reused,
              one.created_at) for one in answers],
        )  # fmt: skip


def given(store: Store, answering_id: str, example_ids: Collection[str]) -> dict[tuple[str, str], BulkAnswer]:
    """The answers to some rows, by row and model; those that failed too."""
    rows = store.rows(
        "select * from bulk_answers where answering_id = ? and example_id in (select value from json_each(?))",
        [answering_id, json.dumps(list(example_ids))],
    )
    return {(row["example_id"], row["model_id"]): BulkAnswer.from_row(row) for row in rows}


def counts(store: Store, answering_id: str) -> Counts:
    """How far an answering is."""
    row = store.db.conn.execute(
        "select count(text), total(reused), count(error), total(tokens) from bulk_answers where answering_id = ?",
        [answering_id],
    ).fetchone()
    return Counts(*map(int, row))


def newest(store: Store, answering_id: str, since: float, limit: int = 200) -> list[float]:
    """When the newest answers that were asked for came, newest first; those that stood already tell no pace."""
    # By the order of writing: sorting all answers of a large dataset for every look would be slow.
    rows = store.db.conn.execute(
        "select created_at from bulk_answers where +answering_id = ? and created_at >= ? and not reused "
        "order by rowid desc limit ?",
        [answering_id, since, limit],
    )
    return [row[0] for row in rows]


def forget_failed(store: Store, answering_id: str) -> int:
    """Forget the answers that could not be given, so that they are asked for again; returns how many."""
    return store.execute("delete from bulk_answers where answering_id = ? and error is not null", [answering_id])


def find_standing(store: Store, key: str) -> Standing | None:
    """An answer that exists already by what decides it, from any study or answering."""
    row = store.one(
        "select text, stamp, tokens, seconds, 'study:' || comparison_id as whence from answers "
        "where key = :key and text is not null "
        "union all "
        "select text, stamp, tokens, seconds, 'answering:' || answering_id from bulk_answers "
        "where key = :key and text is not null limit 1",
        {"key": key},
    )
    if row is None:
        return None
    return Standing(row["text"], json.loads(row["stamp"]), row["tokens"] or 0, row["seconds"] or 0.0, row["whence"])
