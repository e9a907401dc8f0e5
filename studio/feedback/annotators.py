"""Who judged in a study, and what stands out: speed, agreement with others and with known answers, the side chosen.

A flag is a reason to look, never a verdict: it says what was seen and against what it was measured, and changes no
number. Shares have Wilson's interval; for flags its level is divided among all annotators (Bonferroni), so that among
twenty honest people about one in twenty studies flags anybody.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from storage.details import second_looks, skips
from storage.exclusions import Exclusion, standing
from storage.judgements import Said
from storage.rows import RATED
from storage.store import Store
from studio.feedback.counting import Counted, count, left_of
from studio.feedback.shares import LEVEL, Share, share, wilson
from studio.feedback.trust import Oneself, gold_by_person, oneself, oneself_by_person

FEWEST = 10
"""Votes below which nobody is flagged."""
HASTY_SECONDS = 2.0
CONSTANT_SHARE = 0.95
LONGEST_LOOK = 300.0
"""Seconds of one vote that count as work at most: five minutes without a vote are a pause."""
NO_REASON = "no reason given"


@dataclass(frozen=True)
class Annotator:
    """One person's votes in a study."""

    name: str
    votes: int
    days: int
    median_seconds: float | None
    left: Share
    agreement: Share
    """With each other person who judged the same comparison: the same choice."""

    choices: Mapping[str, int]
    """What was said, by side where it is known: left, right, tie, both_bad, a, b, ranking, rated 4."""

    gold: Share
    """How often the answer was the known one."""

    oneself: Oneself
    skips: Mapping[str, int]
    """How often the person passed, by the reason given."""

    working_seconds: float

    flags: list[dict[str, str]]
    excluded: str | None
    """The reason, where the person's votes do not count."""

    def to_json(self) -> dict[str, Any]:
        """For the page and the command line."""
        return {
            "annotator": self.name,
            "votes": self.votes,
            "days": self.days,
            "median_seconds": self.median_seconds,
            "left": self.left._asdict(),
            "agreement": self.agreement._asdict(),
            "choices": dict(self.choices),
            "gold": self.gold._asdict(),
            "oneself": self.oneself.to_json(),
            "skips": dict(self.skips),
            "working_seconds": self.working_seconds,
            "flags": self.flags,
            "excluded": self.excluded,
        }


class _Matches(NamedTuple):
    """How often a person said what others said, over comparisons judged together."""

    same: float
    comparisons: int


class _Crowd(NamedTuple):
    """What is known of everybody, by name: one person is measured against the others."""

    matches: Mapping[str, _Matches]
    paces: Mapping[str, float | None]
    gold: Mapping[str, Share]
    oneself: Mapping[str, Oneself]
    skips: Mapping[str, Counter[str]]
    excluded: Mapping[str, Exclusion]


def annotators(store: Store, study: str) -> list[Annotator]:
    """Everybody who judged in a study, excluded people as well, most votes first; raises NotFound.

    Votes on known answers are work like others: they count in votes, pace and sides, but not in agreement with others.
    """
    counted = count(store, study, with_excluded=True)
    given: dict[str, list[Said]] = defaultdict(list)
    for vote in sorted([*counted.votes, *counted.on_gold], key=lambda one: one.created_at):
        given[vote.annotator].append(vote)
    excluded = {one.value: one for one in standing(store, counted.study.id) if one.kind == "annotator"}
    passed: dict[str, Counter[str]] = defaultdict(Counter)
    for skip in skips(store, counted.study.id):
        passed[skip.annotator][skip.reason or NO_REASON] += 1
        given.setdefault(skip.annotator, [])
    crowd = _Crowd(
        _matches(counted, set(excluded)),
        {name: _pace(votes) for name, votes in given.items()},
        gold_by_person(counted),
        oneself_by_person(second_looks(store, counted.study.id)),
        passed,
        excluded,
    )
    found = [_annotator(name, votes, crowd) for name, votes in given.items()]
    return sorted(found, key=lambda one: (-one.votes, one.name))


def _annotator(name: str, votes: Sequence[Said], crowd: _Crowd) -> Annotator:
    lefts = [left for left in map(left_of, votes) if left is not None]
    choices = Counter(map(_choice, votes))
    mine = crowd.matches.get(name, _Matches(0.0, 0))
    excluded = crowd.excluded.get(name)
    return Annotator(
        name,
        len(votes),
        len({int(vote.created_at // 86_400) for vote in votes}),
        crowd.paces[name],
        share(sum(lefts), len(lefts)),
        share(mine.same, mine.comparisons),
        choices,
        crowd.gold.get(name, share(0, 0)),
        crowd.oneself.get(name, oneself(())),
        crowd.skips.get(name, {}),
        sum(min(vote.seconds, LONGEST_LOOK) for vote in votes if vote.seconds is not None),
        _flags(name, choices, lefts, crowd) if len(votes) >= FEWEST else [],
        excluded.reason if excluded else None,
    )


def _flags(name: str, choices: Counter[str], lefts: Sequence[bool], crowd: _Crowd) -> list[dict[str, str]]:
    consistent = {who: own.agreed for who, own in crowd.oneself.items()}
    return [
        *_hasty(name, crowd.paces),
        *_constant(choices),
        *_sided(lefts, len(crowd.paces)),
        *_contrary(name, crowd.matches),
        *_behind(name, crowd.gold, "gold", "Was right in {rate:.0%} of {n} comparisons with a known answer"),
        *_behind(name, consistent, "inconsistent", "Said the same again in {rate:.0%} of {n} second looks"),
    ]


def _pace(votes: Sequence[Said]) -> float | None:
    seconds = [vote.seconds for vote in votes if vote.seconds is not None]
    return median(seconds) if seconds else None


def _choice(vote: Said) -> str:
    left = left_of(vote)
    if left is not None:
        return "left" if left else "right"
    if vote.choice == RATED and vote.rating is not None:
        return f"rated {vote.rating:g}"
    return "ranking" if vote.ranking is not None else vote.choice


def _matches(counted: Counted, excluded: set[str]) -> dict[str, _Matches]:
    """For each person, the share of others who said the same, summed over comparisons; excluded people do not count."""
    together: dict[str, list[Said]] = defaultdict(list)
    for vote in counted.votes:
        together[vote.comparison_id].append(vote)
    same: dict[str, float] = defaultdict(float)
    number = Counter[str]()
    for votes in together.values():
        for vote in votes:
            others = [one for one in votes if one is not vote and one.annotator not in excluded]
            if others:
                alike = sum(_same(one, vote) for one in others)
                same[vote.annotator] += alike / len(others)
                number[vote.annotator] += 1
    return {name: _Matches(same[name], number[name]) for name in number}


def _same(one: Said, other: Said) -> bool:
    return (one.choice, one.ranking, one.rating) == (other.choice, other.ranking, other.rating)


def _hasty(name: str, paces: Mapping[str, float | None]) -> list[dict[str, str]]:
    mine = paces[name]
    others = [pace for other, pace in paces.items() if other != name and pace is not None]
    usual = median(others) if others else None
    if mine is None or (mine >= HASTY_SECONDS and (usual is None or mine * 4 >= usual)):
        return []
    beside = f"; half of the others take {usual:.1f} s or more" if usual is not None else ""
    return [{"kind": "fast", "evidence": f"Half of the votes took {mine:.1f} s or less{beside}."}]


def _constant(choices: Counter[str]) -> list[dict[str, str]]:
    (said, most), all_votes = choices.most_common(1)[0], choices.total()
    if said == "ranking" or most < CONSTANT_SHARE * all_votes:
        return []
    word = said.replace("_", " ")
    return [{"kind": "constant", "evidence": f'{most} of {all_votes} votes are "{word}".'}]


def _sided(lefts: Sequence[bool], people: int) -> list[dict[str, str]]:
    found = share(sum(lefts), len(lefts), LEVEL / people)
    if found.rate is None or found.low is None or found.high is None or found.low <= 0.5 <= found.high:
        return []
    side, rate = ("left", found.rate) if found.rate > 0.5 else ("right", 1 - found.rate)
    return [{"kind": "side", "evidence": f"{rate:.0%} of {found.n} decisive votes went to the {side}; half is fair."}]


def _contrary(name: str, matches: Mapping[str, _Matches]) -> list[dict[str, str]]:
    mine = matches.get(name, _Matches(0.0, 0))
    others = [one for other, one in matches.items() if other != name]
    number = sum(one.comparisons for one in others)
    if mine.comparisons < FEWEST or not number:
        return []
    usual = sum(one.same for one in others) / number
    rate = mine.same / mine.comparisons
    if wilson(rate, mine.comparisons, LEVEL / len(matches))[1] >= usual:
        return []
    said = f"Agrees with others in {rate:.0%} of {mine.comparisons} comparisons; the others in {usual:.0%}."
    return [{"kind": "contrary", "evidence": said}]


def _behind(name: str, shares: Mapping[str, Share], kind: str, words: str) -> list[dict[str, str]]:
    """A flag where somebody's share is surely under that of the others together."""
    mine = shares.get(name)
    others = [one for other, one in shares.items() if other != name and one.rate is not None]
    number = sum(one.n for one in others)
    if mine is None or mine.rate is None or mine.n < FEWEST or not number:
        return []
    usual = sum((one.rate or 0.0) * one.n for one in others) / number
    if wilson(mine.rate, mine.n, LEVEL / len(shares))[1] >= usual:
        return []
    return [{"kind": kind, "evidence": f"{words.format(rate=mine.rate, n=mine.n)}; the others in {usual:.0%}."}]
