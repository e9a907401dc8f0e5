"""Voting: what becomes of a vote.

A vote is one insert under an id that the browser made: sent twice it counts once. It names the hashes of the texts
that were shown; where the stored texts are others by now, it is refused, because it would judge something unseen.
"""

from typing import NamedTuple

from storage import votes
from storage.clock import new_id, now
from storage.comparisons import get_comparison
from storage.errors import Conflict, NotReady
from storage.leases import BACK
from storage.rows import Study, Vote
from storage.store import Store
from studio.feedback.ballots import SKIP, Ballot, positioned, refuse_impossible, refuse_shapeless, refuse_undo
from studio.feedback.fixing import bring_in_line
from studio.feedback.queue import refuse_stranger, reserve
from studio.feedback.showing import Shown, show
from studio.feedback.study_settings import settings_of

_JUDGED = ("ready", "retired", "continued")  # states in which the answers are whole


class Given(NamedTuple):
    """A stored vote, whether it was new, and who wrote what was shown, from left to right."""

    vote: Vote
    new: bool
    reveal: list[str]


def cast(store: Store, study: Study, annotator: str, ballot: Ballot) -> Given:
    """Store a vote, once whatever happens; a second one on the same comparison supersedes the first.

    Raises BadInput for what no vote can say, or what this study's settings ask for and it does not say; NotReady
    before the answers are whole; Conflict where the texts shown are not the stored ones (stale) or the id belongs to
    another comparison.
    """
    refuse_shapeless(ballot)
    whole = get_comparison(store, ballot.comparison_id)
    if whole.comparison.study_id != study.id:
        raise Conflict("This comparison belongs to another study; reload the page.")
    shown = show(study, whole, annotator)
    before = votes.current_vote(store, whole.comparison.id, annotator)
    if before and before.shown_order:  # a vote changed later: the sides are those of the first time
        shown = show(study, whole, annotator, before.shown_order)
    if not votes.has_vote(store, ballot.id):
        refuse_stranger(store, settings_of(study), annotator, whole.comparison.id)
        refuse_unseen(shown, ballot)
        refuse_impossible(ballot, settings_of(study), shown.answers)
    stored = votes.cast(store, vote_of(study, annotator, ballot, shown, before))
    if stored.vote.comparison_id != whole.comparison.id or stored.vote.annotator != annotator:
        raise Conflict("A vote with this id was given on another comparison; reload the page.")
    if stored.vote.edited or stored.vote.supersedes:
        bring_in_line(store, study)
    return Given(stored.vote, stored.new, [answer.model_name for answer in shown.answers])


def undo(store: Store, study: Study, annotator: str, undo_id: str, comparison_id: str | None = None) -> Vote | None:
    """Withdraw the last vote of a person (or the one on a comparison) by a superseding row; returns the vote.

    The same `undo_id` a second time withdraws nothing more. None where there is nothing to withdraw.
    """
    refuse_undo(undo_id)
    vote = _withdraw(store, study, annotator, undo_id, comparison_id)
    if vote is None or vote.edited:  # an undo that is sent again may have been cut short before this
        bring_in_line(store, study)
    return vote


def _withdraw(store: Store, study: Study, annotator: str, undo_id: str, comparison_id: str | None) -> Vote | None:
    with store.write():
        if votes.has_vote(store, undo_id):
            return None
        if comparison_id:
            vote = votes.current_vote(store, comparison_id, annotator)
        else:
            vote = votes.newest_vote(store, study.id, annotator)
        if vote is None or vote.study_id != study.id:
            return None
        votes.cast(store, withdrawal(vote, undo_id))
        reserve(store, study, annotator, vote.comparison_id, BACK)
    return vote


def vote_of(study: Study, annotator: str, ballot: Ballot, shown: Shown, before: Vote | None) -> Vote:
    """The ballot as a row: by position, whatever stood left."""
    judged = positioned(ballot, shown.order)
    return Vote(
        id=ballot.id, comparison_id=shown.whole.comparison.id, study_id=study.id, annotator=annotator,
        choice=judged.choice, ranking=judged.ranking, strength=ballot.strength, criteria=judged.criteria,
        rationale=(ballot.rationale or "").strip() or None, edited=judged.edited, shown_order=shown.order,
        shown_sha256=[answer.sha256 or "" for answer in shown.whole.answers], seconds=ballot.seconds, source="studio",
        supersedes=before.id if before else None, created_at=now(), chips=list(ballot.chips or ()) or None,
        rating=judged.rating, reason=(ballot.reason or "").strip() or None if ballot.choice == SKIP else None,
        edited_position=judged.edited_position, guidelines=ballot.guidelines,
    )  # fmt: skip


def refuse_unseen(shown: Shown, ballot: Ballot) -> None:
    """A skip judges nothing and is always taken."""
    if ballot.choice == SKIP:
        return
    if shown.whole.comparison.state not in _JUDGED:
        raise NotReady("These answers are not complete yet; vote when all of them are.")
    if list(ballot.shown_sha256) != [answer.sha256 for answer in shown.answers]:
        raise Conflict("The answers have changed since they were shown, so this vote was not kept; look at them again.")


def withdrawal(vote: Vote, undo_id: str | None = None) -> Vote:
    """The row that takes a vote back."""
    return Vote(
        id=undo_id or new_id(), comparison_id=vote.comparison_id, study_id=vote.study_id, annotator=vote.annotator,
        choice="undo", ranking=None, strength=None, criteria=None, rationale=None, edited=None,
        shown_order=vote.shown_order, shown_sha256=vote.shown_sha256, seconds=None, source=vote.source,
        supersedes=vote.id, created_at=now(),
    )  # fmt: skip
