"""Working time: a pause of five minutes or a hidden tab is none. And what the head of the page counts."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.browser.judging import Room, add_study, all_saved, press, ready

pytestmark = pytest.mark.browser

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_silence_of_five_minutes_and_hidden_tabs_do_not_count(room: Room, visit: Callable[..., Visit]) -> None:
    add_study(room.store, "paused", 4)
    one = room.enter(visit(room.url), "ann")
    one.page.clock.install()
    page = one.open("/compare?study=paused")
    ready(page)
    page.clock.fast_forward(4 * 60_000)
    page.mouse.move(200, 200)
    page.clock.fast_forward(6 * 60_000)
    page.mouse.move(300, 300)
    page.clock.fast_forward(60_000)
    page.evaluate(HIDE, True)
    page.clock.fast_forward(2 * 60_000)
    page.evaluate(HIDE, False)
    page.clock.fast_forward(30_000)
    press(page, "1")
    all_saved(page)

    (seconds,) = room.rows("paused", "seconds")[0]
    assert 330 <= seconds < 350, "four minutes, one minute, half a minute, and what the test itself took"


def test_the_head_counts_mine_today_the_round_and_the_left_side(room: Room, visit: Callable[..., Visit]) -> None:
    add_study(room.store, "counted", 12, overlap=2)
    page = room.enter(visit(room.url), "ann").open("/compare?study=counted")
    press(page, *["1"] * 10)
    all_saved(page)
    page.wait_for_function("document.querySelector('.left-meter').innerText.includes('of 10')")

    assert page.inner_text(".sitting-progress .num >> nth=0") == "10 of 30 votes"
    assert page.inner_text(".round") == "Round: 10 of 24 judgements"
    assert page.inner_text(".left-meter").strip() == "Left 100 % of 10: read both sides"
    press(page, "z")
    page.wait_for_function("document.querySelector('.left-meter').innerText.includes('of 9')")
    assert page.inner_text(".round") == "Round: 9 of 24 judgements"


def test_what_cannot_be_read_in_the_browsers_store_costs_no_vote(room: Room, visit: Callable[..., Visit]) -> None:
    add_study(room.store, "spoiled", 4)
    one = room.enter(visit(room.url), "ann")
    page = one.open("/compare?study=spoiled")
    page.evaluate("localStorage.setItem('ratchet.unsaved.ann.broken', '{not json')")
    stranger = (
        '{"id": "of-somebody-else", "kind": "vote", "person": "bob", "comparison": "x", "study": "spoiled", "at": 1}'
    )
    page.evaluate("(text) => localStorage.setItem('ratchet.unsaved.bob.of-somebody-else', text)", stranger)
    press(page, "1", "2")
    all_saved(page)
    page.wait_for_selector(".sitting :text('1 vote of somebody else waits in this browser')")

    assert len(room.rows("spoiled", "id")) == 2
    assert page.evaluate("localStorage.getItem('ratchet.unsaved.bob.of-somebody-else')") == stranger
