"""The leaderboard of a study: ratings over all models, and for each pair the win rate with its verdict.

It is kept in the store under a mark of the study's votes and exclusions, and counted again only after the next one.
"""

import gc
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any, Self

from storage.adjudications import standing
from storage.comparisons import get_study
from storage.judgements import Contest, Said, counting_mark
from storage.store import Store
from studio.feedback.adjudication import against_majority, of_counted
from studio.feedback.counting import Counted, Judged, count, left_of
from studio.feedback.cycles import cycles
from studio.feedback.intervals import WinRate, votes_needed, win_rates
from studio.feedback.ratings import Result, as_json, checked_ties, rate
from studio.feedback.ratings_table import means, ratings_of

# Of what is kept; another number makes every study count again.
_FORM = 3


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

    @property
    def votes(self) -> int:
        """All votes on the two."""
        return self.wins_a + self.wins_b + self.ties + self.both_bad

    @classmethod
    def from_json(cls, pair: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        low, high = pair["interval_anytime"]
        own = {name: pair[name] for name in ("a", "b", "wins_a", "wins_b", "ties", "both_bad")}
        return cls(**own, rate=WinRate(pair["win_rate"], low, high, pair["prompts"]), needed=pair["votes_needed"])


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
    cycles: list[dict[str, Any]] = field(default_factory=list)
    """Models that beat each other in a circle, by point estimate."""

    excluded: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ratings: list[dict[str, Any]] = field(default_factory=list)
    """Of single answers: the mean of each model with its interval."""

    gold: dict[str, int] = field(default_factory=dict)
    """Comparisons with known answers and votes on them; they count for nothing here."""

    fit: dict[str, float] = field(default_factory=dict)
    """How well one scale tells who beats whom: residual deviance, degrees of freedom."""

    adjudicated: dict[str, int] = field(default_factory=dict)
    """Comparisons that somebody decided, and on how many of them against the majority; votes are counted here."""

    def to_json(self) -> dict[str, Any]:
        """The keys of DESIGN 4.2."""
        return {
            "study": self.study,
            "ties": self.ties,
            "models": self.models,
            "pairs": [duel.to_json() for duel in self.duels],
            "left_rate": self.left_rate,
            "left_votes": self.left_votes,
            "cycles": self.cycles,
            "excluded": self.excluded,
            "notes": self.notes,
            "ratings": self.ratings,
            "gold": self.gold,
            "fit": self.fit,
            "adjudicated": self.adjudicated,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        rest = {name: value for name, value in kept.items() if name != "pairs"}
        return cls(**rest, duels=[Duel.from_json(pair) for pair in kept["pairs"]])


def leaderboard(store: Store, study: str, ties: str = "model", with_excluded: bool = False) -> Leaderboard:
    """The leaderboard of a study; raises NotFound, or BadInput for an unknown way to count ties."""
    checked_ties(ties)
    chosen = get_study(store, study)
    key = f"leaderboard:{chosen.id}:{ties}:{int(with_excluded)}"
    asked = [chosen.settings.get(name) for name in ("scale", "contestants")]
    mark = [_FORM, chosen.name, asked, counting_mark(store, chosen.id)]
    kept = store.value("select value from meta where key = ?", [key])
    if kept and (known := json.loads(kept))["mark"] == mark:
        return Leaderboard.from_json(known["board"])
    with _no_collections():
        counted = count(store, study, with_excluded)
        found = replace(board(counted, ties), adjudicated=_adjudicated(store, counted))
    text = json.dumps({"mark": mark, "board": found.to_json()})
    store.execute("insert or replace into meta (key, value) values (?, ?)", [key, text])
    return found


@contextmanager
def _no_collections() -> Iterator[None]:
    """Put garbage collections off: walking half a million new tuples again and again takes half of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def board(counted: Counted, ties: str = "model") -> Leaderboard:
    """The leaderboard of what was counted."""
    names = counted.names
    ratings = rate(len(names), _results(counted.judged, names), ties)
    taken = _taken_part(counted.votes, counted.contests)
    bad = _taken_part([vote for vote in counted.votes if vote.choice == "both_bad"], counted.contests)
    models = [
        {"name": name, **as_json(ratings, index), "votes": taken[name], "both_bad": bad[name]}
        for index, name in enumerate(names)
    ]
    lefts = [left for left in map(left_of, counted.votes) if left is not None]
    duels = _duels(counted.judged, names)
    return Leaderboard(
        counted.study.name,
        ties,
        sorted(models, key=lambda model: -model["rating"]),
        duels,
        fmean(lefts) if lefts else None,
        len(lefts),
        [cycle.to_json() for cycle in cycles((duel.a, duel.b, duel.rate.rate, duel.votes) for duel in duels)],
        counted.excluded,
        ratings.notes + counted.gold_notes,
        [mean.to_json() for mean in means(ratings_of(counted), names)],
        counted.gold_json,
        ratings.fit,
    )


def _adjudicated(store: Store, counted: Counted) -> dict[str, int]:
    """How many comparisons somebody decided, and how many of them otherwise than most votes say."""
    decided = standing(store, counted.study.id)
    if not decided:
        return {"comparisons": 0, "against_majority": 0}
    return {"comparisons": len(decided), "against_majority": against_majority(of_counted(counted, decided))}


def _results(judged: Iterable[Judged], names: Sequence[str]) -> Iterator[Result]:
    """Results for the ratings; "both bad" is no win, no loss and no tie between equals."""
    index = {name: number for number, name in enumerate(names)}
    return (Result(index[one.first], index[one.second], one.value, one.prompt) for one in judged if not one.both_bad)


def _taken_part(votes: Iterable[Said], entries: dict[str, Contest]) -> Counter[str]:
    """In how many votes each model took part."""
    together = Counter(vote.comparison_id for vote in votes)
    taken = Counter[str]()
    for comparison_id, number in together.items():
        for name in set(entries[comparison_id].models):
            taken[name] += number
    return taken


def _duels(judged: Iterable[Judged], names: Sequence[str]) -> list[Duel]:
    """Each two models that were compared, in the order of the names."""
    order = {name: number for number, name in enumerate(names)}
    met: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for first, second, value, bad, prompt, _ in judged:
        if order[first] < order[second]:
            met[first, second].add(value, bad, prompt)
        else:
            met[second, first].add(1.0 - value, bad, prompt)
    pairs = sorted(met, key=lambda pair: (order[pair[0]], order[pair[1]]))
    units = [met[pair].units for pair in pairs]
    return [met[pair].duel(*pair, own, rate) for pair, own, rate in zip(pairs, units, win_rates(units), strict=True)]


class _Tally:
    """What was said about two models."""

    def __init__(self) -> None:
        self.values = Counter[float]()
        self.bad = 0
        self.by_prompt: dict[str, list[float]] = {}

    def add(self, value: float, bad: bool, prompt: str) -> None:
        """Count one vote."""
        self.values[value] += 1
        self.bad += bad
        self.by_prompt.setdefault(prompt, []).append(value)

    @property
    def units(self) -> list[float]:
        """One value a prompt."""
        return [sum(values) / len(values) for values in self.by_prompt.values()]

    def duel(self, a: str, b: str, units: Sequence[float], rate: WinRate) -> Duel:
        """The same with its verdict."""
        needed = votes_needed(units, self.values.total())
        ties = self.values[0.5] - self.bad
        return Duel(a, b, self.values[1.0], self.values[0.0], ties, self.bad, rate, needed)
