"""Leases: who keeps which comparison on the screen, until when.

A slot of a comparison is filled by a vote that counts or held by a live lease. A lease that ran out stays as a row
until its person comes back or somebody else asks: it says who was shown what, so that a late vote finds its way.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.store import Store

QUEUE, TYPED, BACK, GOLD, SECOND, SECOND_BACK = "queue", "typed", "back", "gold", "second", "second back"
"""Kinds: from the queue, typed by the person, taken back, a known answer, a second look, a second look taken back."""

# A second look that has been given keeps its row and its alias; its time is then 0.
_SECOND = f"('{SECOND}', '{SECOND_BACK}')"
# Gold and second looks take no slot from anybody.
_SLOTLESS = f"('{GOLD}', '{SECOND}', '{SECOND_BACK}')"
_OTHERS = f"""
(select count(*) from leases l where l.comparison_id = c.id and l.annotator != :annotator
 and l.expires_at > :now and l.kind not in {_SLOTLESS})
"""
_UNJUDGED = """
coalesce((select v.choice from votes v where v.comparison_id = c.id and v.annotator = :annotator
          order by v.rowid desc limit 1), 'undo') = 'undo'
"""
_OPEN = f"""
select c.id from comparisons c
where c.study_id = :study and c.state = :state and c.given < :overlap and c.given + {_OTHERS} < :overlap
  and not exists (select 1 from leases l where l.comparison_id = c.id and l.annotator = :annotator
                  and l.expires_at > 0 and l.kind not in {_SECOND})
  and not exists (select 1 from gold g where g.comparison_id = c.id and g.lifted_at is null)
  and {_UNJUDGED}
order by c.given, c.priority desc, c.ready_at, c.number limit :limit
"""
_TAKE = """
insert or replace into leases (comparison_id, annotator, study_id, kind, alias, taken_at, expires_at)
values (?, ?, ?, ?, ?, ?, ?)
"""

# A search is long from so many seconds on; then a lull of so many times its own length keeps searching under 2 %.
_LONG = 0.005
_LULL = 50.0


class Lease(NamedTuple):
    """One person's hold on a comparison. `alias`: the id under which a second look is shown."""

    comparison_id: str
    annotator: str
    study_id: str
    kind: str
    alias: str | None
    taken_at: float
    expires_at: float


class Held(NamedTuple):
    """A lease as its person finds it again: the comparison's state, and whether its slot is theirs to keep."""

    lease: Lease
    state: str
    free: bool


def take(store: Store, lease: Lease) -> None:
    """Write a lease down, or write it anew."""
    store.execute(_TAKE, lease)


def held(store: Store, study_id: str, annotator: str, overlap: int, at: float) -> list[Held]:
    """What a person holds or held in a study and has not judged, in the order in which it was taken.

    `free` is False where the person has judged it meanwhile (or taken back what a second look repeats), and where the
    slot went to others after the lease had run out.
    """
    cursor = store.db.conn.execute(
        f"select {', '.join('l.' + name for name in Lease._fields)}, c.state, "
        f"case when l.kind in {_SECOND} then not {_UNJUDGED} "
        f"     when not {_UNJUDGED} then 0 "
        f"     when l.expires_at > :now or l.kind = '{GOLD}' then 1 "
        f"     else c.given + {_OTHERS} < :overlap end "
        "from leases l join comparisons c on c.id = l.comparison_id "
        "where l.study_id = :study and l.annotator = :annotator and l.expires_at > 0 order by l.taken_at, c.number",
        {"study": study_id, "annotator": annotator, "overlap": overlap, "now": at},
    )
    return [Held(Lease(*row[:7]), row[7], bool(row[8])) for row in cursor]


def renew(store: Store, lease: Lease, until: float) -> Lease:
    """Keep it longer."""
    store.execute(
        "update leases set expires_at = ? where comparison_id = ? and annotator = ? and kind = ?",
        [until, lease.comparison_id, lease.annotator, lease.kind],
    )
    return lease._replace(expires_at=until)


def end(store: Store, comparison_id: str, annotator: str) -> None:
    """A person holds a comparison no more; second looks at it stay."""
    store.execute(
        f"delete from leases where comparison_id = ? and annotator = ? and kind not in {_SECOND}",
        [comparison_id, annotator],
    )


def by_alias(store: Store, alias: str, annotator: str) -> Lease | None:
    """The second look that a person knows under this id, given or not."""
    row = store.db.conn.execute(
        f"select {', '.join(Lease._fields)} from leases where alias = ? and annotator = ?", [alias, annotator]
    ).fetchone()
    return Lease(*row) if row else None


def second_of(store: Store, comparison_id: str, annotator: str) -> Lease | None:
    """A person's second look at a comparison, given or not."""
    alias = store.value(
        f"select alias from leases where comparison_id = ? and annotator = ? and kind in {_SECOND}",
        [comparison_id, annotator],
    )
    return by_alias(store, alias, annotator) if alias else None


def turn(store: Store, lease: Lease, kind: str, at: float, until: float) -> Lease:
    """Make a second look one that has been given (`until` 0) or one that was taken back."""
    store.execute(
        "update leases set kind = ?, taken_at = ?, expires_at = ? where alias = ? and annotator = ?",
        [kind, at, until, lease.alias, lease.annotator],
    )
    return lease._replace(kind=kind, taken_at=at, expires_at=until)


def of(store: Store, comparison_id: str, annotator: str) -> Lease | None:
    """The hold of a person on a comparison under its own id, run out or not."""
    row = store.db.conn.execute(
        f"select {', '.join(Lease._fields)} from leases "
        f"where comparison_id = ? and annotator = ? and kind not in {_SECOND}",
        [comparison_id, annotator],
    ).fetchone()
    return Lease(*row) if row else None


def open_slots(
    store: Store, study_id: str, annotator: str, overlap: int, at: float, states: Sequence[str], limit: int
) -> list[str]:
    """Comparisons with a slot for a person, by id: of `states` in their order, those with the fewest votes first.

    Walks an index in the order of the queue and stops at `limit`. Who has judged nearly all of a large study makes it
    walk past all that (4 microseconds each), so after a long search that found too little there is a lull.
    """
    found: list[str] = []
    begun = time.perf_counter()
    for state in states:
        if len(found) >= limit:
            break
        values: dict[str, Any] = {"study": study_id, "annotator": annotator, "overlap": overlap, "now": at}
        cursor = store.db.conn.execute(_OPEN, {**values, "state": state, "limit": limit - len(found)})
        found += [row[0] for row in cursor]
    took = time.perf_counter() - begun
    if len(found) < limit and took > _LONG:
        store.execute("insert or replace into lulls values (?, ?, ?)", [study_id, annotator, at + _LULL * took])
    return found


def in_lull(store: Store, study_id: str, annotator: str, at: float) -> bool:
    """Whether nothing is sought for a person now."""
    until = store.value("select until from lulls where study_id = ? and annotator = ?", [study_id, annotator])
    return until is not None and bool(at < until)
