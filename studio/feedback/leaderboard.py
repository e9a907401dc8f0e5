"""The leaderboard of a study: ratings over all models, and for each pair the win rate with its verdict."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NamedTuple

from storage.comparisons import get_study
from storage.judgements import Contest, contests
from storage.models import list_models
from storage.prompts import content_sha256
from storage.rows import Vote
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.intervals import WinRate, votes_needed, win_rate
from studio.feedback.outcomes import left_chosen, orderings
from studio.feedback.ratings import Result, as_json, rate

# Votes from elsewhere may tell no prompt; each of their comparisons is a unit of its own.
_NO_PROMPT = content_sha256([])


@dataclass(frozen=True)
class Duel:
    """Two models against each other. The win rate is over prompts: votes that share one are averaged first."""

    a: str
    b: str
    wins_a: int
    wins_b: int
    ties: int
    both_bad: int
    rate: WinRate
    needed: int | None

    def to_json(self) -> dict[str, Any]:
        """The keys of DESIGN 4.2."""
        return {
            "a": self.a,
            "b": self.b,
            "wins_a": self.wins_a,
            "wins_b": self.wins_b,
            "ties": self.ties,
            "both_bad": self.both_bad,
            "win_rate": self.rate.rate,
            "interval_anytime": [self.rate.low, self.rate.high],
            "verdict": self.rate.verdict,
            "votes_needed": self.needed,
            "prompts": self.rate.units,
        }


@dataclass(frozen=True)
class Leaderboard:
    """Who wins in a study, and how sure that is."""

    study: str
    ties: str
    models: list[dict[str, Any]]
    duels: list[Duel]
    left_rate: float | None
    """The share of decisive votes that went to the answer on the left; None where nobody knows."""

    left_votes: int
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The keys of DESIGN 4.2."""
        return {
            "study": self.study,
            "ties": self.ties,
            "models": self.models,
            "pairs": [duel.to_json() for duel in self.duels],
            "left_rate": self.left_rate,
            "left_votes": self.left_votes,
            "notes": self.notes,
        }


class _Judged(NamedTuple):
    """One vote on two models: 1.0 where the first won. A model against itself says nothing and is left out."""

    first: str
    second: str
    value: float
    both_bad: bool
    prompt: str


def leaderboard(store: Store, study: str, ties: str = "model") -> Leaderboard:
    """The leaderboard of a study; raises NotFound, or BadInput for an unknown way to count ties."""
    chosen = get_study(store, study)
    votes = [vote for vote in current_votes(store, chosen.id) if vote.choice != "skip"]
    entries = contests(store, chosen.id)
    judged = _judged(votes, entries)
    names = _names(store, chosen.models, entries)
    ratings = rate(len(names), _results(judged, names), ties)
    taken = _taken_part(votes, entries)
    models = [{"name": name, **as_json(ratings, index), "votes": taken[name]} for index, name in enumerate(names)]
    lefts = [left for left in map(left_chosen, votes) if left is not None]
    return Leaderboard(
        chosen.name,
        ties,
        sorted(models, key=lambda model: -model["rating"]),
        _duels(judged, names),
        fmean(lefts) if lefts else None,
        len(lefts),
        ratings.notes,
    )


def _judged(votes: Iterable[Vote], entries: dict[str, Contest]) -> list[_Judged]:
    found = []
    for vote in votes:
        contest = entries[vote.comparison_id]
        for first, second, value in orderings(vote):
            a, b = contest.models[first], contest.models[second]
            if a != b:
                unit = vote.comparison_id if contest.prompt_sha256 == _NO_PROMPT else contest.prompt_sha256
                found.append(_Judged(a, b, value, vote.choice == "both_bad", unit))
    return found


def _names(store: Store, model_ids: Sequence[str], entries: dict[str, Contest]) -> list[str]:
    """The study's models in its order, then others as they first appear (an import names them)."""
    known = {model.id: model.name for model in list_models(store, retired=True)}
    own = [known[model_id] for model_id in model_ids if model_id in known]
    return list(dict.fromkeys([*own, *(name for contest in entries.values() for name in contest.models)]))


def _results(judged: Iterable[_Judged], names: Sequence[str]) -> list[Result]:
    """Results for the ratings; "both bad" is no win, no loss and no tie between equals."""
    index = {name: number for number, name in enumerate(names)}
    return [Result(index[one.first], index[one.second], one.value, one.prompt) for one in judged if not one.both_bad]


def _taken_part(votes: Iterable[Vote], entries: dict[str, Contest]) -> Counter[str]:
    """In how many votes each model took part."""
    return Counter(name for vote in votes for name in set(entries[vote.comparison_id].models))


def _duels(judged: Iterable[_Judged], names: Sequence[str]) -> list[Duel]:
    """Each two models that were compared, in the order of the names."""
    order = {name: number for number, name in enumerate(names)}
    met: dict[tuple[str, str], list[_Judged]] = defaultdict(list)
    for one in judged:
        straight = order[one.first] < order[one.second]
        met[(one.first, one.second) if straight else (one.second, one.first)].append(one if straight else _turned(one))
    return [_duel(a, b, met[a, b]) for a, b in sorted(met, key=lambda pair: (order[pair[0]], order[pair[1]]))]


def _turned(one: _Judged) -> _Judged:
    return one._replace(first=one.second, second=one.first, value=1.0 - one.value)


def _duel(a: str, b: str, judged: Sequence[_Judged]) -> Duel:
    by_prompt: dict[str, list[float]] = defaultdict(list)
    for one in judged:
        by_prompt[one.prompt].append(one.value)
    units = [fmean(values) for values in by_prompt.values()]
    bad = sum(one.both_bad for one in judged)
    return Duel(
        a,
        b,
        wins_a=sum(one.value == 1.0 for one in judged),
        wins_b=sum(one.value == 0.0 for one in judged),
        ties=sum(one.value == 0.5 for one in judged) - bad,
        both_bad=bad,
        rate=win_rate(units),
        needed=votes_needed(units, len(judged)),
    )
