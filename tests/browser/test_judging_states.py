"""Every state of the pages for judging, in the dark on a phone and in the light on a desk: axe is content, nothing
is wider than the screen, and the vote is in reach."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.conftest import Visit
from tests.browser.full_studies import SIDES, add_studies
from tests.browser.judging import ROOT, Room, add_study

pytestmark = pytest.mark.browser
SCREENS = [(390, "dark"), (1280, "light")]
OPENED = {
    "guidelines": ("g", "#guidelines:visible"),
    "my votes": ("v", "dialog[open]"),
    "reasons of a skip": ("s", ".skipping:visible"),
    "keys": ("?", "dialog[open]"),
}


@pytest.fixture(scope="module")
def full(room: Room) -> dict[str, str]:
    """Studies with all that a study can ask, judged by ann."""
    return add_studies(room.store, "ann")


def wrong(page: Any, state: str) -> list[str]:
    """What is wrong with the page as it stands."""
    found = [f"{state}: {one}" for one in grave_violations(page)]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found + ([f"{state}: {wide} px too wide"] if wide > 0 else [])


@pytest.mark.parametrize(
    ("layout", "width", "scheme"),
    [
        pytest.param(layout, *screen, marks=[pytest.mark.slow] if layout != "pair" and screen != SCREENS[0] else [])
        for layout in SIDES
        for screen in SCREENS
    ],
)
def test_each_state_of_the_judging_page_is_whole(
    layout: str, width: int, scheme: str, full: dict[str, str], judge: Callable[..., Any]
) -> None:
    assert layout in full
    page = judge("ann", f"all-of-{layout}", width=width, scheme=scheme)
    page.wait_for_selector(f"{ROOT}[data-state=ready]")
    found = wrong(page, "ready")
    for state, (key, opened) in OPENED.items():
        page.keyboard.press(key)
        page.wait_for_selector(opened)
        found += wrong(page, state)
        page.keyboard.press("Escape")
        page.wait_for_selector(f"{ROOT}[data-state=ready]")
        if state == "guidelines" and page.is_visible("#guidelines"):
            page.keyboard.press("g")
    if layout == "pair":
        page.keyboard.press("1")
        page.wait_for_selector(".second:visible .reason")
        found += wrong(page, "second stage")
        page.get_by_role("button", name="Mend the better answer").click()
        page.wait_for_selector(f"{ROOT}[data-state=fixing]")
        found += wrong(page, "mending")

    assert found == []


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_a_study_that_is_over_closed_or_not_ones_own_says_so(
    width: int, scheme: str, room: Room, judge: Callable[..., Any]
) -> None:
    found = []
    for name, settings in {"over": {}, "shut": {}, "others": {"people": ["bob"]}}.items():
        study = add_study(room.store, f"{name}-{width}", 0 if name == "over" else 1, **settings)
        if name == "shut":
            room.store.execute("update studies set state = 'closed' where id = ?", [study.id])
        page = judge("ann", study.name, width=width, scheme=scheme)
        page.wait_for_selector(".pair-state:visible h2")
        found += wrong(page, name)
        assert page.locator(".vote-buttons button:enabled:visible").count() == 0

    assert found == []


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_studies_and_results_are_whole_for_who_runs_them(
    width: int, scheme: str, room: Room, full: dict[str, str], visit: Callable[..., Visit]
) -> None:
    page = room.enter(visit(room.url, width=width, scheme=scheme), "ada").page
    assert len(full) == 4
    found = []
    for path in ("/studies", "/studies?new=1", "/studies?study=all-of-pair", "/account",
                 *(f"/results?study=all-of-{layout}" for layout in SIDES)):  # fmt: skip
        page.goto(room.url + path)
        page.wait_for_function("!document.getElementById('boot')")
        page.wait_for_load_state("networkidle")
        found += wrong(page, path)

    assert found == []
