"""What agreement is measured on: labels from elsewhere, votes, ratings of answers, or ratings of one criterion.

Of a vote on two answers the label is who won; of a ranking each two answers are an item of their own; of a rating it is
the number. A study that holds ratings and other votes is measured on whichever are more, and the rest is named.
"""

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from storage.judgements import Said, labels
from storage.rows import RANKED, RATED
from storage.store import Store
from studio.feedback.counting import Counted, count, orderings_of
from studio.feedback.criteria import of_criterion, scores
from studio.feedback.kept_votes import kept
from studio.feedback.outcomes import LETTERS

# Votes in the order from "A is better" to "B is better"; that both are bad says as little about who won as a tie.
VOTE_ORDER: Mapping[str, float] = {"a": 0.0, "tie": 1.0, "both_bad": 1.0, "b": 2.0}
_WINNER: Mapping[float, str] = {1.0: "a", 0.5: "tie", 0.0: "b"}


class Judgement(NamedTuple):
    """One person's label of one item."""

    item: str
    annotator: str
    label: Hashable


class Labelled(NamedTuple):
    """Judgements that count, and what was left out. `of`: labels, votes, ratings or criterion."""

    of: str
    judgements: list[Judgement]
    excluded: list[dict[str, Any]]
    notes: list[str]
    counted: Counted
    votes: Sequence[Said]
    """Those that the judgements come from; empty for labels and criteria."""


def labelled(store: Store, study: str, criterion: str | None = None, with_excluded: bool = False) -> Labelled:
    """The judgements of a study: of a criterion if one is given, else its labels where it has any, else its votes.

    Raises NotFound for an unknown study or criterion.
    """
    counted = count(store, study, with_excluded)
    if criterion is not None:
        found = scores(store, counted.study.id, with_excluded, counted.expected)
        chosen = [Judgement(one.item, one.annotator, one.value) for one in of_criterion(store, study, criterion, found)]
        return Labelled("criterion", chosen, counted.excluded, counted.gold_notes, counted, ())
    own = kept(store, counted.study.id, labels(store, counted.study.id), with_excluded)
    if own.votes:
        decoded = [Judgement(one.item, one.annotator, json.loads(one.label)) for one in own.votes]
        known = [one for one in decoded if one.label is not None]
        return Labelled("labels", known, own.excluded, [], counted, ())
    return _voted(counted)


def _voted(counted: Counted) -> Labelled:
    rated = [vote for vote in counted.votes if vote.choice == RATED]
    others = [vote for vote in counted.votes if vote.choice != RATED]
    if len(rated) > len(others):
        judged = [Judgement(vote.comparison_id, vote.annotator, vote.rating) for vote in rated]
        notes = _rest(len(others), "votes that are no ratings") + counted.gold_notes
        return Labelled("ratings", judged, counted.excluded, notes, counted, rated)
    judged = [one for vote in others for one in _of_vote(vote)]
    notes = _rest(len(rated), "ratings of single answers") + counted.gold_notes
    return Labelled("votes", judged, counted.excluded, notes, counted, others)


def _of_vote(vote: Said) -> list[Judgement]:
    """One judgement, or of a ranking one for each two answers."""
    if vote.choice == RANKED:
        return [
            Judgement(
                f"{vote.comparison_id}:{LETTERS[one.first]}{LETTERS[one.second]}", vote.annotator, _WINNER[one.value]
            )
            for one in orderings_of(vote)
        ]
    return [Judgement(vote.comparison_id, vote.annotator, vote.choice)] if vote.choice in VOTE_ORDER else []


def _rest(number: int, what: str) -> list[str]:
    return [f"{number} {what} are left out here."] if number else []
