"""How many comparisons of a study are in which state, with how many votes: read from numbers that triggers keep."""

from typing import NamedTuple

from storage.store import Store

_NEWEST = "select error from comparisons where study_id = ? and state = 'failed' order by number desc limit 1"
_GOLD = """
select min(c.given, ?) from gold g join comparisons c on c.id = g.comparison_id
where g.study_id = ? and g.lifted_at is null and c.state = 'ready'
"""


class Standing(NamedTuple):
    """What a study holds: answers to come, failures, and how many slots of its ready comparisons are filled."""

    coming: int
    """Waiting for answers or being answered."""

    failed: int
    error: str | None
    """The sentence of the newest failure."""

    done: int
    total: int
    """Slots filled, and all slots, of what is ready; gold has none, for it is judged by everybody."""


def standing(store: Store, study_id: str, overlap: int) -> Standing:
    """Where a study stands now, at the same price for twenty comparisons and for twenty thousand."""
    rows = store.db.conn.execute("select state, given, n from standings where study_id = ?", [study_id]).fetchall()
    coming = sum(n for state, _, n in rows if state in ("waiting", "answering"))
    failed = sum(n for state, _, n in rows if state == "failed")
    done = sum(n * min(given, overlap) for state, given, n in rows if state == "ready")
    total = overlap * sum(n for state, _, n in rows if state == "ready")
    gold = [row[0] for row in store.db.conn.execute(_GOLD, [overlap, study_id])]
    error = store.value(_NEWEST, [study_id]) if failed else None
    return Standing(coming, failed, error, done - sum(gold), total - overlap * len(gold))


def by_state(store: Store, study_id: str, overlap: int) -> dict[str, int]:
    """Comparisons of a study that are waiting, answering, failed, or ready with a slot that no vote fills."""
    counted = dict.fromkeys(("waiting", "answering", "failed", "ready"), 0)
    for state, given, n in store.db.conn.execute(
        "select state, given, n from standings where study_id = ?", [study_id]
    ):
        if state in counted and (state != "ready" or given < overlap):
            counted[state] += n
    return counted


def answered_since(store: Store, study_id: str, since: float, limit: int = 1000) -> list[float]:
    """When comparisons of a study became ready since a moment, newest first; those whose texts came with them too."""
    rows = store.db.conn.execute(
        "select ready_at from comparisons where study_id = ? and ready_at >= ? order by ready_at desc limit ?",
        [study_id, since, limit],
    )
    return [row[0] for row in rows]
