"""What active choice saved against random choice, on the same data: the study's own votes, given out in both orders.

Every judged comparison of the study is put into a pool, and the pool is handed out again: in random order, and each
time the one that tells most (`uncertainty.py`), with the votes that were really given. Both are done for several
seeded shuffles and compared shuffle by shuffle, for in one shuffle each pair's votes come in the same order in both.
Counted are the votes until every verdict stands that stands with all votes (`intervals.told_after`, valid at every
look), and until the widest interval of any pair is as narrow as random order has it at half of the votes.

What it cannot show: a real active study asks comparisons that random choice would not have asked. Of the pool nothing
is left in the end, so both orders end alike, and a saving is how much sooner one of them gets there.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from storage.priorities import texts_of
from storage.store import Store
from studio.feedback.counting import Counted, count
from studio.feedback.intervals import is_told, told_after
from studio.feedback.shuffling import shuffled
from studio.feedback.study_settings import settings_of
from studio.feedback.uncertainty import ALIKE, Known, Pair, likeness, pair_of, worth_of

SHUFFLES = 20
MOST = 2000
"""Judged prompts that are replayed; of a greater study a seeded sample."""

_POINTS = 60  # of the drawn curves
_LOW, _HIGH = 10, 90  # percentiles of the drawn spread
_MARGIN = "An implicit reward's margin takes no part: the engine answers, it does not score answers."


class Atom(NamedTuple):
    """What is given out at once: the votes on one prompt with one line-up, as one result a pair."""

    names: tuple[str, ...]
    results: dict[Pair, float]
    votes: int
    alike: bool


class Spread(NamedTuple):
    """A number over the shuffles: the middle one, and where the middle eight tenths lie."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Against:
    """Votes until something was reached, in both orders. `ratio`: active to random, shuffle by shuffle."""

    random: Spread
    active: Spread
    ratio: Spread

    @property
    def saved(self) -> float | None:
        """The share of votes that active choice saved; None where it was not sooner in nine shuffles of ten."""
        return 1 - self.ratio.median if self.ratio.high < 1 else None

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        spreads = {name: getattr(self, name)._asdict() for name in ("random", "active", "ratio")}
        return {**spreads, "saved": self.saved}


@dataclass(frozen=True)
class Saved:
    """What the page draws. `verdicts`: pairs told with all votes; `width`: the interval that is waited for."""

    study: str
    choice: str
    votes: int
    replayed: int
    near_identical: int
    shuffles: int
    verdicts: list[str]
    until_verdicts: Against | None
    width: float | None
    until_width: Against | None
    curve: dict[str, Any]
    sentence: str
    margin: str = _MARGIN

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        until = {"until_verdicts": self.until_verdicts, "until_width": self.until_width}
        return {**asdict(self), **{name: one.to_json() if one else None for name, one in until.items()}}


def saved(store: Store, study: str, shuffles: int = SHUFFLES) -> Saved:
    """Replay the votes of a study in both orders; raises NotFound."""
    counted = count(store, study)
    atoms = atoms_of(store, counted)
    return replay(atoms, counted.study.name, settings_of(counted.study).choice, shuffles, counted.study.seed)


def replay(atoms: Sequence[Atom], study: str, choice: str, shuffles: int = SHUFFLES, seed: int = 0) -> Saved:
    """Hand the atoms out in both orders, `shuffles` times each."""
    told = _told(atoms)
    runs = [_both(atoms, (seed, turn)) for turn in range(shuffles if atoms else 0)]
    width = _width_at_half(runs) if len(atoms) > 1 else None
    verdicts = _against(runs, lambda run: _votes_until_told(run, told)) if told and runs else None
    narrow = _against(runs, lambda run: run.votes_until(width)) if width is not None else None
    return Saved(
        study=study, choice=choice, votes=sum(atom.votes for atom in atoms), replayed=len(atoms),
        near_identical=sum(atom.alike for atom in atoms), shuffles=len(runs),
        verdicts=[f"{pair[0]} and {pair[1]}" for pair in told], until_verdicts=verdicts, width=width,
        until_width=narrow, curve=_curve(runs), sentence=_sentence(len(atoms), len(told), verdicts, narrow),
    )  # fmt: skip


def atoms_of(store: Store, counted: Counted) -> list[Atom]:
    """The judged comparisons of a study as atoms; a seeded sample of `MOST` where there are more."""
    groups: dict[tuple[str, tuple[str, ...]], _Group] = defaultdict(_Group)
    for one in counted.judged:
        contest = counted.contests[one.vote.comparison_id]
        group = groups[one.prompt, tuple(sorted(contest.models))]
        pair = pair_of(one.first, one.second)
        group.results.setdefault(pair, []).append(one.value if pair[0] == one.first else 1 - one.value)
        group.votes.add(one.vote.id)
        group.comparison = one.vote.comparison_id
    keys = sorted(groups, key=lambda key: shuffled("replay", counted.study.seed, *key))[:MOST]
    texts = texts_of(store, [groups[key].comparison for key in keys])
    return [_atom(key[1], groups[key], texts.get(groups[key].comparison, [])) for key in keys]


class _Group:
    """The votes on one prompt with one line-up, as they are gathered."""

    def __init__(self) -> None:
        self.results: dict[Pair, list[float]] = {}
        self.votes: set[str] = set()
        self.comparison = ""


def _atom(names: tuple[str, ...], group: _Group, texts: Sequence[str]) -> Atom:
    results = {pair: sum(values) / len(values) for pair, values in group.results.items()}
    return Atom(names, results, len(group.votes), len(texts) > 1 and likeness(texts) >= ALIKE)


class Run:
    """One order of the atoms: after each one, the votes so far and the widest interval of any pair."""

    def __init__(self, order: Sequence[Atom]) -> None:
        self.order = order
        self.votes = np.cumsum([atom.votes for atom in order])
        self.widths = np.array(list(_widest(order)))

    def votes_until(self, width: float) -> float:
        """Votes until the widest interval is this narrow; all of them where it never is."""
        there = np.flatnonzero(self.widths <= width + 1e-12)
        return float(self.votes[there[0]] if len(there) else self.votes[-1])

    def width_after(self, votes: float) -> float:
        """The widest interval after so many votes."""
        return float(self.widths[min(int(np.searchsorted(self.votes, votes)), len(self.widths) - 1)])


class Both(NamedTuple):
    """The two orders of one shuffle."""

    random: Run
    active: Run


def _both(atoms: Sequence[Atom], chance: tuple[int, int]) -> Both:
    order = list(np.random.default_rng(shuffled("replay", *chance)).permutation(len(atoms)))
    mixed = [atoms[place] for place in order]
    return Both(Run(mixed), Run(list(active_order(mixed))))


def active_order(atoms: Sequence[Atom]) -> Iterator[Atom]:
    """Each time the atom that tells most; those that tell as much as they come, near-identical answers last.

    A line-up's worth changes only when one of its pairs was judged, so that a heap with stale entries does.
    """
    known: dict[Pair, Known] = {}
    waiting: dict[tuple[str, ...], list[Atom]] = defaultdict(list)
    sharing: dict[Pair, set[tuple[str, ...]]] = defaultdict(set)
    for atom in (atom for atom in atoms if not atom.alike):
        waiting[atom.names].append(atom)
        for pair in atom.results:
            sharing[pair].add(atom.names)
    stamp = dict.fromkeys(waiting, 0)
    heap = [(-worth_of(names, known), place, names, 0) for place, names in enumerate(waiting)]
    places = {names: place for _, place, names, _ in heap}
    heapq.heapify(heap)
    for queue in waiting.values():
        queue.reverse()
    while heap:
        _, _, names, made = heapq.heappop(heap)
        if made != stamp[names] or not waiting[names]:
            continue
        atom = waiting[names].pop()
        yield atom
        for pair, value in atom.results.items():
            known.setdefault(pair, Known()).add(value)
        for other in {names, *(name for pair in atom.results for name in sharing[pair])}:
            stamp[other] += 1
            heapq.heappush(heap, (-worth_of(other, known), places[other], other, stamp[other]))
    yield from (atom for atom in atoms if atom.alike)


def _widest(order: Sequence[Atom]) -> Iterator[float]:
    """The widest interval of any pair after each atom; no win rate leaves [0, 1]."""
    known = {pair: Known() for atom in order for pair in atom.results}
    widths = {pair: one.width() for pair, one in known.items()}
    for atom in order:
        for pair, value in atom.results.items():
            known[pair].add(value)
            widths[pair] = known[pair].width()
        yield min(1.0, max(widths.values()))


def _told(atoms: Sequence[Atom]) -> dict[Pair, bool]:
    """The pairs of which all votes tell who wins, and whether it is the first."""
    values: dict[Pair, list[float]] = defaultdict(list)
    for atom in atoms:
        for pair, value in atom.results.items():
            values[pair].append(value)
    return {pair: sum(units) > len(units) / 2 for pair, units in sorted(values.items()) if is_told(units)}


def _votes_until_told(run: Run, told: dict[Pair, bool]) -> float:
    """Votes until every one of these pairs has been told for the first time."""
    seen: dict[Pair, list[tuple[float, float]]] = {pair: [] for pair in told}
    for atom, votes in zip(run.order, run.votes, strict=True):
        for pair, value in atom.results.items():
            if pair in seen:
                seen[pair].append((value, float(votes)))
    last = 0.0
    for units in seen.values():
        after = told_after([value for value, _ in units])
        last = max(last, units[(after or len(units)) - 1][1])
    return last


def _width_at_half(runs: Sequence[Both]) -> float:
    """How narrow the widest interval is in random order once half of the votes are in: the middle of the shuffles."""
    return float(np.median([run.random.width_after(run.random.votes[-1] / 2) for run in runs]))


def _against(runs: Sequence[Both], measure: Callable[[Run], float]) -> Against:
    random, active = ([measure(getattr(run, name)) for run in runs] for name in ("random", "active"))
    return Against(_spread(random), _spread(active), _spread([a / r for a, r in zip(active, random, strict=True)]))


def _spread(values: Sequence[float]) -> Spread:
    low, median, high = np.percentile(values, [_LOW, 50, _HIGH])
    return Spread(float(median), float(low), float(high))


def _curve(runs: Sequence[Both]) -> dict[str, Any]:
    """The widest interval over the votes, for both orders, with the spread over the shuffles."""
    if not runs:
        return {"votes": [], "random": [], "active": []}
    total = int(runs[0].random.votes[-1])
    at = np.unique(np.linspace(1, total, min(_POINTS, total)).round().astype(int)).tolist()
    drawn = {
        name: [_spread([getattr(run, name).width_after(votes) for run in runs])._asdict() for votes in at]
        for name in ("random", "active")
    }
    return {"votes": at, **drawn}


def _sentence(atoms: int, told: int, verdicts: Against | None, narrow: Against | None) -> str:
    """What it comes to, without promises."""
    if not atoms:
        return "Nobody has voted on two different contestants in this study yet, so there is nothing to compare."
    said = [
        _reached(f"the same {told} verdict{'s' if told > 1 else ''}", verdicts)
        if verdicts
        else "No verdict stands with all votes, so that none can come sooner.",
        _reached("the same width of the widest interval", narrow) if narrow else "",
    ]
    return " ".join(sentence for sentence in said if sentence)


def _reached(what: str, against: Against) -> str:
    active, random = against.active.median, against.random.median
    if against.saved is not None:
        return (
            f"Active choice reaches {what} after {active:.0f} votes instead of {random:.0f}: shuffle by shuffle "
            f"{against.saved:.0%} fewer."
        )
    return (
        f"For {what} no saving can be told: {active:.0f} votes with active choice, {random:.0f} at random, "
        "and not sooner in nine shuffles of ten."
    )
