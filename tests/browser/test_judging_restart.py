"""The studio is killed while somebody judges, and started again: the page goes on and every vote is there once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.home import Home
from storage.store import Store
from tests.browser.conftest import Visit
from tests.browser.judging import Room, add_models, add_study, all_saved, press, ready, says_waiting
from tests.faults.served_web import Web

pytestmark = pytest.mark.browser

GONE = [
    "net::ERR_CONNECTION_REFUSED",
    "net::ERR_CONNECTION_RESET",
    "net::ERR_INCOMPLETE_CHUNKED",
    "net::ERR_EMPTY_RESPONSE",
    "net::ERR_SOCKET_NOT_CONNECTED",
]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    process = Web(tmp_path / "home", tmp_path / "web.log")
    yield process
    process.kill()


def test_a_killed_studio_costs_no_vote(web: Web, visit: Callable[..., Visit]) -> None:
    store = Store.open(Home(web.home))
    add_models(store)
    add_study(store, "killed", 20)
    room = Room(web.url, store)
    web.start()
    one = visit(web.url)
    one.expected += GONE
    page = one.open("/compare?study=killed")
    seen = press(page, "1", "2")
    page.wait_for_load_state("networkidle")

    ready(page)
    page.keyboard.press("3")  # the studio is killed while this one is on its way
    web.kill()
    page.wait_for_function("document.querySelector('[data-widget=compare]').dataset.state === 'ready'")
    waited = int(page.get_attribute("[data-widget=compare]", "data-unsaved"))
    seen += press(page, "4")
    says_waiting(page, waited + 1)
    before = room.rows("killed", "count(*)")[0][0]
    assert before + waited in (3, 4), "what was committed may be sent again"
    web.start()
    all_saved(page)
    seen += press(page, "1", "2")
    all_saved(page)

    rows = room.rows("killed", "choice, annotator")
    assert [choice for choice, _ in rows[2:4]] == ["tie", "both_bad"]
    assert {name for _, name in rows} == {"me"}
    assert room.rows("killed", "count(*), count(distinct id), count(distinct comparison_id)") == [(6, 6, 6)]
    assert set(seen) < {comparison for (comparison,) in room.rows("killed", "comparison_id")}
    assert len(seen) == 5
    assert store.value("select sum(given) from comparisons") == 6
    store.close()
