"""Fifty votes by keyboard alone, some of them taken back and given again: every row in the store is what was meant."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.browser.judging import ROOT, Room, add_study, order_on_screen, press, ready

pytestmark = pytest.mark.browser

VOTES = 50
SIDES = {"1": 0, "ArrowLeft": 0, "2": 1, "ArrowRight": 1}
DRAWS = {"3": "tie", "t": "tie", "4": "both_bad", "x": "both_bad"}
UNDOS = ("z", "Control+z")


def test_fifty_votes_by_keyboard_with_undo_in_between(room: Room, judge: Callable[..., Any]) -> None:
    add_study(room.store, "by-keyboard", VOTES + 2)
    page = judge("ann", "by-keyboard")
    chance = Random(4)
    meant: list[tuple[str, str, str, str]] = []
    taken_back = 0
    for number in range(VOTES):
        vote(page, chance.choice([*SIDES, *DRAWS]), meant)
        if number % 8 == 7:
            undo(page, UNDOS[taken_back % 2], meant)
            taken_back += 1
            vote(page, chance.choice([*SIDES, *DRAWS]), meant)
    ready(page)

    rows = room.rows("by-keyboard", "comparison_id, annotator, choice, shown_order")
    assert rows == meant
    assert len(rows) == VOTES + 2 * taken_back
    assert taken_back == 6
    assert room.store.value("select count(*) from comparisons c join studies s on s.id = c.study_id "
                            "where s.name = 'by-keyboard' and c.given = 1") == VOTES  # fmt: skip
    ids = [row for (row,) in room.rows("by-keyboard", "id")]
    withdrawn = room.rows("by-keyboard", "choice, supersedes")
    assert [ids[place - 1] for place, (choice, _) in enumerate(withdrawn) if choice == "undo"] == [
        before for choice, before in withdrawn if choice == "undo"
    ]
    assert room.rows("by-keyboard", "count(*), count(distinct id), min(seconds) > 0") == [(len(rows), len(rows), 1)]


def vote(page: Any, key: str, meant: list[tuple[str, str, str, str]]) -> None:
    """Press a key, and note the row that it must make."""
    ready(page)
    order = order_on_screen(page)
    choice = DRAWS.get(key) or "ab"[order[SIDES[key]]]
    (comparison,) = press(page, key)
    meant.append((comparison, "ann", choice, json.dumps(order)))


def undo(page: Any, key: str, meant: list[tuple[str, str, str, str]]) -> None:
    """Take the last vote back: the same pair stands there again, the same way round."""
    press(page, key)
    assert ready(page) == meant[-1][0]
    assert json.dumps(order_on_screen(page)) == meant[-1][3]
    meant.append((meant[-1][0], "ann", "undo", meant[-1][3]))


def test_a_key_in_a_field_is_a_letter_and_no_vote(room: Room, judge: Callable[..., Any]) -> None:
    add_study(room.store, "letters", 6)
    page = judge("ann", "letters")
    ready(page)
    page.fill("#ask-text", "")
    page.type("#ask-text", "1 2 3 4 t x z")
    page.keyboard.press("Escape")
    assert room.rows("letters", "id") == []

    press(page, "1")
    assert room.rows("letters", "count(*)") == [(1,)]
    assert page.get_attribute(ROOT, "data-unsaved") == "0"
