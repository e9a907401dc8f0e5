"""Rounds: the ledger of the loop. At most one is open; it opens by itself when the last one closes."""

import json
from typing import Any

from storage.clock import new_id, now
from storage.errors import NotFound
from storage.rows_training import Round
from storage.store import Store

_COLUMNS = {"parent_id", "version_id", "training_study_id", "job_id", "model_id", "measuring_study_id",
            "against_id"}  # fmt: skip


def open_round(store: Store, parent_id: str) -> Round:
    """The open round; begins one from the champion `parent_id` where none is open."""
    with store.write():
        row = store.one("select * from rounds where state = 'open' order by number desc limit 1")
        if row is None:
            number = store.value("select coalesce(max(number), 0) + 1 from rounds")
            store.insert(
                "rounds",
                {"id": new_id(), "number": number, "state": "open", "parent_id": parent_id, "opened_at": now()},
            )
            row = store.one("select * from rounds where number = ?", [number])
    return Round.from_row(row or {})


def list_rounds(store: Store) -> list[Round]:
    """Rounds, oldest first."""
    return [Round.from_row(row) for row in store.rows("select * from rounds order by number")]


def get_round(store: Store, number: int) -> Round:
    """A round by number; raises NotFound."""
    row = store.one("select * from rounds where number = ?", [number])
    if row is None:
        raise NotFound(f"There is no round {number}.")
    return Round.from_row(row)


def fill_round(store: Store, round_id: str, **values: Any) -> None:
    """Note what belongs to a round: its version, studies, job or model (ids)."""
    unknown = values.keys() - _COLUMNS
    if unknown:
        raise ValueError(f"a round has no column {sorted(unknown)}")
    sets = ", ".join(f"{name} = :{name}" for name in values)
    store.execute(f"update rounds set {sets} where id = :id", {**values, "id": round_id})


def close_round(store: Store, round_id: str, verdict: dict[str, Any]) -> None:
    """Close a round with its verdict."""
    store.execute(
        "update rounds set state = 'closed', verdict = ?, closed_at = ? where id = ? and state = 'open'",
        [json.dumps(verdict), now(), round_id],
    )
