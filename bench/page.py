"""Every page of the studio in Chromium: bytes, requests, and the time until a person can work on it, cold and warm.

    python -m bench.page [--small]

Cold is a browser that has never been here, warm is the same one coming again. Bytes and requests are what went over the
wire (by the browser's own account, compressed as it was). A page is interactive when all of its parts stand, their
first questions to the server have been answered, and the main thread has been free of tasks over 50 ms since then. The
studio has a study with answers and votes and a dataset of some hundred rows, so that no page is empty.

The baseline is a plain Gradio page with a form as large as that of /train, visited in turn with it. What LlamaBoard's
page weighs was measured elsewhere and does not run here. Goals: 600 KB and 1.5 s cold for every page.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from bench.at_browser import chromium
from bench.button import asked, studio, wait_for
from bench.figures import ratio, report
from bench.start import free_port

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext

BASELINE = Path(__file__).parent / "baselines" / "gradio_form.py"
PAGES = ("/", "/data?dataset=starter", "/compare", "/studies", "/results", "/models", "/train")
TURNS = 5
GOAL_BYTES = 600.0
GOAL_SECONDS = 1.5
OURS = """!document.getElementById("boot") && document.querySelector("[data-widget]")
  && [...document.querySelectorAll("[data-widget]")].every((place) => place.dataset.mounted)"""
BARE = """document.getElementById("go") && document.querySelector("[role=grid], table")"""
# Told to the page before its first script: when all stands and nothing is asked any more, and when it was busy.
CLOCK = """
(() => {
  window.clock = { asking: 0, quiet: null, busy: 0, done: null };
  const fetched = window.fetch;
  window.fetch = (...given) => {
    clock.asking += 1;
    return fetched(...given).finally(() => { clock.asking -= 1; });
  };
  new PerformanceObserver((list) => list.getEntries().forEach(({ startTime, duration }) => {
    clock.busy = Math.max(clock.busy, startTime + duration);
  })).observe({ type: "longtask", buffered: true });
  const look = () => {
    const now = performance.now();
    if (!(READY) || clock.asking) clock.quiet = null;
    else clock.quiet ??= now;
    if (clock.quiet !== null && now - clock.quiet > 300) clock.done = Math.max(clock.quiet, clock.busy);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""


class Visit(NamedTuple):
    """One visit: seconds until the page is interactive, kilobytes and requests over the wire."""

    seconds: float
    kilobytes: float
    requests: float


class Place(NamedTuple):
    """A page: its name, its address, and the expression that says when all of it stands."""

    name: str
    url: str
    ready: str


def run(turns: int = TURNS) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as site, plain_form() as bare:
        furnish(site.http)
        here = str(site.http.base_url).rstrip("/")
        places = [Place(path.partition("?")[0], f"{here}{path}", OURS) for path in PAGES]
        places.append(Place("plain Gradio", f"{bare}/", BARE))
        taken = asyncio.run(visit_all(places, turns))
    told = {name: {when: middle(visits)._asdict() for when, visits in both.items()} for name, both in taken.items()}
    theirs = told.pop("plain Gradio")
    slowest = max(told.values(), key=lambda both: both["cold"]["seconds"])["cold"]
    heaviest = max(told.values(), key=lambda both: both["cold"]["kilobytes"])["cold"]
    train = told["/train"]
    ratios = [
        ratio("goal, seconds of the slowest page, cold", slowest["seconds"], GOAL_SECONDS),
        ratio("goal, kilobytes of the heaviest page, cold", heaviest["kilobytes"], GOAL_BYTES),
        *(ratio(f"plain Gradio, {what} of /train, {when}", train[when][what] / theirs[when][what], 1.0)
          for when, what in (("cold", "seconds"), ("cold", "kilobytes"), ("cold", "requests"), ("warm", "seconds"))),
    ]  # fmt: skip
    return report("page", told, {"plain Gradio": theirs}, ratios, turns=turns)


def furnish(http: httpx.Client) -> None:
    """A study with answers that were judged, so that no page is empty."""
    contestants = [
        {"model": "starter", "name": name, "temperature": heat} for name, heat in (("calm", 0.3), ("lively", 1))
    ]
    made = {"name": "bench", "contestants": contestants, "prompts": "starter-prompts", "settings": {"target": 8}}
    asked(http.post("/api/studies", json=made))

    def sitting() -> dict[str, Any]:
        return asked(http.get("/api/compare/next", params={"study": "bench"}))

    for number in range(6):
        ready = lambda: [one for one in sitting()["pairs"] if one["state"] == "ready"]  # noqa: E731
        pair = wait_for(ready, "answers to judge")[0]
        shown = [side["sha256"] for side in pair["sides"]]
        vote = {"id": f"bench-{number:04}", "study": "bench", "comparison": pair["comparison"], "choice": "left"}
        asked(http.post("/api/compare/vote", json={**vote, "shown": shown}))
    wait_for(lambda: sum(one["state"] == "ready" for one in sitting()["pairs"]) >= 4, "the next answers")


@contextmanager
def plain_form() -> Iterator[str]:
    """The baseline in a process of its own."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(BASELINE), str(port)], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers_at(f"http://127.0.0.1:{port}/"), "the plain page")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def answers_at(url: str) -> bool:
    time.sleep(0.1)
    try:
        return httpx.get(url, timeout=30, trust_env=False).is_success
    except httpx.TransportError:
        return False


async def visit_all(places: Sequence[Place], turns: int) -> dict[str, dict[str, list[Visit]]]:
    """Visit all pages in turn, each time by a browser that was never there and then by the same one."""
    taken: dict[str, dict[str, list[Visit]]] = {place.name: {"cold": [], "warm": []} for place in places}
    async with chromium() as browser:
        for turn in range(turns + 1):  # the first warms the servers
            for place in places:
                cold, warm = await twice(browser, place)
                if turn:
                    taken[place.name]["cold"].append(cold)
                    taken[place.name]["warm"].append(warm)
    return taken


async def twice(browser: "Browser", place: Place) -> tuple[Visit, Visit]:
    """The first visit of a browser, and its second."""
    context = await browser.new_context()
    try:
        return await once(context, place), await once(context, place)
    finally:
        await context.close()


async def once(context: "BrowserContext", place: Place) -> Visit:
    """One visit in a tab of its own."""
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    weights: list[float] = []
    session.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
    await page.add_init_script(CLOCK.replace("READY", place.ready))
    await page.goto(place.url, wait_until="commit")
    await page.wait_for_function("window.clock && clock.done !== null", timeout=60_000)
    seconds = await page.evaluate("clock.done / 1000")
    await page.close()
    sent = [weight for weight in weights if weight > 0]  # what the browser kept comes with no bytes
    return Visit(round(seconds, 3), round(sum(sent) / 1000, 1), len(sent))


def middle(visits: Sequence[Visit]) -> Visit:
    """The median of each measure."""
    return Visit(*(round(statistics.median(values), 3) for values in zip(*visits, strict=True)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Pages in Chromium: bytes, requests, time to interactive.")
    parser.add_argument("--small", action="store_true", help="a trial run: one visit of each page")
    print(json.dumps(run(1) if parser.parse_args().small else run(), indent=1))
