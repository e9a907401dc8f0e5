"""From the browser to the store, whichever look it was: the first one is a vote, a second one is kept apart.

The browser knows a second look by an id like any other and sends what it sends for all; only here they part.
"""

from typing import NamedTuple

from storage import leases, second_looks, votes
from storage.leases import Lease
from storage.rows import Study
from storage.second_looks import Look
from storage.store import Store
from studio.feedback import second_looks as looking
from studio.feedback import voting
from studio.feedback.ballots import Ballot, refuse_undo
from studio.feedback.queue import find, present
from studio.feedback.showing import Shown
from studio.feedback.voting import Given


class Taken(NamedTuple):
    """What an undo took back: the vote's id as the browser made it, or None; and the comparison to show again."""

    id: str | None
    pair: Shown | None


def cast(store: Store, study: Study, annotator: str, ballot: Ballot) -> Given:
    """Store what a person said, once whatever happens; raises as `voting.cast`."""
    lease = leases.by_alias(store, ballot.comparison_id, annotator)
    if lease is None or lease.study_id != study.id:
        return voting.cast(store, study, annotator, ballot)
    shown = present(store, study, lease)
    if second_looks.find(store, ballot.id) is None:
        voting.refuse_unseen(shown, ballot)
    look, new = looking.cast(store, study, lease, ballot, shown)
    return Given(looking.as_vote(look), new, [answer.model_name for answer in shown.answers])


def take_back(store: Store, study: Study, annotator: str, undo_id: str, shown_id: str | None = None) -> Taken:
    """Withdraw the last thing that a person said, or what they said of one comparison, by the id that they know.

    The same `undo_id` a second time withdraws nothing more.
    """
    refuse_undo(undo_id)
    if second_looks.was_undone_by(store, study.id, annotator, undo_id):
        return Taken(None, find(store, study, annotator, shown_id) if shown_id else None)
    lease = leases.by_alias(store, shown_id, annotator) if shown_id else None
    look = None if votes.has_vote(store, undo_id) else _look(store, study, annotator, lease, shown_id)
    if look is not None:
        with store.write():
            # The same undo sent twice at once: who comes second takes back nothing.
            if second_looks.was_undone_by(store, study.id, annotator, undo_id):
                return Taken(None, find(store, study, annotator, shown_id) if shown_id else None)
            again = looking.undo(store, study, look, undo_id)
        return Taken(look.id, present(store, study, again) if again else None)
    vote = None if lease else voting.undo(store, study, annotator, undo_id, shown_id)
    place = vote.comparison_id if vote else shown_id
    return Taken(vote.id if vote else None, find(store, study, annotator, place) if place else None)


def _look(store: Store, study: Study, annotator: str, lease: Lease | None, shown_id: str | None) -> Look | None:
    """The second look that an undo means: the one shown under that id, or the last thing that was said at all."""
    if lease is not None:
        return second_looks.current(store, study.id, lease.comparison_id, annotator)
    look = None if shown_id else second_looks.newest(store, study.id, annotator)
    vote = votes.newest_vote(store, study.id, annotator) if look else None
    return look if look and (vote is None or look.created_at >= vote.created_at) else None
