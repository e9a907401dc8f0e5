"""Promotions: which model became champion, when, why and by whom. Rows are only added; the last one speaks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.clock import new_id, now
from storage.rows import Row
from storage.store import Store

GATE, OVERRULED, ROLLED_BACK = "gate", "overruled", "rolled-back"


@dataclass(frozen=True)
class Promotion(Row):
    """A change of champion. kind: gate, overruled or rolled-back; `before_id`: who was champion until then.

    `evidence`: the gate's report of that moment. `round_id`: the round whose candidate it was.
    """

    id: str
    number: int
    kind: str
    model_id: str
    before_id: str | None
    round_id: str | None
    reason: str
    evidence: dict[str, Any] | None
    author: str
    created_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"evidence"})


@dataclass(frozen=True)
class NewPromotion:
    """A change of champion that is to be made."""

    kind: str
    model_id: str
    before_id: str | None
    reason: str
    author: str
    round_id: str | None = None
    evidence: Mapping[str, Any] | None = None


def list_promotions(store: Store) -> list[Promotion]:
    """All changes of champion, oldest first."""
    return [Promotion.from_row(row) for row in store.rows("select * from promotions order by number")]


def standing(store: Store) -> list[Promotion]:
    """The promotions that nobody has rolled back, oldest first: the last one's model is champion."""
    stack: list[Promotion] = []
    for one in list_promotions(store):
        if one.kind == ROLLED_BACK:
            stack = stack[:-1]
        else:
            stack.append(one)
    return stack


def add(store: Store, new: NewPromotion) -> Promotion:
    """Change the champion; call it within the write transaction in which that was decided."""
    number = store.value("select coalesce(max(number), 0) + 1 from promotions")
    row = {
        "id": new_id(), "number": number, "kind": new.kind, "model_id": new.model_id, "before_id": new.before_id,
        "round_id": new.round_id, "reason": new.reason, "author": new.author, "created_at": now(),
        "evidence": None if new.evidence is None else json.dumps(new.evidence),
    }  # fmt: skip
    store.insert("promotions", row)
    return Promotion.from_row(row)
