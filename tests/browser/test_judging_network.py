"""The network is cut while somebody judges: what waits is counted on the page, and afterwards all is there once."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.browser.judging import Room, add_study, all_saved, press, ready, says_waiting

pytestmark = pytest.mark.browser

CUT = ["net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED", "status of 502"]


@pytest.fixture
def begin(room: Room, visit: Callable[..., Visit]) -> Callable[..., Visit]:
    """`begin(study, count)`: ann judges in a study of her own; that the network fails is expected."""

    def beginning(study: str, count: int) -> Visit:
        add_study(room.store, study, count)
        one = room.enter(visit(room.url), "ann")
        one.expected += CUT
        one.open(f"/compare?study={study}")
        return one

    return beginning


def stocked(page: Any) -> None:
    """Wait until the next pairs have been fetched, as they have while a person reads."""
    ready(page)
    page.wait_for_load_state("networkidle")


def test_votes_and_an_undo_given_without_a_network_are_saved_once_and_in_order(
    room: Room, begin: Callable[..., Visit]
) -> None:
    page = begin("cut", 12).page
    seen = press(page, "1", "2")
    stocked(page)
    page.context.set_offline(True)
    seen += press(page, "3", "4")
    says_waiting(page, 2)
    press(page, "z")
    says_waiting(page, 3)
    seen += press(page, "3")
    says_waiting(page, 4)
    assert room.rows("cut", "count(*)") == [(2,)]

    page.context.set_offline(False)
    all_saved(page)

    assert page.locator(".vote-more .chip").is_hidden()
    assert seen[4] == seen[3]
    assert room.rows("cut", "comparison_id") == [(one,) for one in [*seen[:4], seen[3], seen[4]]]
    assert [choice for (choice,) in room.rows("cut", "choice")][2:] == ["tie", "both_bad", "undo", "tie"]
    assert room.rows("cut", "count(distinct comparison_id)") == [(4,)]
    assert room.store.value("select sum(given) from comparisons c join studies s on s.id = c.study_id "
                            "where s.name = 'cut'") == 4  # fmt: skip
    press(page, "1")
    assert room.rows("cut", "count(*)") == [(7,)]


def test_a_tab_closed_without_a_network_has_kept_its_votes(room: Room, begin: Callable[..., Visit]) -> None:
    one = begin("closed-tab", 10)
    context = one.page.context
    press(one.page, "1")
    stocked(one.page)
    context.set_offline(True)
    press(one.page, "2", "3")
    says_waiting(one.page, 2)
    one.page.close()
    context.set_offline(False)
    assert room.rows("closed-tab", "count(*)") == [(1,)]

    again, third = context.new_page(), context.new_page()
    for page in (again, third):  # two tabs at once send the same votes: they count once all the same
        page.goto(f"{room.url}/compare?study=closed-tab")
    for page in (again, third):
        all_saved(page)

    assert room.rows("closed-tab", "count(*), count(distinct id), count(distinct comparison_id)") == [(3, 3, 3)]


@pytest.mark.parametrize(
    "how",
    ["lost on its way back", pytest.param("never arrives", marks=pytest.mark.slow),
     pytest.param("refused by a proxy", marks=pytest.mark.slow)],
)  # fmt: skip
def test_a_vote_whose_answer_does_not_come_counts_once(how: str, room: Room, begin: Callable[..., Visit]) -> None:
    study = how.replace(" ", "-")
    page = begin(study, 8).page
    failed = []

    def fail(route: Any) -> None:
        if len(failed) >= 2:
            route.continue_()
            return
        failed.append(route.request.post_data_json["id"])
        if how == "lost on its way back":
            route.fetch()
        if how == "refused by a proxy":
            route.fulfill(status=502, body="<html>bad gateway</html>")
        else:
            route.abort()

    page.route("**/api/compare/vote", fail)
    press(page, "1")
    all_saved(page)
    press(page, "2")
    all_saved(page)

    assert len(set(failed)) == 1, "the vote was sent again under the id it had"
    assert room.rows(study, "count(*), count(distinct comparison_id)") == [(2, 2)]
    assert room.rows(study, "id")[0] == (failed[0],)
