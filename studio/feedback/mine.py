"""A person's own votes, newest first, as they saw and said them: sides from left to right again.

Nobody sees another one's votes here, whatever their role. Names are told to those alone who may see results.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.comparisons import get_comparison
from storage.rows import Study, Vote
from storage.store import Store
from storage.votes import newest_votes
from studio.feedback.ballots import SIDES, SKIP
from studio.feedback.outcomes import LETTERS
from studio.feedback.showing import Shown, show

MOST = 100
"""Votes of one page."""


class Mine(NamedTuple):
    """One vote with what was shown."""

    vote: Vote
    shown: Shown

    def to_json(self, names: bool) -> dict[str, Any]:
        """For the browser; with who wrote what, from left to right, where `names` may be told."""
        vote, order = self.vote, self.shown.order
        told = {
            "vote": vote.id,
            "comparison": vote.comparison_id,
            "created_at": vote.created_at,
            "choice": _choice(vote.choice, order),
            "ranking": None if vote.ranking is None else _by_side(vote.ranking, order),
            "rating": vote.rating,
            "strength": vote.strength,
            "criteria": _criteria(vote.criteria, order),
            "chips": vote.chips,
            "rationale": vote.rationale,
            "edited": None if vote.edited is None else {"side": _edited_side(vote, order), "text": vote.edited},
            "reason": vote.reason,
            "pair": self.shown.to_json(),
        }
        if names and vote.choice != SKIP:  # a skip is no vote: it may be judged yet
            told["reveal"] = [answer.model_name for answer in self.shown.answers]
        return told


class MyVotes(NamedTuple):
    """A page of one's own votes, and whether older ones follow."""

    votes: list[Mine]
    more: bool


def my_votes(store: Store, study: Study, annotator: str, before: str | None = None, limit: int = 20) -> MyVotes:
    """The newest votes of a person that count, skips included, or those given before the vote of that id."""
    wanted = max(1, min(limit, MOST))
    found = newest_votes(store, study.id, annotator, wanted + 1, before or None)
    votes = [
        Mine(vote, show(study, get_comparison(store, vote.comparison_id), annotator, vote.shown_order))
        for vote in found[:wanted]
    ]
    return MyVotes(votes, len(found) > wanted)


def _choice(choice: str, order: Sequence[int]) -> str:
    """The choice as it was seen; of more than two answers a letter never is one."""
    if choice in LETTERS and len(order) == len(SIDES):
        return SIDES[order.index(LETTERS.index(choice))]
    return choice


def _by_side(ranking: Sequence[int | list[int]], order: Sequence[int]) -> list[list[int]]:
    groups = [group if isinstance(group, list) else [group] for group in ranking]
    return [sorted(order.index(position) for position in group) for group in groups]


def _criteria(criteria: dict[str, Any] | None, order: Sequence[int]) -> dict[str, list[Any]] | None:
    """By key, one value a side; what a file brought in another shape is left as it is."""
    if criteria is None:
        return None
    whole = all(isinstance(values, list) and len(values) == len(order) for values in criteria.values())
    return {key: [values[position] for position in order] for key, values in criteria.items()} if whole else criteria


def _edited_side(vote: Vote, order: Sequence[int]) -> int | None:
    """Which side was mended; a file may not say it."""
    return None if vote.edited_position is None else order.index(vote.edited_position)
