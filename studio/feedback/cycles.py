"""Circles among models: A beats B, B beats C, C beats A, each by point estimate.

No rating on one scale can say that; a circle with few votes is chance, so the votes stand beside each step. All circles
of three are named, and for a step that is in none of those the shortest circle through it.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

_MOST = 200


class Step(NamedTuple):
    """One model beats the next with this win rate, over so many votes."""

    winner: str
    loser: str
    win_rate: float
    votes: int


class Cycle(NamedTuple):
    """Steps that end where they began."""

    steps: list[Step]

    def to_json(self) -> dict[str, Any]:
        """For the leaderboard."""
        weakest = min(self.steps, key=lambda step: step.votes)
        return {
            "models": [step.winner for step in self.steps],
            "steps": [step._asdict() for step in self.steps],
            "fewest_votes": weakest.votes,
        }


def cycles(pairs: Iterable[tuple[str, str, float | None, int]]) -> list[Cycle]:
    """The circles among (a, b, win rate of a, votes), those with most votes in their weakest step first."""
    beats: dict[str, dict[str, Step]] = {}
    for a, b, rate, votes in pairs:
        if rate is not None and rate != 0.5:
            step = Step(a, b, rate, votes) if rate > 0.5 else Step(b, a, 1.0 - rate, votes)
            beats.setdefault(step.winner, {})[step.loser] = step
    found = {_turned(names): None for names in _threes(beats)}
    covered = {edge for names in found for edge in pairwise([*names, names[0]])}
    for winner, losers in beats.items():
        for loser in losers:
            if (winner, loser) not in covered and (way := _way(beats, loser, winner)):
                found[_turned(tuple(way))] = None
    made = [Cycle([beats[a][b] for a, b in pairwise([*names, names[0]])]) for names in found]
    return sorted(made, key=lambda cycle: -min(step.votes for step in cycle.steps))[:_MOST]


def _threes(beats: Mapping[str, Mapping[str, Step]]) -> Iterator[tuple[str, ...]]:
    for first, losers in beats.items():
        for second in losers:
            for third in beats.get(second, ()):
                if first in beats.get(third, ()):
                    yield (first, second, third)


def _turned(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same circle, begun at its first name in the alphabet."""
    start = names.index(min(names))
    return names[start:] + names[:start]


def _way(beats: Mapping[str, Mapping[str, Step]], start: str, end: str) -> list[str]:
    """The shortest way along "beats" from one model to another; empty where there is none."""
    before: dict[str, str | None] = {start: None}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        if name == end:
            way = [name]
            while (previous := before[way[-1]]) is not None:
                way.append(previous)
            return way[::-1]
        for following in beats.get(name, ()):
            if following not in before:
                before[following] = name
                queue.append(following)
    return []
