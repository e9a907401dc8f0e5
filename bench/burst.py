"""5,000 votes without a pause from 32 people who have signed in: votes a second, and whether every one is there.

    python -m bench.burst [--votes N]

Each vote is checked, committed (write-ahead log, synchronous full), and answered with the next comparison, leased to
who voted. The baseline saves the same votes with one bare insert each and does nothing else. Both are asked in turns
by the same clients from one process beside the server. Goal: 500 votes a second; the rows of the store are exactly
the votes that were acknowledged.
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

from bench.judging import Judge, Line, furnish, gather, serving

VOTES = 5000
CLIENTS = 32
TURNS = 3
GOAL = 500.0
_BARE = Path(__file__).parent / "baselines" / "bare_votes.py"


class Burst(NamedTuple):
    """One burst: votes a second, milliseconds from sending to the answer, and whether store and answers are equal."""

    per_second: float
    p50: float
    p95: float
    acknowledged: int
    rows: int
    equal: bool


def run(votes: int = VOTES) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    ours, bare = [], []
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(burst_at_us(Path(folder), votes))
            bare.append(burst_at_bare(Path(folder), votes))
    mine, theirs = middle(ours), middle(bare)
    ratios = [
        {"against": "goal, votes a second", "value": mine.per_second, "goal": GOAL, "better": "higher"},
        {"against": "one bare insert a vote", "value": round(mine.per_second / theirs.per_second, 3), "goal": 0.25,
         "better": "higher"},
    ]  # fmt: skip
    return {
        "name": "burst",
        "ours": {**mine._asdict(), "turns": [one._asdict() for one in ours]},
        "baselines": {"one bare insert a vote": theirs._asdict()},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": mine.per_second >= GOAL and all(one.equal for one in ours),
    }


def burst_at_us(folder: Path, votes: int) -> Burst:
    """One burst at the studio."""
    tokens = furnish(folder / "home", CLIENTS, votes + 5 * CLIENTS)
    with serving("-m", "bench.judging", str(folder / "home")) as port:
        times, seconds, acknowledged = asyncio.run(_all_vote(port, tokens, votes))
    stored = _ids(folder / "home" / "ratchet.db")
    return _burst(times, seconds, acknowledged, stored)


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
    return _burst(times, seconds, acknowledged, _ids(folder / "bare.db"))


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

    lines = [await Line.open(port) for _ in range(CLIENTS)]
    begun = time.perf_counter()
    await asyncio.gather(*(save_on(line) for line in lines))
    seconds = time.perf_counter() - begun
    for line in lines:
        line.close()
    return times, seconds, acknowledged


def _burst(times: list[float], seconds: float, acknowledged: list[str], stored: list[str]) -> Burst:
    return Burst(
        round(len(times) / seconds, 1),
        round(1000 * statistics.median(times), 1),
        round(1000 * statistics.quantiles(times, n=20)[-1], 1),
        len(acknowledged),
        len(stored),
        sorted(acknowledged) == sorted(stored),
    )


def _ids(database: Path) -> list[str]:
    """The votes that are stored."""
    connection = sqlite3.connect(database)
    try:
        return [row[0] for row in connection.execute("select id from votes")]
    finally:
        connection.close()


def middle(bursts: list[Burst]) -> Burst:
    """The burst of the median speed."""
    return sorted(bursts)[len(bursts) // 2]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Votes a second, and whether every one is there.")
    parser.add_argument("--votes", type=int, default=VOTES)
    print(json.dumps(run(parser.parse_args().votes), indent=1))
