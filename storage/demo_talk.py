"""What was said in demos, and what visitors thought of it: in quarantine until a curator accepts it.

A visitor's last word on the same answers counts. What a curator decides at once has one `decision`, by which it is
taken back.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.clock import new_id, now
from storage.prompts import Messages
from storage.rows import Row
from storage.store import Store

PENDING, ACCEPTED, REFUSED = "pending", "accepted", "refused"


@dataclass(frozen=True)
class Said(Row):
    """An answer of a demo. finish: stop, length, or stopped (by the visitor, or by what went wrong on the way).

    `question`: the same for answers that were given side by side. `seconds` from asking to its end.
    """

    id: str
    demo_id: str
    visitor: str
    prompt: Messages
    model_id: str
    model_name: str
    text: str
    finish: str
    stamp: dict[str, Any]
    tokens: int | None
    seconds: float | None
    question: str | None
    created_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"prompt", "stamp"})


@dataclass(frozen=True)
class Thought(Row):
    """What a visitor thought of one answer (choice up, down) or of two, from left to right (a, b, tie, both_bad)."""

    id: str
    demo_id: str
    visitor: str
    answers: list[str]
    choice: str
    state: str
    comparison_id: str | None
    decision: str | None
    decided_by: str | None
    decided_at: float | None
    created_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"answers"})


def keep(store: Store, said: Said) -> None:
    """Keep an answer."""
    row = {name: getattr(said, name) for name in Said.__dataclass_fields__}
    row |= {"prompt": json.dumps(said.prompt), "stamp": json.dumps(said.stamp)}
    store.insert("demo_answers", row)


def forget(store: Store, demo_id: str, unvoted_before: float, refused_before: float) -> None:
    """Forget answers of a demo from before a moment that nobody voted on, and those whose votes were refused before."""
    with store.write():
        store.execute(
            "delete from demo_votes where demo_id = ? and state = 'refused' and decided_at < ?",
            [demo_id, refused_before],
        )
        store.execute(
            "delete from demo_answers where demo_id = ? and created_at < ? and id not in "
            "(select one.value from demo_votes v, json_each(v.answers) one where v.demo_id = ?)",
            [demo_id, unvoted_before, demo_id],
        )


def answers_since(store: Store, demo_id: str, moment: float) -> int:
    """How many answers a demo has given since then; none is forgotten within a day."""
    return int(store.value("select count(*) from demo_answers where demo_id = ? and created_at > ?", [demo_id, moment]))


def answer(store: Store, demo_id: str, answer_id: str, visitor: str | None = None) -> Said | None:
    """An answer of a demo; given to that visitor, where one is named."""
    row = store.one(
        "select * from demo_answers where id = :id and demo_id = :demo and (:visitor is null or visitor = :visitor)",
        {"id": answer_id, "demo": demo_id, "visitor": visitor},
    )
    return Said.from_row(row) if row else None


def standing(store: Store, demo_id: str, visitor: str, answers: Sequence[str]) -> Thought | None:
    """What a visitor thinks of an answer, or of two in whatever order they are named; a decided vote before others."""
    row = store.one(
        "select * from demo_votes where demo_id = ? and visitor = ? and answers in (?, ?) order by state = ? limit 1",
        [demo_id, visitor, *_either_way(answers), PENDING],
    )
    return Thought.from_row(row) if row else None


def think(store: Store, demo_id: str, visitor: str, answers: Sequence[str], choice: str | None) -> None:
    """Keep what a visitor thinks, in the place of what they thought before; None takes it back.

    Called inside a write in which `standing` was looked at.
    """
    key, turned = _either_way(answers)
    store.execute(
        "delete from demo_votes where demo_id = ? and visitor = ? and answers in (?, ?)",
        [demo_id, visitor, key, turned],
    )
    if choice is not None:
        row = {"id": new_id(), "demo_id": demo_id, "visitor": visitor, "answers": key, "choice": choice,
               "state": PENDING, "created_at": now()}  # fmt: skip
        store.insert("demo_votes", row)


def _either_way(answers: Sequence[str]) -> tuple[str, str]:
    """The answers as the column has them, and the other way round."""
    return json.dumps(list(answers)), json.dumps(list(answers)[::-1])


def thoughts(
    store: Store, demo_id: str, state: str | None = None, decision: str | None = None, limit: int = -1
) -> list[Thought]:
    """What visitors of a demo thought, newest first; of one state, of one decision."""
    rows = store.rows(
        "select * from demo_votes where demo_id = :demo and (:state is null or state = :state) "
        "and (:decision is null or decision = :decision) order by rowid desc limit :limit",
        {"demo": demo_id, "state": state, "decision": decision, "limit": limit},
    )
    return [Thought.from_row(row) for row in rows]


def waits(store: Store, thought: Thought) -> bool:
    """Whether a vote is still there and still undecided."""
    return bool(store.value("select 1 from demo_votes where id = ? and state = ?", [thought.id, PENDING]))


def counts(store: Store, demo_id: str) -> dict[str, int]:
    """How many votes of a demo are in which state."""
    found = store.rows("select state, count(*) as n from demo_votes where demo_id = ? group by state", [demo_id])
    return dict.fromkeys((PENDING, ACCEPTED, REFUSED), 0) | {row["state"]: row["n"] for row in found}


def decide(
    store: Store, thought: Thought, state: str, author: str, decision: str | None, comparison_id: str | None = None
) -> None:
    """Put a vote into a state, by whom and as part of which decision."""
    store.execute(
        "update demo_votes set state = ?, decision = ?, decided_by = ?, decided_at = ?, comparison_id = ? where id = ?",
        [state, decision, author, now(), comparison_id, thought.id],
    )


def last_decision(store: Store, demo_id: str) -> str | None:
    """The newest decision that stands, None where nothing has been decided."""
    found: str | None = store.value(
        "select decision from demo_votes where demo_id = ? and decision is not null order by decided_at desc limit 1",
        [demo_id],
    )
    return found
