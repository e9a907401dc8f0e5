"""32 people who judge at human pace, alone and while a training job runs on the same machine in the same home.

    python -m bench.crowd [--seconds N]

Each person votes every 2 seconds, out of step with the others; a vote's time is from sending it until its answer is
there whole: saved, committed, and the next comparison with it. One more person sits at Chromium and votes by key; that
time is until the next pair has been painted, as in bench.vote. Phases with and without the job follow each other in
turns; the job trains a LoRA adapter of the starter model as the page does, at nice 19 in processes of its own. The
people and Chromium run beside the server, so they too pay for the machine that the job takes. Goals at the 95th
percentile, with the job too: under 50 ms for the answer, under 100 ms for the painted pair.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.judging import STUDY, Judge, furnish, gather, serving
from bench.vote import OURS, TIMER

if TYPE_CHECKING:
    from playwright.async_api import Page

PEOPLE = 32
PACE = 2.0  # seconds from one vote of a person to their next
SECONDS = 60.0  # of one phase
TURNS = 2
GOAL_MS = 50.0
GOAL_PAINTED_MS = 100.0
_PATIENCE = 300.0  # seconds until the job's first step


class Times(NamedTuple):
    """Milliseconds of so many votes."""

    p50: float
    p95: float
    p99: float
    worst: float
    votes: int


class Phases:
    """What was measured with the job, or without it: seconds until the answer, milliseconds until painted."""

    def __init__(self) -> None:
        self.answered: list[float] = []
        self.painted: list[float] = []

    def to_json(self) -> dict[str, Any]:
        """In milliseconds."""
        return {
            "answered": _times([1000 * second for second in self.answered])._asdict(),
            "painted": _times(self.painted)._asdict(),
        }


def run(seconds: float = SECONDS) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    alone, training = Phases(), Phases()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        people = PEOPLE + 1
        most = int(2 * TURNS * people * (seconds / PACE + 1)) + 5 * people
        tokens = furnish(home, people, most, starter=True)
        with serving("-m", "bench.judging", str(home)) as port:
            asyncio.run(_take_turns(port, tokens, home, seconds, alone, training))
        rows = _votes(home)
    without, beside = alone.to_json(), training.to_json()
    goals = (("answered", GOAL_MS), ("painted", GOAL_PAINTED_MS))
    ratios = [
        {
            "against": f"goal, ms until {what} at p95, {when}",
            "value": told[what]["p95"],
            "goal": goal,
            "better": "lower",
        }
        for when, told in (("while a job trains", beside), ("alone", without))
        for what, goal in goals
    ]
    given = sum(len(times) for phases in (alone, training) for times in (phases.answered, phases.painted))
    return {
        "name": "crowd",
        "ours": {**beside, "rows": rows},
        "baselines": {"without the job": without},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": all(one["value"] <= one["goal"] for one in ratios) and rows == given,
    }


async def _take_turns(
    port: int, tokens: list[str], home: Path, seconds: float, alone: Phases, training: Phases
) -> None:
    judges = await gather(port, tokens[:PEOPLE])
    async with _at_the_browser(port, tokens[PEOPLE]) as page:
        for _ in range(TURNS):
            await _phase(judges, page, seconds, alone)
            with job_running(home):
                await _phase(judges, page, seconds, training)
    for judge in judges:
        judge.line.close()


@asynccontextmanager
async def _at_the_browser(port: int, token: str) -> AsyncIterator["Page"]:
    """A person at Chromium, before the first pair."""
    from playwright.async_api import async_playwright

    path = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        context = await chromium.new_context()
        here = f"http://127.0.0.1:{port}"
        await context.add_cookies([{"name": f"ratchet_session_{port}", "value": token, "url": here}])
        page = await context.new_page()
        await page.goto(f"{here}/compare?study={STUDY}")
        await page.wait_for_selector("[data-widget=compare][data-state=ready]")
        await page.evaluate(TIMER, OURS)
        yield page
        await chromium.close()


async def _phase(judges: list[Judge], page: "Page", seconds: float, into: Phases) -> None:
    """Let everybody vote at their pace for so long."""
    for judge in judges:
        await judge.line.dial_again()
    begun = time.perf_counter()
    rounds = range(int(seconds / PACE))

    async def judge_on(judge: Judge, first: float) -> None:
        for number in rounds:
            await asyncio.sleep(max(0.0, begun + first + number * PACE - time.perf_counter()))
            into.answered.append((await judge.vote()).seconds)

    async def press_on() -> None:
        for number in rounds:
            await asyncio.sleep(max(0.0, begun + number * PACE - time.perf_counter()))
            await page.keyboard.press("1")

    paced = [judge_on(judge, PACE * place / len(judges)) for place, judge in enumerate(judges)]
    await asyncio.gather(press_on(), *paced)
    await asyncio.sleep(1.0)
    into.painted += await page.evaluate("window.times.splice(0)")


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


def _times(milliseconds: list[float]) -> Times:
    cuts = statistics.quantiles(milliseconds, n=100)
    p50, p95, p99, worst = (
        round(value, 1) for value in (statistics.median(milliseconds), cuts[94], cuts[98], max(milliseconds))
    )
    return Times(p50, p95, p99, worst, len(milliseconds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Votes at human pace, alone and while a job trains.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one phase")
    print(json.dumps(run(parser.parse_args().seconds), indent=1))
