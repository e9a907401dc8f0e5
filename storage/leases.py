"""Leases: who keeps which comparison on the screen, until when.

A slot of a comparison is filled by a vote that counts or held by a live lease. A lease that ran out stays as a row
until its person comes back or somebody else asks: it says who was shown what, so that a late vote finds its way.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.store import Store

QUEUE, TYPED, BACK, GOLD, SECOND = "queue", "typed", "back", "gold", "second"
"""Kinds: from the queue, typed by the person, taken back by the person, a known answer, a second look."""

# Gold and second looks take no slot from anybody.
_SLOTLESS = f"('{GOLD}', '{SECOND}')"
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
  and not exists (select 1 from leases l where l.comparison_id = c.id and l.annotator = :annotator)
  and not exists (select 1 from gold g where g.comparison_id = c.id and g.lifted_at is null)
  and {_UNJUDGED}
order by c.given, c.priority desc, c.ready_at, c.number limit :limit
"""
_TAKE = """
insert or replace into leases (comparison_id, annotator, study_id, kind, alias, taken_at, expires_at)
values (?, ?, ?, ?, ?, ?, ?)
"""


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

    `free` is False where the person has judged it meanwhile, the slot went to others, or what was gold is not.
    """
    cursor = store.db.conn.execute(
        f"select {', '.join('l.' + name for name in Lease._fields)}, c.state, "
        f"case when l.kind = '{SECOND}' then not exists (select 1 from second_looks s where s.id = l.alias) "
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
    """A person holds a comparison no more; a second look keeps its alias."""
    store.execute(
        f"delete from leases where comparison_id = ? and annotator = ? and kind != '{SECOND}'",
        [comparison_id, annotator],
    )


def has(store: Store, comparison_id: str, annotator: str) -> bool:
    """Whether a person was given a comparison and has not judged it: the lease may have run out."""
    return bool(
        store.value("select 1 from leases where comparison_id = ? and annotator = ?", [comparison_id, annotator])
    )


def open_slots(
    store: Store, study_id: str, annotator: str, overlap: int, at: float, states: Sequence[str], limit: int
) -> list[str]:
    """Comparisons with a slot for a person, by id: of `states` in their order, those with the fewest votes first.

    Walks an index in the order of the queue and stops at `limit`.
    """
    found: list[str] = []
    for state in states:
        if len(found) >= limit:
            break
        values: dict[str, Any] = {"study": study_id, "annotator": annotator, "overlap": overlap, "now": at}
        cursor = store.db.conn.execute(_OPEN, {**values, "state": state, "limit": limit - len(found)})
        found += [row[0] for row in cursor]
    return found
