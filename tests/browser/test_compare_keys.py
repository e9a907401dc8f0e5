"""The keys of /compare: listed under "?", changed there, refused where they clash, kept in the browser."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.judging import Room, add_study, press, ready

pytestmark = pytest.mark.browser

Judge = Callable[..., Any]


def change(page: Any, action: str, key: str) -> str:
    """Ask for another key in the overlay; what the page says."""
    page.click(f"[data-change={action}]")
    page.keyboard.press(key)
    return str(page.inner_text(".keys-said"))


def test_a_key_is_changed_is_shown_on_its_button_and_stays(room: Room, judge: Judge) -> None:
    add_study(room.store, "keys", 6)
    page = judge("ann", "keys")
    ready(page)
    page.keyboard.press("?")
    page.wait_for_selector(".keys-dialog")
    assert grave_violations(page) == []
    assert change(page, "left", "q") == "“A is better” is Q now."
    page.keyboard.press("Escape")
    page.wait_for_selector(".keys-dialog", state="detached")

    assert page.inner_text(".vote-left kbd") == "Q"
    page.keyboard.press("1")
    page.keyboard.press("ArrowLeft")
    assert room.rows("keys", "id") == []
    press(page, "q")
    page.reload()
    press(page, "q")
    assert len(room.rows("keys", "id")) == 2

    page.click("#show-keys")
    page.get_by_role("button", name="All as usual").click()
    page.keyboard.press("Escape")
    press(page, "1")
    assert len(room.rows("keys", "id")) == 3


def test_a_key_that_is_taken_is_refused_with_the_reason(room: Room, judge: Judge) -> None:
    add_study(room.store, "clashes", 2)
    page = judge("ann", "clashes")
    ready(page)
    page.keyboard.press("?")

    assert change(page, "left", "s") == (
        "S is already taken by “Skip this pair, with or without a reason”; press another key, or Escape."
    )
    page.keyboard.press("Enter")
    assert page.inner_text(".keys-said") == "Enter saves what is open; press another key."
    page.keyboard.press("Control+q")
    assert page.inner_text(".keys-said").startswith("Keys with Ctrl, Alt or ⌘ belong to the browser")
    page.keyboard.press("Escape")
    assert page.locator(".keys-dialog").is_visible()
    page.keyboard.press("Escape")
    press(page, "1")
    assert len(room.rows("clashes", "id")) == 1


def test_no_key_of_the_page_counts_in_a_text_field(room: Room, judge: Judge) -> None:
    add_study(room.store, "fields", 3, rationale="required")
    page = judge("ann", "fields")
    before = ready(page)
    every = "1234 txszfdgk?"
    page.focus("#ask-text")
    page.keyboard.type(every)
    assert (page.input_value("#ask-text"), page.get_attribute("[data-widget=compare]", "data-state")) == (
        every,
        "ready",
    )
    page.fill("#ask-text", "")
    page.keyboard.press("Escape")

    page.keyboard.press("1")
    page.wait_for_selector("#vote-rationale")
    page.keyboard.type(every)
    assert page.input_value("#vote-rationale") == every
    assert (page.get_attribute("[data-widget=compare]", "data-comparison"), room.rows("fields", "id")) == (before, [])


def test_the_overlay_fits_a_phone(room: Room, judge: Judge) -> None:
    add_study(room.store, "keys-phone", 2)
    page = judge("ann", "keys-phone", width=390, scheme="dark")
    ready(page)
    page.keyboard.press("?")
    page.wait_for_selector(".keys-dialog")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("(box => box.scrollWidth <= box.clientWidth)(document.querySelector('.keys-dialog'))")
    assert grave_violations(page) == []
    page.screenshot(path="tests/browser/shots/compare-keys-390-dark.png")
