"""From votes to training data: named policies, and a count of everything that they leave out.

Only votes on prompts of the split "train" make training data; the others measure, in every study. A policy says when
votes on one comparison agree enough. Options say what becomes of the rest: ties make nothing unless they are kept for
methods that can use them (fed to plain DPO they hurt: Chen et al. 2024, "On extending direct preference optimization
to accommodate ties"); "both bad" can make negatives for KTO; a ranking makes all its pairs or the best against each
other one; the margin is the strength of the votes, 0 negligible to 3 significant, or none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NamedTuple

from storage.comparisons import get_study
from storage.errors import BadInput
from storage.judgements import wholes
from storage.prompts import Messages
from storage.rows import Answer, Comparison, Vote
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.exclusions import kept
from studio.feedback.outcomes import DRAWS, orderings, ranks

CHOICES: Mapping[str, Sequence[str]] = {
    "margin": ("strength", "none"),
    "ties": ("drop", "keep"),
    "both_bad": ("drop", "negatives"),
    "ranking": ("all", "best"),
}


@dataclass(frozen=True)
class Options:
    """What becomes of margins, ties, bad answers and rankings; each is one of `CHOICES`."""

    margin: str = "strength"
    ties: str = "drop"
    both_bad: str = "drop"
    ranking: str = "all"

    def __post_init__(self) -> None:
        """Raise BadInput for a word that is no choice."""
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise BadInput(f'"{name}" is one of {", ".join(words)}, not "{getattr(self, name)}".')


AS_USUAL = Options()


@dataclass(frozen=True)
class Pair:
    """One preference: a prompt, the better and the worse answer, and how much better if somebody said so.

    `weight`: by how large a share of the votes the better answer leads, under the policy "weighted"; else 1. Of a
    tie, `chosen` and `rejected` are equally good.
    """

    id: str
    prompt: Messages
    prompt_sha256: str
    chosen: Messages
    rejected: Messages
    margin: float | None
    comparison_id: str
    weight: float = 1.0


@dataclass(frozen=True)
class Negative:
    """An answer that people called bad: a row of KTO with the label false."""

    prompt: Messages
    prompt_sha256: str
    completion: Messages
    comparison_id: str


@dataclass(frozen=True)
class Preferences:
    """What a policy makes of votes, and how many votes or comparisons it left out for which reason."""

    pairs: list[Pair]
    dropped: dict[str, int] = field(default_factory=dict)
    ties: list[Pair] = field(default_factory=list)
    negatives: list[Negative] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Counts for a preview."""
        return {
            "rows": len(self.pairs),
            "ties": len(self.ties),
            "negatives": len(self.negatives),
            "prompts": len(
                {one.prompt_sha256 for one in (*self.pairs, *self.ties)} | {one.prompt_sha256 for one in self.negatives}
            ),
            "with_margin": sum(pair.margin is not None for pair in self.pairs),
            "dropped": self.dropped,
        }


class _Win(NamedTuple):
    """One answer preferred to another of the same comparison, by position."""

    better: int
    worse: int
    margin: float | None
    id: str
    weight: float = 1.0


class _Draw(NamedTuple):
    """A tie or both bad, and the id of a vote that says so."""

    kind: str
    id: str


class _Verdict(NamedTuple):
    """What a policy makes of the votes on one comparison."""

    wins: Sequence[_Win]
    draws: Sequence[_Draw]
    dropped: Counter[str]


class _Votes(NamedTuple):
    """The votes on one comparison."""

    comparison: Comparison
    answers: list[Answer]
    votes: list[Vote]


class _Material(NamedTuple):
    """The votes of a study by comparison, and how many were left out before any policy looked."""

    given: list[_Votes]
    dropped: Counter[str]


def each(votes: Sequence[Vote], best: bool = False) -> _Verdict:
    """Every decisive vote is a pair: many people, many pairs."""
    wins, draws = [], []
    for vote in votes:
        found = _wins(vote, best)
        wins += found
        if not found:
            draws.append(_Draw(_kind(vote), vote.id))
    return _Verdict(wins, draws, Counter())


def majority(votes: Sequence[Vote], best: bool = False) -> _Verdict:
    """One pair a comparison, where more than half of all who judged it prefer the same answer."""
    return _agreed(votes, best, lambda agree, all_votes: agree * 2 > all_votes, "no majority")


def unanimous(votes: Sequence[Vote], best: bool = False) -> _Verdict:
    """One pair a comparison, where all who judged it prefer the same answer."""
    return _agreed(votes, best, lambda agree, all_votes: agree == all_votes, "not unanimous")


def weighted(votes: Sequence[Vote], best: bool = False) -> _Verdict:
    """One pair a comparison, for the answer that more people prefer, weighted by its lead over all who judged it."""
    sides = _sides(votes, best)
    wins = []
    for (better, worse), agreeing in sides.items():
        lead = len(agreeing) - len(sides.get((worse, better), ()))
        if lead > 0:
            wins.append(_Win(better, worse, _margin(agreeing), agreeing[0].id, lead / len(votes)))
    return _Verdict(wins, [], Counter()) if wins else _undecided(votes, bool(sides), lambda n, of: n * 2 > of, "split")


POLICIES: Mapping[str, Callable[[Sequence[Vote], bool], _Verdict]] = {
    "each": each,
    "majority": majority,
    "unanimous": unanimous,
    "weighted": weighted,
}


def preferences(
    store: Store, study: str, policy: str = "each", options: Options = AS_USUAL, with_excluded: bool = False
) -> Preferences:
    """What a policy makes of a study's votes; raises BadInput for an unknown policy, NotFound."""
    if policy not in POLICIES:
        raise BadInput(f'There is no policy "{policy}"; there are {", ".join(POLICIES)}.')
    return _apply(_material(store, study, with_excluded), policy, options)


def preview(store: Store, study: str, options: Options = AS_USUAL, with_excluded: bool = False) -> list[dict[str, Any]]:
    """What each policy would make, as counts; the votes are read once."""
    material = _material(store, study, with_excluded)
    return [
        {"policy": name, "meaning": (policy.__doc__ or "").strip(), **_apply(material, name, options).to_json()}
        for name, policy in POLICIES.items()
    ]


def _material(store: Store, study: str, with_excluded: bool) -> _Material:
    chosen = get_study(store, study)
    counting = kept(store, chosen.id, current_votes(store, chosen.id), with_excluded)
    dropped = Counter(skip=sum(vote.choice == "skip" for vote in counting.votes))
    dropped["excluded"] = sum(one["votes"] for one in counting.excluded if not one["counted"])
    by_comparison: dict[str, list[Vote]] = {}
    for vote in counting.votes:
        if vote.choice != "skip":
            by_comparison.setdefault(vote.comparison_id, []).append(vote)
    found = wholes(store, chosen.id)
    given = [_Votes(*found[identity], votes) for identity, votes in by_comparison.items()]
    dropped["measure prompt"] = sum(len(one.votes) for one in given if one.comparison.split == "measure")
    return _Material([one for one in given if one.comparison.split != "measure"], dropped)


def _apply(material: _Material, policy: str, options: Options) -> Preferences:
    made = Preferences([])
    dropped = Counter(material.dropped)
    for one in material.given:
        verdict = POLICIES[policy](one.votes, options.ranking == "best")
        dropped.update(verdict.dropped)
        for win in verdict.wins:
            reason = _unusable(one.comparison, one.answers[win.better], one.answers[win.worse])
            if reason:
                dropped[reason] += 1
            else:
                made.pairs.append(_pair(one, win if options.margin == "strength" else win._replace(margin=None)))
        for draw in verdict.draws:
            dropped[draw.kind] += not _kept_draw(made, one, draw, options)
        if options.both_bad == "negatives" and any(draw.kind == "both_bad" for draw in verdict.draws):
            made.negatives.extend(_negatives(one))
    counts = {reason: count for reason, count in sorted(dropped.items()) if count}
    return Preferences(made.pairs, counts, made.ties, made.negatives)


def _kept_draw(made: Preferences, one: _Votes, draw: _Draw, options: Options) -> bool:
    """Whether something is made of a draw; a tie is put where ties are kept."""
    if draw.kind == "both_bad":
        return options.both_bad == "negatives" and bool(_negatives(one))
    if options.ties == "drop" or len(one.answers) < 2 or _unusable(one.comparison, *one.answers[:2]):
        return False
    made.ties.append(_pair(one, _Win(0, 1, None, draw.id)))
    return True


def _negatives(one: _Votes) -> list[Negative]:
    """All answers of a comparison, where all have a text."""
    if not one.comparison.prompt or not all(answer.text for answer in one.answers):
        return []
    return [
        Negative(one.comparison.prompt, one.comparison.prompt_sha256, _said(answer), one.comparison.id)
        for answer in one.answers
    ]


def _kind(vote: Vote) -> str:
    return vote.choice if vote.choice in DRAWS else "tie"


def _wins(vote: Vote, best: bool) -> list[_Win]:
    """The decisive orderings of a vote; one, or for a ranking all its pairs, or those of its best answers."""
    margin = None if vote.strength is None else float(vote.strength)
    top = ranks(vote.ranking) if best and vote.ranking else {}
    found = []
    for first, second, value in orderings(vote):
        if value != 0.5:
            better, worse = (first, second) if value == 1.0 else (second, first)
            if top.get(better, 0) == 0:
                found.append(_Win(better, worse, margin, f"{vote.id}-{better}{worse}" if vote.ranking else vote.id))
    return found


def _sides(votes: Iterable[Vote], best: bool) -> dict[tuple[int, int], list[_Win]]:
    """Who prefers which answer to which other one."""
    sides: dict[tuple[int, int], list[_Win]] = {}
    for vote in votes:
        for win in _wins(vote, best):
            sides.setdefault((win.better, win.worse), []).append(win)
    return sides


def _margin(agreeing: Sequence[_Win]) -> float | None:
    margins = [win.margin for win in agreeing if win.margin is not None]
    return fmean(margins) if margins else None


def _agreed(votes: Sequence[Vote], best: bool, enough: Callable[[int, int], bool], reason: str) -> _Verdict:
    """One win a pair of answers on which enough votes agree."""
    sides = _sides(votes, best)
    wins = [
        _Win(better, worse, _margin(agreeing), agreeing[0].id)
        for (better, worse), agreeing in sides.items()
        if enough(len(agreeing), len(votes))
    ]
    return _Verdict(wins, [], Counter()) if wins else _undecided(votes, bool(sides), enough, reason)


def _undecided(votes: Sequence[Vote], decisive: bool, enough: Callable[[int, int], bool], reason: str) -> _Verdict:
    """A draw where enough votes say so, or nobody preferred anything; else nothing, for the reason given."""
    draws = Counter(_kind(vote) for vote in votes if not _wins(vote, best=False))
    for kind, number in draws.most_common(1):
        if enough(number, len(votes)) or not decisive:
            identity = next(vote.id for vote in votes if _kind(vote) == kind)
            agreed = enough(number, len(votes))
            return _Verdict([], [_Draw(kind, identity)] if agreed else [], Counter({kind: int(not agreed)}))
    return _Verdict([], [], Counter({reason: int(bool(votes))}))


def _unusable(comparison: Comparison, chosen: Answer, rejected: Answer) -> str | None:
    """Why nothing can be learnt from this pair, or None."""
    if not comparison.prompt or not chosen.text or not rejected.text:
        return "no text"
    return "identical answers" if chosen.text == rejected.text else None


def _said(answer: Answer) -> Messages:
    return [{"role": "assistant", "content": answer.text}]


def _pair(one: _Votes, win: _Win) -> Pair:
    return Pair(
        id=win.id,
        prompt=one.comparison.prompt,
        prompt_sha256=one.comparison.prompt_sha256,
        chosen=_said(one.answers[win.better]),
        rejected=_said(one.answers[win.worse]),
        margin=win.margin,
        comparison_id=one.comparison.id,
        weight=win.weight,
    )
