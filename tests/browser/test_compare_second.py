"""What a study asks besides the choice: strength, criteria, reasons, words; mending; skips with a reason."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.judging import ROOT, WORDS, Room, add_study, all_saved, order_on_screen, press, ready

pytestmark = pytest.mark.browser

ASKING: dict[str, Any] = {
    "strength": "required",
    "criteria": [
        {"key": "truth", "label": "Truth", "scale": 5, "required": True},
        {"key": "tone", "label": "Tone", "scale": 3},
    ],
    "chips": ["Follows the instructions", "Too long", "Wrong"],
    "rationale": "optional",
}
Judge = Callable[..., Any]


def state(page: Any, name: str) -> None:
    """Wait until the page is in a state."""
    page.wait_for_selector(f"{ROOT}[data-state={name}]")


def saved(page: Any, before: str) -> None:
    """Wait until the next pair is there and everything has been saved."""
    page.wait_for_function(f"document.querySelector('{ROOT}').dataset.comparison !== '{before}'")
    all_saved(page)


def test_a_vote_with_all_that_is_asked_is_given_by_keys_alone(room: Room, judge: Judge) -> None:
    add_study(room.store, "all-asked", 4, **ASKING)
    page = judge("ann", "all-asked")
    before = ready(page)
    order = order_on_screen(page)
    page.keyboard.press("1")
    state(page, "details")
    assert page.inner_text(".details h2") == "You say: A is better"
    assert room.rows("all-asked", "id") == []

    page.keyboard.press("Enter")
    assert page.inner_text(".details .field-error") == (
        "This study asks for how much better the answer is and “Truth” of every answer."
    )
    for key in ("3", "5", "2", "Tab", "3", "t", "w"):
        page.keyboard.press(key)
    page.fill("#vote-rationale", "It says what is so: 1 2 3 z x s")
    page.focus("#vote-rationale")
    page.keyboard.press("Enter")
    saved(page, before)

    truth = [5, 2] if order == [0, 1] else [2, 5]
    tone = [None, 3] if order == [0, 1] else [3, None]
    row = room.rows("all-asked", "choice, strength, criteria, chips, rationale")[0]
    assert (row[0], row[1], json.loads(row[2]), sorted(json.loads(row[3])), row[4]) == (
        "ab"[order[0]], 2, {"truth": truth, "tone": tone}, ["Too long", "Wrong"], "It says what is so: 1 2 3 z x s",
    )  # fmt: skip


def test_a_tie_has_no_strength_and_escape_goes_back_without_a_vote(room: Room, judge: Judge) -> None:
    add_study(room.store, "going-back", 3, strength="required", rationale="required")
    page = judge("ann", "going-back")
    before = ready(page)
    page.keyboard.press("1")
    state(page, "details")
    page.keyboard.press("Escape")
    assert ready(page) == before
    assert (page.locator(".is-chosen").count(), room.rows("going-back", "id")) == (0, [])

    page.keyboard.press("3")
    state(page, "details")
    assert page.locator(".is-strength").count() == 0
    page.keyboard.type("Both say the same.")
    page.reload()
    assert ready(page) == before
    page.keyboard.press("3")
    state(page, "details")
    assert page.input_value("#vote-rationale") == "Both say the same."
    page.keyboard.press("Enter")
    saved(page, before)
    assert room.rows("going-back", "choice, strength, rationale") == [("tie", None, "Both say the same.")]


def test_where_nothing_is_required_one_key_votes_and_more_is_said_later(room: Room, judge: Judge) -> None:
    add_study(room.store, "optional", 4, strength="optional", chips=["Clear", "Wrong"])
    page = judge("ann", "optional")
    (first,) = press(page, "2")
    second = ready(page)
    all_saved(page)
    page.keyboard.press("d")
    state(page, "details")
    assert page.get_attribute(ROOT, "data-comparison") == first
    assert page.inner_text(".details h2") == "You said: B is better"
    page.keyboard.press("4")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    saved(page, first)

    assert ready(page) == second
    rows = room.rows("optional", "comparison_id, strength, chips, supersedes is not null")
    assert rows == [(first, None, None, 0), (first, 3, '["Clear"]', 1)]

    page.keyboard.press("d")
    state(page, "details")
    assert page.get_attribute(".is-strength [aria-checked=true]", "tabindex") == "0"
    page.keyboard.press("Escape")
    page.wait_for_function(f"document.querySelector('{ROOT}').dataset.comparison === '{second}'")
    press(page, "1")
    assert len(room.rows("optional", "id")) == 3


def test_the_better_answer_is_mended_and_saved_with_the_vote(room: Room, judge: Judge) -> None:
    add_study(room.store, "mending", 3)
    page = judge("ada", "mending")
    before = ready(page)
    order = order_on_screen(page)
    page.keyboard.press("f")
    page.wait_for_selector(".vote-hint:visible")
    page.keyboard.press("2")
    state(page, "fixing")
    page.wait_for_selector("#fix-text:focus")
    was = page.input_value("#fix-text")
    page.fill("#fix-text", was.replace("answer", "mended answer"))
    page.wait_for_selector(".fix-diff ins")
    assert (page.inner_text(".fix-diff ins").strip(), grave_violations(page)) == ("mended", [])
    page.keyboard.press("Control+Enter")
    saved(page, before)

    assert was.startswith(WORDS[order[1]])
    row = room.rows("mending", "choice, edited, edited_position")[0]
    assert row == ("ab"[order[1]], was.replace("answer", "mended answer"), order[1])
    assert room.store.value("select count(*) from datasets where name = 'mending-fixes'") == 1


def test_mending_left_by_escape_is_no_vote_and_keeps_what_was_typed(room: Room, judge: Judge) -> None:
    add_study(room.store, "not-mended", 2)
    page = judge("ada", "not-mended")
    before = ready(page)
    for key in ("f", "1"):
        page.keyboard.press(key)
    state(page, "fixing")
    page.fill("#fix-text", "Half a sentence")
    page.keyboard.press("Escape")
    assert (ready(page), room.rows("not-mended", "id")) == (before, [])

    for key in ("f", "1"):
        page.keyboard.press(key)
    state(page, "fixing")
    assert page.input_value("#fix-text") == "Half a sentence"
    page.fill("#fix-text", "  ")
    page.keyboard.press("Control+Enter")
    assert page.inner_text(".fix .field-error") == "The mended answer is empty; write what it should have said."


def test_a_skip_takes_its_reason_by_number_or_none_by_enter(room: Room, judge: Judge) -> None:
    add_study(room.store, "skips", 5, skip_reasons=["I cannot tell", "Not my subject"])
    page = judge("ann", "skips")
    for keys in (("s", "2"), ("s", "Enter")):
        before = ready(page)
        for key in keys:
            page.keyboard.press(key)
        saved(page, before)
    before = ready(page)
    page.keyboard.press("s")
    state(page, "skipping")
    assert grave_violations(page) == []
    page.keyboard.press("3")
    page.keyboard.press("Escape")

    assert ready(page) == before
    assert room.rows("skips", "choice, reason") == [("skip", "Not my subject"), ("skip", None)]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_it_looks_right(room: Room, judge: Judge, width: int, scheme: str) -> None:
    name = f"looks-{width}-{scheme}"
    add_study(room.store, name, 6, **ASKING)
    page = judge("ann", name, width=width, scheme=scheme)
    for key, where in (("1", "details"), ("f", "fixing")):
        ready(page) if where == "details" else None
        page.keyboard.press(key)
        state(page, where)
        if where == "details":
            for pressed in ("3", "4", "2", "w"):
                page.keyboard.press(pressed)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert grave_violations(page) == []
        page.screenshot(path=f"tests/browser/shots/second-{where}-{width}-{scheme}.png")
