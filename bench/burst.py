"""5,000 votes without a pause from 32 people who have signed in: votes a second, and whether every one is there.

    python -m bench.burst [--votes N] [--small]

Each vote is checked, committed (write-ahead log, synchronous full), and answered with the next comparison, leased to
who voted. The baseline saves the same votes with one bare insert each and does nothing else. Both are asked in turns
by the same clients from one process beside the server. One vote in fifty is sent twice, as a browser does whose answer
was lost. Goals: 500 votes a second; no vote that was acknowledged is lost (not in the store), none is doubled (in the
store without an acknowledgement of its own, or a person's second one on a comparison, or beyond its slots).
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench.figures import ratio, report
from bench.judging import Judge, Line, furnish, gather, serving

VOTES = 5000
CLIENTS = 32
TURNS = 3
GOAL = 500.0
SENT_TWICE = 50  # every so many votes one
_BARE = Path(__file__).parent / "baselines" / "bare_votes.py"


class Burst(NamedTuple):
    """One burst: votes a second, milliseconds from sending to the answer, and what the store says afterwards."""

    per_second: float
    p50: float
    p95: float
    acknowledged: int
    rows: int
    lost: int
    doubled: int


def run(votes: int = VOTES, turns: int = TURNS) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    ours, bare = [], []
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(burst_at_us(Path(folder), votes))
            bare.append(burst_at_bare(Path(folder), votes))
    mine, theirs = middle(ours), middle(bare)
    ratios = [
        ratio("goal, votes a second", mine.per_second, GOAL, "higher"),
        ratio("goal, votes lost", max(one.lost for one in ours), 0),
        ratio("goal, votes doubled", max(one.doubled for one in ours), 0),
        ratio("one bare insert a vote", mine.per_second / theirs.per_second, 0.25, "higher"),
    ]
    told = {**mine._asdict(), "turns": [one._asdict() for one in ours]}
    return report("burst", told, {"one bare insert a vote": theirs._asdict()}, ratios, sound=mine.acknowledged == votes)


def burst_at_us(folder: Path, votes: int) -> Burst:
    """One burst at the studio."""
    tokens = furnish(folder / "home", CLIENTS, votes + 5 * CLIENTS)
    with serving("-m", "bench.judging", str(folder / "home")) as port:
        times, seconds, acknowledged = asyncio.run(_all_vote(port, tokens, votes))
    stored = folder / "home" / "ratchet.db"
    return _burst(times, seconds, acknowledged, _column(stored, "select id from votes"), _too_many(stored))


async def _all_vote(port: int, tokens: list[str], votes: int) -> tuple[list[float], float, list[str]]:
    judges = await gather(port, tokens)
    times: list[float] = []
    acknowledged: list[str] = []
    left = iter(range(votes))

    async def judge_on(judge: Judge) -> None:
        for _ in left:
            answered = await judge.vote()
            times.append(answered.seconds)
            acknowledged.append(answered.body["saved"])
            if judge.given % SENT_TWICE == 0:
                await judge.send_again()

    begun = time.perf_counter()
    await asyncio.gather(*(judge_on(judge) for judge in judges))
    seconds = time.perf_counter() - begun
    for judge in judges:
        judge.line.close()
    return times, seconds, acknowledged


def burst_at_bare(folder: Path, votes: int) -> Burst:
    """One burst at the baseline."""
    with serving(str(_BARE), str(folder / "bare.db")) as port:
        times, seconds, acknowledged = asyncio.run(_all_save(port, votes))
    return _burst(times, seconds, acknowledged, _column(folder / "bare.db", "select id from votes"), 0)


async def _all_save(port: int, votes: int) -> tuple[list[float], float, list[str]]:
    times: list[float] = []
    acknowledged: list[str] = []
    left = iter(range(votes))

    async def save_on(line: Line) -> None:
        for number in left:
            body = {"id": f"vote-{number:08}", "comparison": f"{number:026}", "choice": "left", "seconds": 2.0}
            answered = await line.ask("POST", "/vote", body)
            times.append(answered.seconds)
            acknowledged.append(answered.body["saved"])
            if number % SENT_TWICE == 0:
                await line.ask("POST", "/vote", body)

    lines = [await Line.open(port) for _ in range(CLIENTS)]
    begun = time.perf_counter()
    await asyncio.gather(*(save_on(line) for line in lines))
    seconds = time.perf_counter() - begun
    for line in lines:
        line.close()
    return times, seconds, acknowledged


def _burst(times: list[float], seconds: float, acknowledged: list[str], stored: list[str], too_many: int) -> Burst:
    return Burst(
        round(len(times) / seconds, 1),
        round(1000 * statistics.median(times), 1),
        round(1000 * statistics.quantiles(times, n=20)[-1], 1),
        len(acknowledged),
        len(stored),
        len(set(acknowledged) - set(stored)),
        len(set(stored) - set(acknowledged)) + len(acknowledged) - len(set(acknowledged)) + too_many,
    )


def _too_many(database: Path) -> int:
    """Votes that are a person's second one on a comparison, or a second one where the study asks for one vote each."""
    return int(_column(database, "select count(*) - count(distinct comparison_id) from votes")[0])


def _column(database: Path, query: str) -> list[Any]:
    """What a query finds, its first column."""
    connection = sqlite3.connect(database)
    try:
        return [row[0] for row in connection.execute(query)]
    finally:
        connection.close()


def middle(bursts: list[Burst]) -> Burst:
    """The burst of the median speed."""
    return sorted(bursts)[len(bursts) // 2]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Votes a second, and whether every one is there.")
    parser.add_argument("--votes", type=int, default=VOTES)
    parser.add_argument("--small", action="store_true", help="a trial run of seconds")
    given = parser.parse_args()
    print(json.dumps(run(400, 1) if given.small else run(given.votes), indent=1))
