"""A session ends while somebody judges: what waits in the browser is that person's, and is saved when they are back."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.conftest import Visit
from tests.browser.judging import PASSWORD, Room, add_study, all_saved, press, ready, says_waiting

pytestmark = pytest.mark.browser


@pytest.fixture
def begin(room: Room, visit: Callable[..., Visit]) -> Callable[[str], Any]:
    """`begin(study)`: ann judges in a study of her own and has given a vote."""

    def beginning(study: str) -> Any:
        add_study(room.store, study, 10)
        one = room.enter(visit(room.url, width=390), "ann")
        one.expected += ["net::ERR_FAILED", "status of 4"]
        page = one.open(f"/compare?study={study}")
        press(page, "1")
        ready(page)
        page.wait_for_load_state("networkidle")
        return page

    return beginning


def test_a_session_that_has_ended_costs_no_vote(room: Room, begin: Callable[[str], Any]) -> None:
    page = begin("session-ended")
    room.store.execute("delete from sessions where person_id = (select id from people where name = 'ann')")
    page.keyboard.press("2")
    bar = page.locator(".session-bar")
    bar.wait_for()
    assert bar.inner_text().startswith("Your session has ended. Sign in again; 1 vote waits here.")
    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("link", name="Sign in again").click()
    sign_in(page, "ann")
    page.wait_for_url("**/compare?study=session-ended*")
    ready(page)
    all_saved(page)
    assert not bar.is_visible()
    assert room.rows("session-ended", "annotator, count(*), count(distinct comparison_id)") == [("ann", 2, 2)]


def test_who_signs_in_after_another_does_not_cast_the_others_votes(room: Room, begin: Callable[[str], Any]) -> None:
    page = begin("one-browser")
    page.route("**/api/compare/vote", lambda route: route.abort())
    press(page, "2")
    says_waiting(page, 1)
    page.context.clear_cookies()
    sign_in_at(page, room, "bob", "one-browser")
    page.unroute("**/api/compare/vote")
    ready(page)
    press(page, "3")
    all_saved(page)
    assert room.rows("one-browser", "annotator, choice = 'tie'") == [("ann", 0), ("bob", 1)]

    page.context.clear_cookies()
    sign_in_at(page, room, "ann", "one-browser")
    ready(page)
    all_saved(page)
    assert room.rows("one-browser", "annotator") == [("ann",), ("bob",), ("ann",)]
    assert room.rows("one-browser", "count(distinct comparison_id)") == [(3,)]


def test_a_tab_left_open_does_not_vote_in_the_name_of_who_signed_in_since(
    room: Room, begin: Callable[[str], Any]
) -> None:
    page = begin("other-person")
    room.sign_in(page, "bob")
    page.keyboard.press("2")
    page.locator(".session-bar").wait_for()
    assert "Somebody else has signed in in this browser." in page.inner_text(".session-bar")

    assert room.rows("other-person", "annotator") == [("ann",)]


def sign_in_at(page: Any, room: Room, name: str, study: str) -> None:
    """Sign in by keyboard on the way to a study."""
    page.goto(f"{room.url}/sign-in?next=/compare?study={study}")
    sign_in(page, name)
    page.wait_for_url(f"**/compare?study={study}")


def sign_in(page: Any, name: str) -> None:
    """By keyboard."""
    page.wait_for_selector("#name:focus")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
