"""Policies: when the votes on one comparison agree enough to teach something, and what becomes of the rest.

A policy is a name, or a name with options behind it: "majority", "weighted,ties=keep,ranking=best". Ties make nothing
unless they are kept for a loss that knows them: fed to plain DPO they hurt (Chen et al. 2024, "On extending direct
preference optimization to accommodate ties", arXiv:2409.17431).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import NamedTuple

from storage.errors import BadInput
from storage.rows import Vote
from studio.feedback.outcomes import DRAWS, orderings, ranks

CHOICES: Mapping[str, Sequence[str]] = {
    "margin": ("strength", "none"),
    "ties": ("drop", "keep"),
    "both_bad": ("drop", "negatives"),
    "ranking": ("all", "best"),
    "edited": ("use", "drop"),
}


@dataclass(frozen=True)
class Options:
    """What becomes of margins, ties, bad answers, rankings and mended answers; each is one of `CHOICES`."""

    margin: str = "strength"
    ties: str = "drop"
    both_bad: str = "drop"
    ranking: str = "all"
    edited: str = "use"

    def __post_init__(self) -> None:
        """Raise BadInput for a word that is no choice."""
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise BadInput(f'"{name}" is one of {", ".join(words)}, not "{getattr(self, name)}".')


AS_USUAL = Options()


class Win(NamedTuple):
    """One answer preferred to another of the same comparison, by position."""

    better: int
    worse: int
    margin: float | None
    id: str
    weight: float = 1.0


class Draw(NamedTuple):
    """A tie or both bad, and the id of a vote that says so."""

    kind: str
    id: str


class Verdict(NamedTuple):
    """What a policy makes of the votes on one comparison."""

    wins: Sequence[Win]
    draws: Sequence[Draw]
    dropped: Counter[str]


def each(votes: Sequence[Vote], best: bool = False) -> Verdict:
    """Every decisive vote is a pair: many people, many pairs."""
    wins, draws = [], []
    for vote in votes:
        found = _wins(vote, best)
        wins += found
        if not found:
            draws.append(Draw(_kind(vote), vote.id))
    return Verdict(wins, draws, Counter())


def majority(votes: Sequence[Vote], best: bool = False) -> Verdict:
    """One pair a comparison, where more than half of all who judged it prefer the same answer."""
    return _agreed(votes, best, lambda agree, all_votes: agree * 2 > all_votes, "no majority")


def unanimous(votes: Sequence[Vote], best: bool = False) -> Verdict:
    """One pair a comparison, where all who judged it prefer the same answer."""
    return _agreed(votes, best, lambda agree, all_votes: agree == all_votes, "not unanimous")


def weighted(votes: Sequence[Vote], best: bool = False) -> Verdict:
    """One pair a comparison, for the answer that more people prefer, weighted by its lead over all who judged it."""
    sides = _sides(votes, best)
    wins = []
    for (better, worse), agreeing in sides.items():
        lead = len(agreeing) - len(sides.get((worse, better), ()))
        if lead > 0:
            wins.append(Win(better, worse, _margin(agreeing), agreeing[0].id, lead / len(votes)))
    return Verdict(wins, [], Counter()) if wins else _undecided(votes, bool(sides), lambda n, of: n * 2 > of, "split")


POLICIES: Mapping[str, Callable[[Sequence[Vote], bool], Verdict]] = {
    "each": each,
    "majority": majority,
    "unanimous": unanimous,
    "weighted": weighted,
}


class Wish(NamedTuple):
    """A policy with its options, as somebody writes them."""

    policy: str
    options: Options


def refuse_unknown(policy: str) -> None:
    """Raise BadInput where there is no such policy."""
    if policy not in POLICIES:
        raise BadInput(f'There is no policy "{policy}"; there are {", ".join(POLICIES)}.')


def read_policy(words: str) -> Wish:
    """The policy that these words name; raises BadInput with what there is."""
    name, *more = [part.strip() for part in words.split(",")]
    refuse_unknown(name)
    chosen = {}
    for part in more:
        key, found, value = part.partition("=")
        if not found or key.strip() not in CHOICES:
            there = ", ".join(f"{option}={'|'.join(values)}" for option, values in CHOICES.items())
            raise BadInput(f'"{part}" is no option of a policy; there are {there}.')
        chosen[key.strip()] = value.strip()
    return Wish(name, Options(**chosen))


def write_policy(wish: Wish) -> str:
    """The words for a policy, without what is as usual."""
    told = [
        f"{one.name}={getattr(wish.options, one.name)}"
        for one in fields(Options)
        if getattr(wish.options, one.name) != one.default
    ]
    return ",".join([wish.policy, *told])


def _kind(vote: Vote) -> str:
    return vote.choice if vote.choice in DRAWS else "tie"


def _wins(vote: Vote, best: bool) -> list[Win]:
    """The decisive orderings of a vote; one, or for a ranking all its pairs, or those of its best answers."""
    margin = None if vote.strength is None else float(vote.strength)
    top = ranks(vote.ranking) if best and vote.ranking else {}
    found = []
    for first, second, value in orderings(vote):
        if value != 0.5:
            better, worse = (first, second) if value == 1.0 else (second, first)
            if top.get(better, 0) == 0:
                found.append(Win(better, worse, margin, f"{vote.id}-{better}{worse}" if vote.ranking else vote.id))
    return found


def _sides(votes: Iterable[Vote], best: bool) -> dict[tuple[int, int], list[Win]]:
    """Who prefers which answer to which other one."""
    sides: dict[tuple[int, int], list[Win]] = {}
    for vote in votes:
        for win in _wins(vote, best):
            sides.setdefault((win.better, win.worse), []).append(win)
    return sides


def _margin(agreeing: Sequence[Win]) -> float | None:
    margins = [win.margin for win in agreeing if win.margin is not None]
    return fmean(margins) if margins else None


def _agreed(votes: Sequence[Vote], best: bool, enough: Callable[[int, int], bool], reason: str) -> Verdict:
    """One win a pair of answers on which enough votes agree."""
    sides = _sides(votes, best)
    wins = [
        Win(better, worse, _margin(agreeing), agreeing[0].id)
        for (better, worse), agreeing in sides.items()
        if enough(len(agreeing), len(votes))
    ]
    return Verdict(wins, [], Counter()) if wins else _undecided(votes, bool(sides), enough, reason)


def _undecided(votes: Sequence[Vote], decisive: bool, enough: Callable[[int, int], bool], reason: str) -> Verdict:
    """A draw where enough votes say so, or nobody preferred anything; else nothing, for the reason given."""
    draws = Counter(_kind(vote) for vote in votes if not _wins(vote, best=False))
    for kind, number in draws.most_common(1):
        if enough(number, len(votes)) or not decisive:
            identity = next(vote.id for vote in votes if _kind(vote) == kind)
            agreed = enough(number, len(votes))
            return Verdict([], [Draw(kind, identity)] if agreed else [], Counter({kind: int(not agreed)}))
    return Verdict([], [], Counter({reason: int(bool(votes))}))


class Thumbs(NamedTuple):
    """Whether one answer is good, by its ratings: up, down, or None with the reason why nothing is made of it."""

    up: bool | None
    weight: float
    reason: str = ""


def up_or_down(rating: float, scale: int) -> bool | None:
    """A rating as a thumb: above the middle of the scale up, below it down, on it None (three of five)."""
    middle = (1 + scale) / 2
    return None if rating == middle else rating > middle


def thumbs(policy: str, ratings: Sequence[float], scale: int) -> list[Thumbs]:
    """What a policy makes of the ratings of one answer: one thumb a rating under "each", else one at most."""
    said = [up_or_down(rating, scale) for rating in ratings]
    if policy == "each":
        return [Thumbs(one, 1.0, "middle rating") for one in said]
    up, down, of = said.count(True), said.count(False), len(said)
    most, word = max(up, down), up > down
    if not most:
        return [Thumbs(None, 0.0, "middle rating")]
    if policy == "weighted":
        return [Thumbs(word, (most - min(up, down)) / of) if up != down else Thumbs(None, 0.0, "split")]
    enough = most == of if policy == "unanimous" else most * 2 > of
    reason = "not unanimous" if policy == "unanimous" else "no majority"
    return [Thumbs(word if enough else None, 1.0, reason)]
