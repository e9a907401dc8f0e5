"""A studio at work for half an hour: what grows that should not.

    python -m bench.soak [--minutes 30] [--small]

`ratchet serve` with engine and worker, as a person starts it. Eight people judge, a vote every 2 seconds each; one of
them after the other asks a question of the starter model every 5 seconds and watches it being answered, every other
one breaks off in the middle. A browser goes through all pages, ten seconds a page, and the leaderboard is counted
again and again. Two trainings follow each other, with a pause between them; each registers its adapter, which the
engine loads. At the very beginning a crowd of eighty asks at once, a peak that later hours cannot pass: SQLite keeps
the descriptors of connections that were open at one time. Every 10 seconds memory, descriptors and threads of web,
engine, worker and zygote are noted.

Goals after the first quarter, which is warm-up: at most 5 % more memory of web and engine, not one descriptor or
thread more. The baseline is a plain Gradio application (`baselines/gradio_votes.py`) with eight people at the same
pace and a page that is loaded as often: what Gradio itself keeps.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from bench.at_browser import chromium
from bench.figures import ratio, report
from bench.judging import GradioJudge, Judge, Line, furnish, gather, serving
from bench.watched import Watch

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from studio.studio import Studio

PEOPLE = 8
GOAL_PERCENT = 5.0
_BARE = Path(__file__).parent / "baselines" / "gradio_votes.py"
_PAGES = ("/", "/data", "/compare", "/studies", "/results", "/models", "/train")
_QUESTIONS = ("What is the capital of Italy?", "What is 3 plus 4?", "Hello!", "What is the opposite of hot?")
_CROWD = 80  # twice the threads of the web process
_ASKED_IN = "first-look"


class Plan(NamedTuple):
    """How long everything takes, in seconds."""

    lasting: float = 1800.0
    pace: float = 2.0
    asking: float = 5.0
    paging: float = 10.0
    looking: float = 10.0
    counting: float = 20.0

    @property
    def warm_up(self) -> float:
        """What is left out at the beginning."""
        return self.lasting / 4

    @property
    def votes(self) -> int:
        """Comparisons that are enough for all."""
        return int(PEOPLE * self.lasting / self.pace) + 20 * PEOPLE


FULL = Plan()
SMALL = Plan(lasting=40.0, pace=0.5, asking=2.0, paging=2.0, looking=1.0, counting=3.0)


def run(plan: Plan = FULL) -> dict[str, Any]:
    """Measure; the shape of every bench (`ratchet bench`)."""
    watch, done = Watch(), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        tokens = furnish(home, PEOPLE, plan.votes, starter=True, admin=True)
        serve = ("-m", "studio", "serve", "--home", str(home), "--port")
        with serving(*serve) as port, serving(str(_BARE), str(Path(folder) / "bare.db")) as bare:
            asyncio.run(_Soak(plan, home, port, bare, watch, done).run(tokens))
        rows = _rows(home / "ratchet.db")
        grumbles = (home / "logs" / "web.log").read_text(encoding="utf-8")[-2000:]
        _wait_for_worker(home)
    return summary(plan, watch, done, rows, grumbles)


def summary(plan: Plan, watch: Watch, done: Counter[str], rows: int, grumbles: str) -> dict[str, Any]:
    """What grew, with the goals."""
    told = watch.told(plan.warm_up)
    gradio = told.pop("gradio")
    ratios = [
        ratio(f"goal, memory growth of {name} in %", told[name]["growth_percent"], GOAL_PERCENT)
        for name in ("web", "engine")
    ]
    ratios += [
        ratio(f"goal, {what} more of {name}", one[f"{what}_grown"], 0)
        for name, one in told.items()
        for what in ("descriptors", "threads")
    ]
    ratios.append(ratio("plain Gradio, memory growth in %", gradio["growth_percent"], None))
    ours = {**told, "did": dict(done), "votes": rows, "web_log": grumbles}
    return report("soak", ours, {"plain Gradio": gradio}, ratios, sound=rows == done["votes"], plan=plan._asdict())


class _Soak:
    """Everything that goes on at once."""

    def __init__(self, plan: Plan, home: Path, port: int, bare: int, watch: Watch, done: Counter[str]) -> None:
        self.plan, self.home, self.port, self.bare, self.watch, self.done = plan, home, port, bare, watch, done
        self.until = time.monotonic() + plan.lasting

    async def run(self, tokens: list[str]) -> None:
        """Until the time is over."""
        *mine, admin = tokens
        judges = await gather(self.port, mine)
        cookies = [f"ratchet_session_{self.port}={token}" for token in tokens]
        await self._crowd(cookies[-1])
        plain = [GradioJudge(self.bare, f"plain{number}") for number in range(PEOPLE)]
        async with chromium() as browser:
            ours = await self._page(browser, self.port, admin)
            theirs = await self._page(browser, self.bare, "")
            every = self._every
            going = [
                *(every(self.plan.pace, self._judging(judge), place / PEOPLE) for place, judge in enumerate(judges)),
                *(every(self.plan.pace, self._clicking(one), place / PEOPLE) for place, one in enumerate(plain)),
                every(self.plan.asking, self._asking(cookies[:PEOPLE])),
                every(self.plan.paging, self._paging(ours, theirs)),
                every(self.plan.counting, self._counting(cookies[-1])),
                every(self.plan.looking, self._looking),
                asyncio.to_thread(self._train),
            ]
            await asyncio.gather(*going)

    async def _crowd(self, cookie: str) -> None:
        """As many at once as the server has threads for: SQLite keeps a descriptor for each, and none later."""

        async def ask() -> None:
            line = await Line.open(self.port, cookie)
            for _ in range(5):
                await line.ask("GET", "/api/compare/progress?study=bench")
            line.close()

        await asyncio.gather(*(ask() for _ in range(_CROWD)))

    async def _every(self, pace: float, act: Callable[[], Awaitable[None]], first: float = 0.0) -> None:
        """Act at a pace; what takes longer than that is not made up for."""
        await asyncio.sleep(first * pace)
        while (begun := time.monotonic()) < self.until:
            await act()
            await asyncio.sleep(max(0.0, begun + pace - time.monotonic()))

    async def _page(self, browser: "Browser", port: int, token: str) -> "Page":
        context = await browser.new_context()
        if token:
            here = f"http://127.0.0.1:{port}"
            await context.add_cookies([{"name": f"ratchet_session_{port}", "value": token, "url": here}])
        return await context.new_page()

    def _judging(self, judge: Judge) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            await judge.wake()
            await judge.vote()
            self.done["votes"] += 1

        return act

    def _clicking(self, person: GradioJudge) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            await person.wake()
            await person.vote()
            self.done["votes on plain Gradio"] += 1

        return act

    def _asking(self, cookies: list[str]) -> Callable[[], Awaitable[None]]:
        """Ask and watch; every other one breaks off after some of it."""

        async def act() -> None:
            number = self.done["asked"]
            self.done["asked"] += 1
            line = await Line.open(self.port, cookies[number % len(cookies)])
            question = {"study": _ASKED_IN, "prompt": _QUESTIONS[number // len(cookies) % len(_QUESTIONS)]}
            answered = await line.ask("POST", "/api/compare/prompt", question)
            if answered.status != 200:
                raise RuntimeError(f"A question was answered {answered.status}: {answered.body}")
            path = f"/api/compare/stream/{answered.body['pair']['comparison']}"
            line.writer.write(f"GET {path} HTTP/1.1\r\n{line.head}\r\n".encode())
            most = 3 if number % 2 else 10_000
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    self.done["answers watched" if await _watched(line, most) else "streams left"] += 1
            line.close()

        return act

    def _paging(self, ours: "Page", theirs: "Page") -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            path = _PAGES[self.done["pages"] % len(_PAGES)]
            self.done["pages"] += 1
            await ours.goto(f"http://127.0.0.1:{self.port}{path}")
            await theirs.goto(f"http://127.0.0.1:{self.bare}/")

        return act

    def _counting(self, cookie: str) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            line = await Line.open(self.port, cookie)
            await line.ask("GET", "/api/compare/standings?study=bench")
            line.close()
            self.done["leaderboards"] += 1

        return act

    async def _looking(self) -> None:
        self.watch.look(await asyncio.to_thread(_pids, self.port, self.bare))

    def _train(self) -> None:
        """A short training that tells how long one lasts, then two that fill most of the time."""
        from studio.settings import Settings
        from studio.studio import Studio

        studio = Studio(settings=Settings.from_env({}, home=self.home))
        begun = time.monotonic()
        _trained(studio, 1, self.until)
        one = max(0.5, time.monotonic() - begun)
        left = max(0.0, self.until - time.monotonic())
        for _ in range(2):
            _trained(studio, max(1, int(0.4 * left / one)), self.until)
            self.done["trainings"] += 1
            time.sleep(0.05 * left)
        studio.store.close()


async def _watched(line: Line, most: int) -> bool:
    """Read a stream of events until it is done, or until so many have come; whether it was done."""
    seen = 0
    while seen < most and (text := await line.reader.readline()):
        seen += text.startswith(b"data:")
        if text.startswith(b"data:") and b'"kind": "done"' in text:
            return True
    return False


def _trained(studio: "Studio", epochs: int, until: float) -> None:
    """Train for so many rounds; what lasts beyond the end is stopped."""
    job = studio.train("sft", base="starter", dataset="starter", options={"epochs": epochs})["job"]
    while (told := studio.job(job))["status"] in ("queued", "running"):
        if time.monotonic() > until:
            studio.stop(job, now=True)
        time.sleep(0.5)
    if told["status"] == "failed":
        raise RuntimeError(f"A training failed: {told['error']}")


def _pids(port: int, bare: int) -> dict[str, int | None]:
    """Web, its engine, its worker with the worker's zygote, and the plain Gradio application."""
    found: dict[str, int | None] = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            words = process.cmdline()
            text = " ".join(words)
            if text.endswith(f"--port {port}"):
                found["web"] = process.pid
            elif text.endswith(f"gradio_votes.py {bare}") or (_BARE.name in text and words[-1] == str(bare)):
                found["gradio"] = process.pid
            else:
                for name in ("engine", "worker", "zygote"):
                    if f"trainers.{name}" in text:
                        found.setdefault(name, process.pid)
    return found


def _wait_for_worker(home: Path) -> None:
    """The worker outlives the web by some seconds."""
    from studio.clients.processes import held

    deadline = time.monotonic() + 30
    while held(home / "worker.lock") and time.monotonic() < deadline:
        time.sleep(0.2)


def _rows(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute("select count(*) from votes").fetchone()[0])
    finally:
        connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A studio at work: what grows.")
    parser.add_argument("--minutes", type=float, default=FULL.lasting / 60)
    parser.add_argument("--small", action="store_true", help="a trial run of seconds")
    given = parser.parse_args()
    plan = SMALL if given.small else FULL._replace(lasting=60 * given.minutes)
    print(json.dumps(run(plan), indent=1), file=sys.stdout)
