"""How many pairs are wrong, as far as a study's own votes tell: where people judged the same answers, they disagree.

If every vote is wrong with the same probability e, two votes on the same answers disagree with probability 2e(1 - e);
so the share of disagreeing pairs of votes gives e. A pair that many people made is wrong less often: with a lead of m
votes, its odds of being wrong are (e / (1 - e))^m. The mean over the pairs that a policy makes is what a loss such as
robust DPO (Chowdhury et al. 2024, arXiv:2403.00409) wants to know.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from storage.rows import Vote
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.kept_votes import kept
from studio.feedback.outcomes import orderings

FEWEST_JUDGED_TWICE = 10
"""Answers that must have been compared by two people at least, before their disagreement says anything."""
MOST = 0.4
"""A share of wrong votes near one half is no knowledge: the loss divides by what is left of it."""


class Sides(NamedTuple):
    """How many preferred the first and how many the second of two answers."""

    first: int
    second: int


def doubt_of(store: Store, study_id: str, policy: str) -> float | None:
    """The share of a policy's pairs that are probably wrong; None where too little was judged twice."""
    votes = kept(store, study_id, current_votes(store, study_id)).votes
    return doubt(sides_of(votes), policy)


def doubt(sides: Sequence[Sides], policy: str) -> float | None:
    """The same from counts of votes."""
    twice = [one for one in sides if one.first + one.second > 1]
    if len(twice) < FEWEST_JUDGED_TWICE:
        return None
    disagreeing = sum(one.first * one.second for one in twice)
    everyone = sum(math.comb(one.first + one.second, 2) for one in twice)
    share = min(disagreeing / everyone, 0.5)
    wrong = (1 - math.sqrt(1 - 2 * share)) / 2
    return round(min(_of_pairs(sides, wrong, policy), MOST), 3)


def _of_pairs(sides: Sequence[Sides], wrong: float, policy: str) -> float:
    """The share of wrong pairs, where a vote is wrong with this probability."""
    if policy == "each" or not wrong:
        return wrong
    leads = [abs(one.first - one.second) for one in sides if policy != "unanimous" or 0 in one]
    made = [lead for lead in leads if lead]
    odds = wrong / (1 - wrong)
    return sum(odds**lead / (1 + odds**lead) for lead in made) / len(made) if made else wrong


def sides_of(votes: Iterable[Vote]) -> list[Sides]:
    """Who was preferred, for each two answers on which somebody decided."""
    found: dict[tuple[str, int, int], list[int]] = {}
    for vote in votes:
        for first, second, value in orderings(vote):
            if value != 0.5:
                found.setdefault((vote.comparison_id, first, second), [0, 0])[value == 0.0] += 1
    return [Sides(first, second) for first, second in found.values()]
