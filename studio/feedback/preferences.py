"""From votes to preferences: named policies, and a count of everything that they leave out.

Only votes on prompts of the split "train" make preferences; the others measure. Ties make none: fed to plain DPO they
hurt (Chen et al. 2024, "On extending direct preference optimization to accommodate ties").
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NamedTuple

from storage.comparisons import get_comparison, get_study
from storage.errors import BadInput
from storage.prompts import Messages
from storage.rows import Answer, Comparison, Vote
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.outcomes import DRAWS, orderings


@dataclass(frozen=True)
class Pair:
    """One preference: a prompt, the better and the worse answer, and how much better if somebody said so."""

    id: str
    prompt: Messages
    prompt_sha256: str
    chosen: Messages
    rejected: Messages
    margin: float | None
    comparison_id: str


@dataclass(frozen=True)
class Preferences:
    """The pairs of a policy, and how many votes or comparisons it left out for which reason."""

    pairs: list[Pair]
    dropped: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Counts for a preview."""
        return {"rows": len(self.pairs), "dropped": self.dropped}


class _Win(NamedTuple):
    """One answer preferred to another of the same comparison, by position."""

    better: int
    worse: int
    margin: float | None
    id: str


class _Verdict(NamedTuple):
    """What a policy makes of the votes on one comparison."""

    wins: list[_Win]
    dropped: Counter[str]


def each(votes: Sequence[Vote]) -> _Verdict:
    """Every decisive vote is a pair: many people, many pairs."""
    wins, dropped = [], Counter[str]()
    for vote in votes:
        found = _wins(vote)
        wins += found
        if not found:
            dropped[vote.choice if vote.choice in DRAWS else "tie"] += 1
    return _Verdict(wins, dropped)


def majority(votes: Sequence[Vote]) -> _Verdict:
    """One pair a comparison, where more than half of all who judged it prefer the same answer."""
    return _agreed(votes, lambda agree, all_votes: agree * 2 > all_votes, "no majority")


def unanimous(votes: Sequence[Vote]) -> _Verdict:
    """One pair a comparison, where all who judged it prefer the same answer."""
    return _agreed(votes, lambda agree, all_votes: agree == all_votes, "not unanimous")


POLICIES: Mapping[str, Callable[[Sequence[Vote]], _Verdict]] = {
    "each": each,
    "majority": majority,
    "unanimous": unanimous,
}


def preferences(store: Store, study: str, policy: str = "each") -> Preferences:
    """The preferences that a policy makes of a study's votes; raises BadInput for an unknown policy."""
    if policy not in POLICIES:
        raise BadInput(f'There is no policy "{policy}"; there are {", ".join(POLICIES)}.')
    pairs: list[Pair] = []
    dropped = Counter[str]()
    votes = current_votes(store, get_study(store, study).id)
    for comparison_id, given in _by_comparison(votes).items():
        judged = [vote for vote in given if vote.choice != "skip"]
        dropped["skip"] += len(given) - len(judged)
        comparison, answers = get_comparison(store, comparison_id)
        if comparison.split == "measure":
            dropped["measure prompt"] += len(judged)
            continue
        verdict = POLICIES[policy](judged)
        dropped.update(verdict.dropped)
        for win in verdict.wins:
            reason = _unusable(comparison, answers[win.better], answers[win.worse])
            if reason:
                dropped[reason] += 1
            else:
                pairs.append(_pair(comparison, answers, win))
    return Preferences(pairs, {reason: count for reason, count in sorted(dropped.items()) if count})


def _by_comparison(votes: Iterable[Vote]) -> dict[str, list[Vote]]:
    found: dict[str, list[Vote]] = {}
    for vote in votes:
        found.setdefault(vote.comparison_id, []).append(vote)
    return found


def _wins(vote: Vote) -> list[_Win]:
    """The decisive orderings of a vote; one, or for a ranking all its pairs."""
    margin = None if vote.strength is None else float(vote.strength)
    found = []
    for first, second, value in orderings(vote):
        if value != 0.5:
            better, worse = (first, second) if value == 1.0 else (second, first)
            found.append(_Win(better, worse, margin, f"{vote.id}-{better}{worse}" if vote.ranking else vote.id))
    return found


def _agreed(votes: Sequence[Vote], enough: Callable[[int, int], bool], reason: str) -> _Verdict:
    """One win a pair of answers on which enough votes agree."""
    sides: dict[tuple[int, int], list[_Win]] = {}
    for vote in votes:
        for win in _wins(vote):
            sides.setdefault((win.better, win.worse), []).append(win)
    wins = []
    for (better, worse), agreeing in sides.items():
        if enough(len(agreeing), len(votes)):
            margins = [win.margin for win in agreeing if win.margin is not None]
            wins.append(_Win(better, worse, fmean(margins) if margins else None, agreeing[0].id))
    if wins or not votes:
        return _Verdict(wins, Counter())
    draws = Counter(vote.choice for vote in votes if vote.choice in DRAWS)
    return _Verdict([], Counter({reason if sides else max(draws, key=lambda draw: draws[draw], default=reason): 1}))


def _unusable(comparison: Comparison, chosen: Answer, rejected: Answer) -> str | None:
    """Why nothing can be learnt from this pair, or None."""
    if not comparison.prompt or not chosen.text or not rejected.text:
        return "no text"
    return "identical answers" if chosen.text == rejected.text else None


def _pair(comparison: Comparison, answers: Sequence[Answer], win: _Win) -> Pair:
    return Pair(
        id=win.id,
        prompt=comparison.prompt,
        prompt_sha256=comparison.prompt_sha256,
        chosen=[{"role": "assistant", "content": answers[win.better].text}],
        rejected=[{"role": "assistant", "content": answers[win.worse].text}],
        margin=win.margin,
        comparison_id=comparison.id,
    )
