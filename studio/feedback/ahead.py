"""What is answered ahead: which studies come next, and how far each is, with a pace and an estimate.

Studies that people look at come first (`studio.feedback.answering`), with the newest open one; here are the others.
"""

from typing import Any, NamedTuple

from storage.clock import now
from storage.comparisons import list_studies, waiting_studies
from storage.rows import Study
from storage.standings import answered_since, by_state
from storage.store import Store

_WINDOW = 300.0  # seconds over which the pace is told


class Ahead(NamedTuple):
    """Comparisons of a study by what is still to come. `ready`: answered, and with a slot that no vote fills.

    `per_minute`: comparisons answered a minute, of late; `eta_seconds`: until all that wait are answered, None where
    nothing waits or nothing is known yet.
    """

    ready: int
    waiting: int
    answering: int
    failed: int
    per_minute: float
    eta_seconds: float | None

    def to_json(self) -> dict[str, Any]:
        """For the list of studies."""
        return self._asdict()


def ahead_of(store: Store, study_id: str, overlap: int) -> Ahead:
    """How far a study is answered ahead of those who judge."""
    counted = by_state(store, study_id, overlap)
    coming = counted["waiting"] + counted["answering"]
    pace = pace_of(answered_since(store, study_id, now() - _WINDOW), now())
    eta = round(60 * coming / pace, 1) if coming and pace else None
    return Ahead(counted["ready"], counted["waiting"], counted["answering"], counted["failed"], round(pace, 2), eta)


def pace_of(moments: list[float], at: float) -> float:
    """How many came a minute, from when they came: the first one only begins the time. 0 where that is not known."""
    if len(moments) < 2:
        return 0.0
    return 60 * (len(moments) - 1) / max(at - min(moments), 0.001)


def open_studies(store: Store) -> list[Study]:
    """Open studies in which comparisons wait for answers, newest first."""
    waiting = waiting_studies(store)
    return [one for one in list_studies(store) if one.id in waiting and one.state == "open"] if waiting else []
