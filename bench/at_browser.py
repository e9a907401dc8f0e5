"""A person at Chromium who votes by key: milliseconds from the key until the next pair is painted.

The time is taken in the page itself: from the `keydown` event until two animation frames after the next pair was put
into the document (the first frame may have begun before it).
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.judging import STUDY

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

TIMER = """
([selector, what, text]) => {
  const read = () => text && document.querySelector(text)?.textContent;
  window.times = [];
  let pressed = null, said = read();
  document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
  new MutationObserver(() => {
    const now = read();
    if (pressed === null || (text && (!now || now === said))) return;
    said = now;
    const begun = pressed;
    pressed = null;
    requestAnimationFrame(() => requestAnimationFrame(() => window.times.push(performance.now() - begun)));
  }).observe(document.querySelector(selector), what);
}
"""


class Place(NamedTuple):
    """Where to vote: the address, what must be there first, and what tells that the next pair is in the document.

    `watched`: an element, what of it is observed, and whose text must be another one, if any.
    """

    url: str
    ready: str
    watched: list[Any]


def our_place(port: int) -> Place:
    """The page /compare; it says itself when it has drawn a pair."""
    watched = ["[data-widget=compare]", {"attributes": True, "attributeFilter": ["data-painted"]}, None]
    return Place(f"http://127.0.0.1:{port}/compare?study={STUDY}", "[data-widget=compare][data-state=ready]", watched)


def gradio_place(port: int) -> Place:
    """The plain Gradio page: another left text is the next pair; a sign of waiting inside its frame is not."""
    watched = ["#left", {"childList": True, "subtree": True, "characterData": True}, "#left p"]
    return Place(f"http://127.0.0.1:{port}/", "#left p", watched)


@asynccontextmanager
async def chromium() -> "AsyncIterator[Browser]":
    """A browser."""
    from playwright.async_api import async_playwright

    path = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def sit_down(browser: "Browser", place: Place, port: int, token: str = "") -> "Page":
    """A page before its first pair, by a session of ours where a token is given."""
    context = await browser.new_context()
    if token:
        here = f"http://127.0.0.1:{port}"
        await context.add_cookies([{"name": f"ratchet_session_{port}", "value": token, "url": here}])
    page = await context.new_page()
    await page.goto(place.url)
    await page.wait_for_selector(place.ready)
    await page.evaluate(TIMER, place.watched)
    return page


async def painted(page: "Page") -> list[float]:
    """The times since the last look."""
    await asyncio.sleep(0.5)
    taken: list[float] = await page.evaluate("window.times.splice(0)")
    return taken
