"""Second looks: a person's own earlier comparison once more, the other way round, to see whether they agree with
themselves.

Nothing in what is shown tells one from the rest: it stands under an id like any other, and counts for the person like
any other vote. It is kept apart from the votes, so that nobody's opinion counts twice.
"""

import json
from typing import NamedTuple

from storage import leases, second_looks, workdays
from storage.clock import now
from storage.comparisons import Whole
from storage.leases import SECOND, SECOND_BACK, Lease
from storage.rows import Study, Vote
from storage.second_looks import Earlier, Look
from storage.store import Store
from storage.votes import current_vote
from studio.feedback.ballots import Ballot, positioned, refuse_impossible, refuse_shapeless
from studio.feedback.gold import meaning
from studio.feedback.showing import Shown, shown_order
from studio.feedback.shuffling import shuffled
from studio.feedback.study_settings import settings_of

_APART = 5
"""Judgements that lie between the two looks at least: what was seen a moment ago is remembered."""


class Looked(NamedTuple):
    """A stored second look, and whether it was new."""

    look: Look
    new: bool


def again(store: Store, study: Study, annotator: str) -> Earlier | None:
    """An earlier vote of a person to be looked at again, drawn from all but the newest; None where there is none."""
    found = second_looks.eligible(store, study.id, annotator)[_APART:]
    return min(found, key=lambda one: shuffled("again", study.seed, one.vote_id)) if found else None


def turned(store: Store, study: Study, whole: Whole, annotator: str) -> list[int]:
    """The order of the first look reversed."""
    first = current_vote(store, whole.comparison.id, annotator)
    drawn = first.shown_order if first else None
    return (drawn or shown_order(study.seed, whole.comparison.id, annotator, len(whole.answers)))[::-1]


def cast(store: Store, study: Study, lease: Lease, ballot: Ballot, shown: Shown) -> Looked:
    """Store what a person said at a second look: once a repeated id, the newest where they said it again.

    `shown` has the alias as its id. Raises as `voting.cast`; the caller has compared the texts.
    """
    refuse_shapeless(ballot)
    with store.write():
        known = second_looks.find(store, ballot.id)
        if known is not None:
            return Looked(known, False)
        refuse_impossible(ballot, settings_of(study), shown.answers)
        before = second_looks.current(store, study.id, lease.comparison_id, lease.annotator)
        look = _look(store, lease, ballot, shown)
        second_looks.add(store, look)
        workdays.turn(store, as_vote(look), look.shown_order, before._asdict() if before else None)
        leases.turn(store, lease, SECOND, lease.taken_at, 0.0)
    return Looked(look, True)


def undo(store: Store, study: Study, look: Look, undo_id: str) -> Lease | None:
    """Take a second look back and lease it again; None where its lease is gone."""
    at = now()
    second_looks.undo(store, look, undo_id)
    workdays.add(store, as_vote(look), look.choice, look.shown_order, look.created_at, -1)
    lease = leases.second_of(store, look.comparison_id, look.annotator)
    return leases.turn(store, lease, SECOND_BACK, at, at + 60 * settings_of(study).lease_minutes) if lease else None


def _look(store: Store, lease: Lease, ballot: Ballot, shown: Shown) -> Look:
    """The row, compared with the vote that it repeats by position, wherever the answers stood."""
    first = _first(store, lease)
    judged = positioned(ballot, shown.order)
    same = meaning(judged.choice, judged.ranking, judged.rating) == meaning(first.choice, first.ranking, first.rating)
    return Look(
        ballot.id, first.id, lease.comparison_id, lease.study_id, lease.annotator, judged.choice,
        None if judged.ranking is None else json.dumps(judged.ranking), judged.rating, json.dumps(shown.order),
        int(same), ballot.seconds, now(),
    )  # fmt: skip


def _first(store: Store, lease: Lease) -> Vote:
    """The vote that a second look repeats: the one that counts, or the last there was before it was taken back."""
    row = store.one(
        "select * from votes where comparison_id = ? and annotator = ? and choice != 'undo' "
        "order by rowid desc limit 1",
        [lease.comparison_id, lease.annotator],
    )
    if row is None:
        raise AssertionError(f"a second look at {lease.comparison_id} without a first one")
    return Vote.from_row(row)


def as_vote(look: Look) -> Vote:
    """The look as its person sees it: one more vote of theirs."""
    return Vote(
        id=look.id, comparison_id=look.comparison_id, study_id=look.study_id, annotator=look.annotator,
        choice=look.choice, ranking=None if look.ranking is None else json.loads(look.ranking), strength=None,
        criteria=None, rationale=None, edited=None, shown_order=json.loads(look.shown_order), shown_sha256=[],
        seconds=look.seconds, source="studio", supersedes=None, created_at=look.created_at, rating=look.rating,
    )  # fmt: skip
