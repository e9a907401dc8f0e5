"""Who judged in a study, and what stands out: speed, agreement with others, the side chosen, the same answer always.

A flag is a reason to look, never a verdict: it says what was seen and against what it was measured, and changes no
number. Left rate and agreement have Wilson's interval (J. Am. Stat. Assoc. 22, 1927); the level is shared among all
annotators (Bonferroni), so that among twenty honest people about one in twenty studies flags anybody.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, median
from typing import Any, NamedTuple

from storage.exclusions import Exclusion, standing
from storage.judgements import Said
from storage.store import Store
from studio.feedback.counting import Counted, count, left_of

LEVEL = 0.05
FEWEST = 10
"""Votes below which nobody is flagged."""
HASTY_SECONDS = 2.0
CONSTANT_SHARE = 0.95


class Share(NamedTuple):
    """A share of `n`, with an interval; all None where there is nothing to share."""

    rate: float | None
    low: float | None
    high: float | None
    n: int


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
    """What was said, by side where it is known: left, right, tie, both_bad, a, b, ranking."""

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
            "flags": self.flags,
            "excluded": self.excluded,
        }


class _Matches(NamedTuple):
    """How often a person said what others said, over comparisons judged together."""

    same: float
    comparisons: int


def annotators(store: Store, study: str) -> list[Annotator]:
    """Everybody who judged in a study, excluded people as well, most votes first; raises NotFound."""
    counted = count(store, study, with_excluded=True)
    given: dict[str, list[Said]] = defaultdict(list)
    for vote in counted.votes:
        given[vote.annotator].append(vote)
    excluded = {one.value: one for one in standing(store, counted.study.id) if one.kind == "annotator"}
    matches = _matches(counted, set(excluded))
    paces = {name: _pace(votes) for name, votes in given.items()}
    found = [_annotator(name, votes, matches, paces, excluded.get(name)) for name, votes in given.items()]
    return sorted(found, key=lambda one: (-one.votes, one.name))


def wilson(rate: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval for a share of n."""
    z = NormalDist().inv_cdf(1 - level / 2)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    margin = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - margin), min(1.0, middle + margin)


def _annotator(
    name: str,
    votes: Sequence[Said],
    matches: Mapping[str, _Matches],
    paces: Mapping[str, float | None],
    excluded: Exclusion | None,
) -> Annotator:
    lefts = [left for left in map(left_of, votes) if left is not None]
    choices = Counter(map(_choice, votes))
    mine = matches.get(name, _Matches(0.0, 0))
    flags = []
    if len(votes) >= FEWEST:
        flags = [
            *_hasty(name, paces),
            *_constant(choices),
            *_sided(lefts, len(paces)),
            *_contrary(name, matches),
        ]
    return Annotator(
        name,
        len(votes),
        len({int(vote.created_at // 86_400) for vote in votes}),
        paces[name],
        _share(sum(lefts), len(lefts)),
        _share(mine.same, mine.comparisons),
        choices,
        flags,
        excluded.reason if excluded else None,
    )


def _share(part: float, n: int, level: float = LEVEL) -> Share:
    return Share(part / n, *wilson(part / n, n, level), n) if n else Share(None, None, None, 0)


def _pace(votes: Sequence[Said]) -> float | None:
    seconds = [vote.seconds for vote in votes if vote.seconds is not None]
    return median(seconds) if seconds else None


def _choice(vote: Said) -> str:
    left = left_of(vote)
    if left is not None:
        return "left" if left else "right"
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
                alike = sum((one.choice, one.ranking) == (vote.choice, vote.ranking) for one in others)
                same[vote.annotator] += alike / len(others)
                number[vote.annotator] += 1
    return {name: _Matches(same[name], number[name]) for name in number}


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
    found = _share(sum(lefts), len(lefts), LEVEL / people)
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
