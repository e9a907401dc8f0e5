"""From the question to the first token painted, in Chromium, with the engine warm.

    python -m bench.first_token [--small]

A person types a question of their own on /compare and presses Enter; the clock runs in the page from that key until two
animation frames after both sides show their first words. "chat" is the same in a study whose answers go on as
conversations: from Enter in its box to the first words of the next turn. Both ways the question becomes a row first,
the starter answers twice in one batch, and the sides are shown at one pace.

The baseline is a plain page that asks the same engine for the same two answers: Python's HTTP server passes the events
on, and nothing is stored, checked or held back; its clock too stops when both sides have begun. The ratio is what the
way through the studio costs. Goal: 150 ms at the median; the 95th percentile is told beside it.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.at_browser import chromium
from bench.button import Site, asked, studio, wait_for
from bench.figures import Times, ratio, report, times
from bench.page import answers_at
from bench.start import free_port

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

BASELINE = Path(__file__).parent / "baselines" / "plain_stream.py"
TURNS = 20
GOAL_MS = 150.0
QUESTION = "What is the capital of France?"
CONTESTANTS = [{"model": "starter", "name": name, "temperature": heat, "max_tokens": 48}
               for name, heat in (("calm", 0.3), ("lively", 1.0))]  # fmt: skip
STUDIES: dict[str, dict[str, Any]] = {"question": {}, "chat": {"layout": "turns", "continues": "both"}}
# The first words of this question: what stood there before must have gone.
CLOCK = """
([box, left, right]) => {
  const said = (selector) => Boolean(document.querySelector(selector)?.textContent.trim());
  window.taken = [];
  let pressed = null, gone = false;
  document.querySelector(box).addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    pressed = performance.now();
    gone = false;
    setTimeout(() => { gone ||= !said(left) && !said(right); }); // nothing stood there: nothing will change by going
  }, true);
  new MutationObserver(() => {
    if (pressed === null) return;
    if (!gone) { gone = !said(left) && !said(right); if (!gone) return; }
    if (!said(left) || !said(right)) return;
    const begun = pressed;
    pressed = null;
    requestAnimationFrame(() => requestAnimationFrame(() => window.taken.push(performance.now() - begun)));
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
}
"""


class Way(NamedTuple):
    """A page to ask on: its address, its box, where both answers appear, and what it shows when they are whole."""

    url: str
    box: str
    left: str
    right: str
    whole: str


def run(turns: int = TURNS) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as site:
        for name, settings in STUDIES.items():
            made = {"name": name, "contestants": CONTESTANTS, "prompts": "starter-prompts", "settings": settings}
            asked(site.http.post("/api/studies", json=made))
            wait_for(lambda name=name: _ready(site, name), "the first pairs")  # type: ignore[misc]
        with plain_page(site) as bare:
            taken = asyncio.run(ask_in_turn(site, bare, turns))
    told = {name: times(found) for name, found in taken.items()}
    plain = told.pop("plain")
    ratios = [
        ratio("goal, ms of a question", told["question"].p50, GOAL_MS),
        ratio("goal, ms of a turn in a chat", told["chat"].p50, GOAL_MS),
        *(ratio(f"plain page, {name}", one.p50 / plain.p50, None) for name, one in told.items()),
    ]
    return report("first_token", _dicts(told), {"plain page": plain._asdict()}, ratios, sound=_whole(told, turns))


def _dicts(told: dict[str, Times]) -> dict[str, Any]:
    return {name: one._asdict() for name, one in told.items()}


def _whole(told: dict[str, Times], turns: int) -> bool:
    """Whether every question was answered."""
    return all(one.count == turns for one in told.values())


def _ready(site: Site, study: str) -> bool:
    """Whether what lies ahead has been answered, so that nothing is made beside what is measured."""
    pairs = asked(site.http.get("/api/compare/next", params={"study": study}))["pairs"]
    return len(pairs) >= 4 and all(pair["state"] == "ready" for pair in pairs)


@contextmanager
def plain_page(site: Site) -> Iterator[Way]:
    """The baseline in a process of its own, before the studio's engine."""
    said, port = json.loads((site.home / "engine.json").read_text()), free_port()
    words = [str(port), f"http://127.0.0.1:{said['port']}", said["token"], "starter"]
    process = subprocess.Popen([sys.executable, str(BASELINE), *words])
    try:
        wait_for(lambda: answers_at(f"http://127.0.0.1:{port}/"), "the plain page")
        yield Way(f"http://127.0.0.1:{port}/", "#ask-text", ".pane-a", ".pane-b", "body[data-state=ready]")
    finally:
        process.terminate()
        process.wait(30)


def our_way(site: Site, study: str) -> Way:
    """The page /compare of a study."""
    box = "#turn-text" if STUDIES[study] else "#ask-text"
    sides = (f".pane-{letter} .answer" for letter in "ab")
    return Way(
        f"{str(site.http.base_url).rstrip('/')}/compare?study={study}",
        box,
        *sides,
        "[data-widget=compare][data-state=ready]",
    )


async def ask_in_turn(site: Site, bare: Way, turns: int) -> dict[str, list[float]]:
    """Ask on all pages in turn; the first questions warm engine and browser and do not count."""
    ways = {**{name: our_way(site, name) for name in STUDIES}, "plain": bare}
    async with chromium() as browser:
        pages = {name: await sit_down(browser, way) for name, way in ways.items()}
        for number in range(turns + 2):
            for name, page in pages.items():
                await ask(page, ways[name], f"{QUESTION} ({number})")
        return {name: (await page.evaluate("window.taken"))[2:] for name, page in pages.items()}


async def sit_down(browser: "Browser", way: Way) -> "Page":
    """A page with the clock in it."""
    page = await browser.new_page()
    await page.goto(way.url)
    await page.wait_for_selector(way.box)
    if "compare" in way.url:
        await page.wait_for_selector(way.whole)
    await page.evaluate(CLOCK, [way.box, way.left, way.right])
    return page


async def ask(page: "Page", way: Way, question: str) -> None:
    """Ask, and wait until both answers are whole."""
    await page.bring_to_front()
    await page.fill(way.box, question)
    before = await page.evaluate("window.taken.length")
    await page.press(way.box, "Enter")
    await page.wait_for_function("(before) => window.taken.length > before", arg=before, timeout=60_000)
    await page.wait_for_selector(way.whole, timeout=60_000)
    await page.wait_for_timeout(300)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Question to first token painted.")
    parser.add_argument("--small", action="store_true", help="a trial run: three questions each")
    print(json.dumps(run(3) if parser.parse_args().small else run(), indent=1))
