"""Guidelines beside the pair: read, by version, marked as new until they were seen."""

from collections.abc import Callable
from typing import Any

import pytest

from studio.feedback.guidelines import write_guidelines
from tests.browser.axe import grave_violations
from tests.browser.judging import OWNER, Room, add_study, all_saved, press, ready

pytestmark = pytest.mark.browser

Judge = Callable[..., Any]
MARK = ".tools-study .chip"


def test_a_new_version_is_marked_until_it_is_read_and_shows_what_changed(room: Room, judge: Judge) -> None:
    add_study(room.store, "guided", 6)
    write_guidelines(room.store, OWNER, "guided", "Prefer **short** answers. <img src=x onerror='window.hacked = 1'>")
    page = judge("ann", "guided", scheme="dark")
    ready(page)
    assert page.inner_text(MARK) == "new since you last judged"
    page.keyboard.press("g")
    page.wait_for_selector("#guidelines:visible")
    assert page.inner_text(".guidelines-text strong") == "short"
    assert (page.locator("#guidelines img").count(), page.evaluate("window.hacked"), grave_violations(page)) == (
        0,
        None,
        [],
    )
    page.keyboard.press("g")
    press(page, "1")
    all_saved(page)
    assert not page.locator(MARK).is_visible()

    write_guidelines(room.store, OWNER, "guided", "Prefer **true** answers.")
    page.reload()
    ready(page)
    page.wait_for_selector(f"{MARK}:visible")
    page.keyboard.press("g")
    page.wait_for_selector(".guidelines-diff ins")
    assert page.locator("#guidelines option").all_inner_texts() == ["Version 2, in force", "Version 1"]
    page.select_option("#guidelines select", "1")
    page.wait_for_selector(".guidelines-text strong")
    page.keyboard.press("Escape")
    page.screenshot(path="tests/browser/shots/compare-guidelines-1280-dark.png")
    page.get_by_role("button", name="Close").click()
    press(page, "2")
    all_saved(page)

    assert room.rows("guided", "guidelines") == [(1,), (2,)]


def test_without_guidelines_there_is_no_button(room: Room, judge: Judge) -> None:
    add_study(room.store, "unguided", 2)
    page = judge("ann", "unguided")
    ready(page)
    page.keyboard.press("g")

    assert not page.get_by_role("button", name="Guidelines").is_visible()
    assert not page.locator("#guidelines").is_visible()
