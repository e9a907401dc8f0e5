"""What grows with the data: table, vote and leaderboard at 10,000, 100,000 and 1,000,000 rows, as ratios.

    python -m bench.growth [--sizes 10000,100000,1000000] [--small]

A project of each size: a dataset of so many rows, and a study with so many votes and as many comparisons that wait.
The same is asked of all of them in turns: every question of `bench.browse`; a vote with the next pair, as the route
does it, committed; the leaderboard as it was kept, and counted again after one more vote. The baseline is the smallest
project, in the same run. Goals: at most twice the time of the smallest (times under 5 ms are taken as 5 ms: nobody
feels those), and for what must read every vote, counting again, no more than the votes themselves have grown.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bench.browse import asked_once, filled, questions
from bench.figures import Times, ratio, report, times
from bench.voted_study import STUDY, fill
from storage.home import Home
from storage.rows import Dataset, Study
from storage.store import Store

SIZES = (10_000, 100_000, 1_000_000)
SMALL = (500, 2_000)
TURNS = 3
VOTES = 200
RECOUNTS = 2
PERSON = "person-1"  # has voted on a tenth of all
GOAL_RATIO = 2.0
_FLOOR_MS = 5.0

Taken = dict[str, dict[int, list[float]]]


class Project(NamedTuple):
    """A project of one size."""

    size: int
    store: Store
    dataset: Dataset
    study: Study
    words: list[str]
    seconds: float


def run(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    taken: Taken = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        projects = [_project(Path(folder), size) for size in sizes]
        for project in projects:
            stack.callback(project.store.close)
        _browse(projects, taken)
        _vote(projects, taken)
        _leaderboard(projects, taken)
        made = {f"{one.size:,}": round(one.seconds, 1) for one in projects}
    return summary(sizes, taken, made)


def summary(sizes: Sequence[int], taken: Taken, made: dict[str, float]) -> dict[str, Any]:
    """The figures of every size, and their ratios to the smallest."""
    told: dict[str, dict[str, Times]] = {
        what: {f"{size:,}": times(at[size]) for size in sizes} for what, at in taken.items()
    }
    ratios = []
    for size in reversed(sizes[1:]):
        for what, at in taken.items():
            goal = size / sizes[0] if what.endswith("counted") else GOAL_RATIO
            small, large = (max(times(at[one]).p95, _FLOOR_MS) for one in (sizes[0], size))
            ratios.append(ratio(f"{what} at {size:,} against {sizes[0]:,} rows, p95", large / small, goal))
    smallest = f"{sizes[0]:,}"
    ours = {what: {size: one._asdict() for size, one in at.items() if size != smallest} for what, at in told.items()}
    base = {what: at[smallest]._asdict() for what, at in told.items()}
    ratios.sort(key=lambda one: -one["value"])
    return report("growth", ours, {f"{smallest} rows": base}, ratios, sizes=list(sizes), seconds_to_make=made)


def _project(folder: Path, size: int) -> Project:
    """Fill a home; how long that takes is told, not measured against anything."""
    from storage.comparisons import get_study

    begun = time.perf_counter()
    store = Store.open(Home(folder / f"home-{size}"))
    dataset, words = filled(store, size)
    fill(store, size, size)
    seconds = time.perf_counter() - begun
    print(f"{size:,} rows, votes and comparisons are there after {seconds:.0f} s", file=sys.stderr)
    return Project(size, store, dataset, get_study(store, STUDY), words, seconds)


def _browse(projects: Sequence[Project], taken: Taken) -> None:
    """Every question once to warm up, then in turns."""
    for asked in questions(projects[-1].words):
        at = taken.setdefault(f"browse, {asked.kind}", {})
        for turn in range(TURNS + 1):
            for one in projects:
                took = asked_once(one.store, one.dataset, asked.query(one.size))
                at.setdefault(one.size, []).extend([took] if turn else [])


def _vote(projects: Sequence[Project], taken: Taken) -> None:
    """One vote after the other by somebody who has given many."""
    voters = [_voter(one) for one in projects]
    at = taken.setdefault("vote", {})
    for number in range(VOTES + 5):
        for one, vote in zip(projects, voters, strict=True):
            begun = time.perf_counter()
            vote(number)
            at.setdefault(one.size, []).extend([1000 * (time.perf_counter() - begun)] if number >= 5 else [])


def _voter(project: Project) -> Callable[[int], None]:
    """A function that votes once and gets what comes next, in one transaction, as the route does."""
    from studio.feedback import casting, sittings
    from studio.feedback.ballots import Ballot

    held: dict[str, dict[str, Any]] = {}
    order: list[str] = []

    def take(sitting: sittings.Sitting) -> None:
        held.update((pair["comparison"], pair) for pair in sitting.pairs if not pair.get("held"))
        order[:] = [pair["comparison"] for pair in sitting.pairs]

    def vote(number: int) -> None:
        if not order:
            take(sittings.sit(project.store, project.study, PERSON))
        pair = held.pop(order[0])
        shown = [side["sha256"] for side in pair["sides"]]
        ballot = Ballot(f"vote-{number:05}", pair["comparison"], ("left", "right")[number % 2], shown, 2.0)
        with project.store.write():
            casting.cast(project.store, project.study, PERSON, ballot)
            sitting = sittings.sit(project.store, project.study, PERSON, order[1:])
        take(sitting)

    return vote


def _leaderboard(projects: Sequence[Project], taken: Taken) -> None:
    """Counted after one more vote, then looked at again."""
    from studio.feedback.leaderboard import leaderboard

    for turn in range(RECOUNTS):
        for one in projects:
            _voter(one)(VOTES + 100 + turn)
            for what in ("leaderboard, counted", *("leaderboard, kept",) * 5):
                begun = time.perf_counter()
                leaderboard(one.store, STUDY)
                taken.setdefault(what, {}).setdefault(one.size, []).append(1000 * (time.perf_counter() - begun))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Table, vote and leaderboard at several sizes.")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="rows, from few to many")
    parser.add_argument("--small", action="store_true", help="a trial run of seconds")
    given = parser.parse_args()
    print(json.dumps(run(SMALL if given.small else [int(size) for size in given.sizes.split(",")]), indent=1))
