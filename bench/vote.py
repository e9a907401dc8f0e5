"""Vote → next pair: until the answer is there, and until it is painted, for 1, 8 and 32 people, with and without a job.

    python -m bench.vote [--seconds N] [--small]

Each person votes every 2 seconds, out of step with the others; a vote's time is from sending it until its answer is
there whole: saved, committed, and the next comparison with it. One more person sits at Chromium and votes by key every
second. Phases with and without a training follow each other in turns; the job trains a LoRA adapter of the starter
model as the page does, at nice 19 in processes of its own. The people and Chromium run beside the server, so they too
pay for the machine that the job takes.

The baseline is the same study as a plain Gradio application with nothing around it (`baselines/gradio_votes.py`): its
people join its queue and read its events, as its own page does, in turns with ours. It is fair in what a person feels,
and easier in what it does: nobody signs in, nothing is checked or leased.

Goals at the 95th percentile, with the job too: 50 ms for the answer, 100 ms for the painted pair.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.at_browser import chromium, gradio_place, our_place, painted, sit_down
from bench.figures import ratio, report, times
from bench.judging import GradioJudge, Judge, furnish, gather, serving
from bench.running_job import job_running

if TYPE_CHECKING:
    from playwright.async_api import Page

GOAL_MS = 50.0
GOAL_PAINTED_MS = 100.0
OURS, GRADIO = "ours", "plain Gradio"
ALONE, TRAINING = "alone", "while a job trains"
_BARE = Path(__file__).parent / "baselines" / "gradio_votes.py"


class Plan(NamedTuple):
    """How much is measured. One person alone is given twice the seconds: they give the fewest votes."""

    crowds: tuple[int, ...] = (1, 8, 32)
    pace: float = 2.0  # seconds from one vote of a person to their next
    press: float = 1.0  # the same at Chromium
    seconds: float = 10.0  # of one phase
    turns: int = 2

    def lasting(self, crowd: int) -> float:
        """Seconds of a phase with so many people."""
        return 2 * self.seconds if crowd == 1 else self.seconds

    @property
    def most(self) -> int:
        """Votes that one side can be given."""
        each = [(crowd / self.pace + 1 / self.press) * self.lasting(crowd) + 2 * crowd for crowd in self.crowds]
        return int(2 * self.turns * sum(each)) + 10 * max(self.crowds)


FULL = Plan()
SMALL = Plan(crowds=(1, 4), pace=0.5, press=0.5, seconds=2.0, turns=1)


class Side(NamedTuple):
    """One studio with its people and its page."""

    name: str
    people: Sequence[Judge | GradioJudge]
    page: "Page"


@dataclass
class Phases:
    """What one side was measured at: milliseconds until the answer, and until painted."""

    answered: list[float] = field(default_factory=list)
    painted: list[float] = field(default_factory=list)


class At(NamedTuple):
    """Which phases belong together."""

    side: str
    beside: str
    crowd: int


Measured = defaultdict[At, Phases]


def run(plan: Plan = FULL) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    measured: Measured = defaultdict(Phases)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        tokens = furnish(home, max(plan.crowds) + 1, plan.most, starter=True)
        with (
            serving("-m", "bench.judging", str(home)) as port,
            serving(str(_BARE), str(Path(folder) / "bare.db")) as bare,
        ):
            asyncio.run(_take_turns(plan, port, bare, tokens, home, measured))
        rows = _votes(home / "ratchet.db")
    return summary(plan, measured, rows)


def summary(plan: Plan, measured: Mapping[At, Phases], rows: int) -> dict[str, Any]:
    """The figures of all phases, with their goals."""
    ours, gradio = (_told(plan, measured, side) for side in (OURS, GRADIO))
    ratios = [
        ratio(f"goal, ms until answered at p95, {crowd} people, {beside}", told[f"{crowd} people"]["p95"], GOAL_MS)
        for beside, told in reversed(ours.items())
        for crowd in reversed(plan.crowds)
    ]
    ratios += [
        ratio(f"goal, ms until painted at p95, {beside}", told["painted"]["p95"], GOAL_PAINTED_MS)
        for beside, told in reversed(ours.items())
    ]
    ratios += [
        ratio(f"{GRADIO}, {what} at p95, {beside}", ours[beside][what]["p95"] / gradio[beside][what]["p95"], 1.0)
        for beside in reversed(ours)
        for what in (f"{plan.crowds[-1]} people", "painted")
    ]
    given = sum(len(one.answered) + len(one.painted) for at, one in measured.items() if at.side == OURS)
    return report(
        "vote",
        {**ours, "rows": rows, "given": given},
        {GRADIO: gradio},
        ratios,
        sound=rows == given,
        plan=plan._asdict(),
    )


def _told(plan: Plan, measured: Mapping[At, Phases], side: str) -> dict[str, Any]:
    """One side's milliseconds; what was painted is told over all crowds, for one person paints few."""
    told: dict[str, Any] = {}
    for beside in (ALONE, TRAINING):
        phases = {crowd: measured[At(side, beside, crowd)] for crowd in plan.crowds}
        told[beside] = {f"{crowd} people": times(one.answered)._asdict() for crowd, one in phases.items()}
        told[beside]["painted"] = times([ms for one in phases.values() for ms in one.painted])._asdict()
    return told


async def _take_turns(plan: Plan, port: int, bare: int, tokens: list[str], home: Path, into: Measured) -> None:
    judges = await gather(port, tokens[:-1])
    async with chromium() as browser:
        sides = (
            Side(OURS, judges, await sit_down(browser, our_place(port), port, tokens[-1])),
            Side(
                GRADIO,
                [GradioJudge(bare, judge.name) for judge in judges],
                await sit_down(browser, gradio_place(bare), bare),
            ),
        )
        for _ in range(plan.turns):
            for beside in (ALONE, TRAINING):
                with job_running(home) if beside == TRAINING else nullcontext():
                    for crowd in plan.crowds:
                        for side in sides:
                            await _phase(plan, side, crowd, into[At(side.name, beside, crowd)])
    for side in sides:
        for person in side.people:
            person.leave()


async def _phase(plan: Plan, side: Side, crowd: int, into: Phases) -> None:
    """Let so many people of one side vote at their pace."""
    people, lasting = side.people[:crowd], plan.lasting(crowd)
    for person in people:
        await person.wake()
    await side.page.bring_to_front()
    await painted(side.page)
    begun = time.perf_counter()

    async def judge_on(person: Judge | GradioJudge, first: float) -> None:
        for number in range(round(lasting / plan.pace)):
            await asyncio.sleep(max(0.0, begun + first + number * plan.pace - time.perf_counter()))
            into.answered.append(1000 * (await person.vote()).seconds)

    async def press_on() -> None:
        for number in range(round(lasting / plan.press)):
            await asyncio.sleep(max(0.0, begun + (number + 0.5) * plan.press - time.perf_counter()))
            await side.page.keyboard.press("1")

    paced = [judge_on(person, plan.pace * place / crowd) for place, person in enumerate(people)]
    await asyncio.gather(press_on(), *paced)
    into.painted += await painted(side.page)


def _votes(database: Path) -> int:
    """Rows of votes in the store."""
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute("select count(*) from votes").fetchone()[0])
    finally:
        connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Vote to next pair, answered and painted.")
    parser.add_argument("--seconds", type=float, default=FULL.seconds, help="of one phase")
    parser.add_argument("--small", action="store_true", help="a trial run of seconds")
    given = parser.parse_args()
    print(json.dumps(run(SMALL if given.small else FULL._replace(seconds=given.seconds)), indent=1))
