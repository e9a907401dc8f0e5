"""32 people who judge at human pace, alone and while a training job runs on the same machine in the same home.

    python -m bench.crowd [--seconds N]

Each person votes every 2 seconds, out of step with the others; a vote's time is from sending it until its answer is
there whole: saved, committed, and the next comparison with it. Phases with and without the job follow each other in
turns; the job trains a LoRA adapter of the starter model as the page does, at nice 19 in processes of its own. The
people are one process beside the server, so they too pay for the machine that the job takes. Goal: under 50 ms at the
95th percentile, with the job too.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.judging import Judge, furnish, gather, serving

PEOPLE = 32
PACE = 2.0  # seconds from one vote of a person to their next
SECONDS = 60.0  # of one phase
TURNS = 2
GOAL_MS = 50.0
_PATIENCE = 300.0  # seconds until the job's first step


class Times(NamedTuple):
    """Milliseconds from sending a vote to its whole answer."""

    p50: float
    p95: float
    p99: float
    worst: float
    votes: int


def run(seconds: float = SECONDS) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    alone: list[float] = []
    training: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        most = int(2 * TURNS * PEOPLE * (seconds / PACE + 1)) + 5 * PEOPLE
        tokens = furnish(home, PEOPLE, most, starter=True)
        with serving("-m", "bench.judging", str(home)) as port:
            asyncio.run(_phases(port, tokens, home, seconds, alone, training))
        rows = _votes(home)
    without, beside = _times(alone), _times(training)
    ratios = [
        {"against": "goal, ms at p95 while a job trains", "value": beside.p95, "goal": GOAL_MS, "better": "lower"},
        {"against": "goal, ms at p95 alone", "value": without.p95, "goal": GOAL_MS, "better": "lower"},
    ]
    return {
        "name": "crowd",
        "ours": {"alone": without._asdict(), "training": beside._asdict(), "rows": rows},
        "baselines": {"without the job": without._asdict()},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": max(without.p95, beside.p95) <= GOAL_MS and rows == len(alone) + len(training),
    }


async def _phases(
    port: int, tokens: list[str], home: Path, seconds: float, alone: list[float], training: list[float]
) -> None:
    judges = await gather(port, tokens)
    for _ in range(TURNS):
        alone += await _phase(judges, seconds)
        with job_running(home):
            training += await _phase(judges, seconds)
    for judge in judges:
        judge.line.close()


async def _phase(judges: list[Judge], seconds: float) -> list[float]:
    """Let everybody vote at their pace for so long; the seconds that each vote took."""
    times: list[float] = []
    for judge in judges:
        await judge.line.dial_again()
    begun = time.perf_counter()

    async def judge_on(judge: Judge, first: float) -> None:
        for number in range(int(seconds / PACE)):
            await asyncio.sleep(max(0.0, begun + first + number * PACE - time.perf_counter()))
            times.append((await judge.vote()).seconds)

    await asyncio.gather(*(judge_on(judge, PACE * place / len(judges)) for place, judge in enumerate(judges)))
    return times


@contextmanager
def job_running(home: Path) -> Iterator[None]:
    """A training job of the starter model, from its first step until the block ends."""
    from studio.settings import Settings
    from studio.studio import Studio

    studio = Studio(settings=Settings.from_env({}, home=home))
    job = studio.train("sft", base="starter", dataset="starter", options={"epochs": 100})["job"]
    deadline = time.monotonic() + _PATIENCE
    while not (told := studio.job(job))["step"]:
        if told["status"] in ("failed", "done", "stopped") or time.monotonic() > deadline:
            raise RuntimeError(f"The training job did not get going: {told}")
        time.sleep(0.2)
    try:
        yield
        told = studio.job(job)
        if told["status"] != "running":
            raise RuntimeError(f"The training job did not last as long as the phase: {told}")
    finally:
        studio.stop(job, now=True)
        while studio.job(job)["status"] == "running":
            time.sleep(0.2)


def _votes(home: Path) -> int:
    """Rows of votes in the store."""
    import sqlite3

    connection = sqlite3.connect(home / "ratchet.db")
    try:
        return int(connection.execute("select count(*) from votes").fetchone()[0])
    finally:
        connection.close()


def _times(seconds: list[float]) -> Times:
    cuts = statistics.quantiles(seconds, n=100)
    values = (statistics.median(seconds), cuts[94], cuts[98], max(seconds))
    return Times(*(round(1000 * value, 1) for value in values), len(seconds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Votes at human pace, alone and while a job trains.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one phase")
    print(json.dumps(run(parser.parse_args().seconds), indent=1))
