"""What each person gave in a study on each day, kept in step with every vote: the page tells it after every vote."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from storage.clock import now
from storage.rows import Vote
from storage.store import Store

LONGEST_LOOK = 300.0
"""Seconds of one vote that count as work at most: five minutes without a vote are a pause."""

_LEFT: Mapping[tuple[str, str], bool] = {
    ("a", "[0, 1]"): True,
    ("b", "[1, 0]"): True,
    ("a", "[1, 0]"): False,
    ("b", "[0, 1]"): False,
}
_ADD = """
insert into workdays (study_id, annotator, day, votes, skips, left_chosen, left_of, seconds)
values (?, ?, ?, ?, ?, ?, ?, ?)
on conflict do update set votes = votes + excluded.votes, skips = skips + excluded.skips,
    left_chosen = left_chosen + excluded.left_chosen, left_of = left_of + excluded.left_of,
    seconds = seconds + excluded.seconds
"""


class Work(NamedTuple):
    """What a person gave in a study: votes that count, in all and today, skips, seconds, how often the left won."""

    mine: int
    skips: int
    today: int
    seconds_today: float
    left_chosen: int
    left_of: int


def work(store: Store, study_id: str, annotator: str) -> Work:
    """What a person gave; second looks count as votes here, for to the person they are."""
    today = _day(now())
    rows = store.db.conn.execute(
        "select day, votes, skips, left_chosen, left_of, seconds from workdays where study_id = ? and annotator = ?",
        [study_id, annotator],
    ).fetchall()
    votes, skips, chosen, of = (sum(row[column] for row in rows) for column in (1, 2, 3, 4))
    this_day = next((row for row in rows if row[0] == today), None)
    return Work(votes, skips, this_day[1] if this_day else 0, this_day[5] if this_day else 0.0, chosen, of)


def given_by(store: Store, annotator: str) -> dict[str, int]:
    """How many votes of a person count, by the id of the study."""
    rows = store.rows("select study_id, sum(votes) as votes from workdays where annotator = ? group by 1", [annotator])
    return {row["study_id"]: row["votes"] for row in rows}


def turn(store: Store, vote: Vote, shown_order: str, before: Mapping[str, Any] | None) -> None:
    """A vote came to stand where another one stood, or none (`before`: its choice, shown_order and created_at)."""
    if before is not None:
        add(store, vote, before["choice"], before["shown_order"], before["created_at"], -1)
    add(store, vote, vote.choice, shown_order, vote.created_at, 1, min(vote.seconds or 0.0, LONGEST_LOOK))


def add(store: Store, whose: Vote, choice: str, shown_order: str, at: float, step: int, seconds: float = 0.0) -> None:
    """Count one more judgement of a person (`step` 1), or one less (-1). Time that was worked stays worked."""
    counts = choice not in ("skip", "undo")
    left = _LEFT.get((choice, shown_order))
    values = [step * counts, step * (choice == "skip"), step * bool(left), step * (left is not None), seconds]
    if any(values):
        store.execute(_ADD, [whose.study_id, whose.annotator, _day(at), *values])


def _day(at: float) -> str:
    """The day of a moment where the server stands."""
    return datetime.fromtimestamp(at).date().isoformat()
