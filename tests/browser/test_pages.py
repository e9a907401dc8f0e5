"""Every page in a real browser: its heading, its manners, its looks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.pages.shell import PAGES, Page

pytestmark = pytest.mark.browser
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")
pages = pytest.mark.parametrize("page", PAGES, ids=[page.name.lower() for page in PAGES])
schemes = pytest.mark.parametrize("scheme", ["light", "dark"])
HERE_IN_SIGHT = """() => {
  const all = document.querySelector(".shell-nav").getBoundingClientRect();
  const here = document.querySelector(".shell-nav [aria-current]").getBoundingClientRect();
  return all.left <= here.left + 1 && here.right <= all.right + 1; }"""
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility() && !e.closest(".skip-link"))
  .filter((e) => { for (let p = e.parentElement; p; p = p.parentElement)
    if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(p).overflowX) && p !== document.body
      && p !== document.documentElement) return false; return true; })
  .map((e) => `${e.tagName}.${e.className} ends at ${Math.round(e.getBoundingClientRect().right)}`).slice(0, 5)"""


@pages
def test_a_page_has_its_title_one_heading_and_its_place_in_the_navigation(
    page: Page, studio_served: Any, visit: Callable[..., Any]
) -> None:
    opened = visit(studio_served.url).open(page.path)

    assert opened.title() == page.title
    assert opened.locator("h1").all_inner_texts() == [page.heading]
    assert opened.locator(".shell-nav [aria-current=page]").all_inner_texts() == [page.name]
    assert opened.locator(".nav-holder, footer").locator("visible=true").count() == 0


@pages
def test_a_page_is_quiet_and_talks_to_the_studio_alone(
    page: Page, studio_served: Any, visit: Callable[..., Any]
) -> None:
    one = visit(studio_served.url)
    one.open(page.path)
    one.page.wait_for_timeout(1500)  # pollers have had their turn; Visit checks the rest

    assert one.errors == []


@pages
@schemes
def test_every_text_can_be_read(page: Page, scheme: str, studio_served: Any, visit: Callable[..., Any]) -> None:
    one = visit(studio_served.url, scheme=scheme)
    opened = one.open(page.path)
    opened.wait_for_timeout(700)
    one.shot(f"{page.name.lower()}-{scheme}-1280")

    assert opened.evaluate(CONTRAST) == []


@pages
@pytest.mark.parametrize("scheme", ["dark", pytest.param("light", marks=pytest.mark.slow)])
def test_a_phone_shows_the_whole_width(page: Page, scheme: str, studio_served: Any, visit: Callable[..., Any]) -> None:
    one = visit(studio_served.url, width=390, height=844, scheme=scheme, has_touch=True, is_mobile=True)
    opened = one.open(page.path)
    opened.wait_for_timeout(700)
    one.shot(f"{page.name.lower()}-{scheme}-390")

    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.evaluate(TOO_WIDE) == []
    assert opened.evaluate(HERE_IN_SIGHT)


@pages
def test_the_keyboard_reaches_the_navigation_and_the_content(
    page: Page, studio_served: Any, visit: Callable[..., Any]
) -> None:
    opened = visit(studio_served.url).open(page.path)
    focused = "document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label')"
    reached = []
    for _ in range(len(PAGES) + 2):
        opened.keyboard.press("Tab")
        reached.append(opened.evaluate(focused))
        ring = opened.evaluate("getComputedStyle(document.activeElement).boxShadow")
        assert ring != "none"

    assert reached == ["Skip to the content", "Ratchet", *(each.name for each in PAGES)]


@pages
def test_the_skip_link_leads_past_the_navigation(page: Page, studio_served: Any, visit: Callable[..., Any]) -> None:
    opened = visit(studio_served.url).open(page.path)
    opened.evaluate("window.stillHere = true")

    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")

    assert opened.evaluate("document.activeElement.id") == "content"
    assert opened.evaluate("window.stillHere")  # the page was not loaded anew


@pages
def test_every_control_has_a_name(page: Page, studio_served: Any, visit: Callable[..., Any]) -> None:
    opened = visit(studio_served.url).open(page.path)
    opened.wait_for_timeout(700)
    nameless = opened.evaluate(
        """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea")]
          .filter((e) => e.checkVisibility() && !e.textContent.trim() && !e.getAttribute("aria-label") && !e.title
            && !e.getAttribute("aria-labelledby") && !(e.labels && e.labels.length))
          .map((e) => e.outerHTML.slice(0, 120))"""
    )

    assert nameless == []


@schemes
def test_the_theme_follows_the_system_until_a_person_chooses(
    scheme: str, studio_served: Any, visit: Callable[..., Any]
) -> None:
    one = visit(studio_served.url, scheme=scheme)
    opened = one.open("/")
    theme = "[document.documentElement.dataset.theme, document.body.classList.contains('dark')]"
    assert opened.evaluate(theme) == [scheme, scheme == "dark"]

    opened.click("#theme-toggle")  # from "system" to "light"
    one.open("/data")
    assert opened.evaluate(theme) == ["light", False]

    opened.click("#theme-toggle")  # to "dark"
    one.open("/train")
    assert opened.evaluate(theme) == ["dark", True]
