"""The canaries on the page /results: closed until asked for, then a table, a diff with votes, and expectations."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage.models import add_model
from storage.store import Store
from tests.browser.axe import grave_violations
from tests.browser.site import Site, served_site
from tests.studio.rounds.canary_kit import answer_all

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hit=1">'
Visit = Callable[..., Any]


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two models that answered otherwise to two of the prompts."""
    with served_site(tmp_path_factory.mktemp("canaries"), lambda studio: _fill(studio.store)) as served:
        yield served


def _fill(store: Store) -> None:
    for name in ("nimble-otter", "grand-walrus"):
        add_model(store, name, "base", path="/x", base_sha256=name)
    answer_all(store, "nimble-otter", text="It is Paris.")
    answer_all(store, "grand-walrus", {3: "It is Rome.", 8: EVIL}, text="It is Paris.")


def test_nothing_is_asked_for_before_it_is_opened(site: Site, visit: Visit) -> None:
    page = visit(site.url).open("/results")
    page.locator("#canaries > summary").wait_for()
    asked = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")

    assert [one for one in asked if "/api/canaries" in one] == []
    assert "nimble-otter" not in page.inner_text("body")
    page.click("#canaries > summary")
    page.locator("#canaries-grid").wait_for()
    assert grave_violations(page) == []


def test_an_answer_that_changed_is_read_and_voted_on(site: Site, visit: Visit) -> None:
    page = visit(site.url).open("/results#canaries")
    page.get_by_role("button", name="grand-walrus, prompt 3").click()

    changed = page.locator('.canaries-change[data-number="3"]')
    changed.wait_for()
    assert changed.locator("del").all_inner_texts() == ["Paris"]
    assert changed.locator("ins").all_inner_texts() == ["Rome"]
    assert "onerror" in page.locator('.canaries-change[data-number="8"]').inner_text()
    assert page.evaluate("window.hit") is None
    assert page.locator(".canaries-change").count() == 2

    changed.get_by_role("button", name="Worse").click()
    changed.locator("button[aria-pressed=true]", has_text="Worse 1").wait_for()
    assert grave_violations(page) == []
    changed.get_by_role("button", name="Worse").click()
    changed.locator("button[aria-pressed=true]").wait_for(state="detached")


def test_an_expectation_is_added_and_taken_away_with_the_keyboard(site: Site, visit: Visit) -> None:
    one = visit(site.url)
    one.expected.append("422")  # a pattern that cannot be read
    page = one.open("/results#canaries")
    page.locator("#canaries-begin").click()
    page.get_by_role("link", name="Edit the prompts").wait_for()
    page.locator("#canaries-expected > summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Expect something of prompt 3").focus()
    page.keyboard.press("Enter")
    page.locator("#expect-kind").select_option("regex")
    page.locator("#expect-value").fill("(")
    page.locator("#expect-send").click()
    page.get_by_text("cannot be read").wait_for()
    assert grave_violations(page) == []
    page.locator("#expect-value").fill("Rome|Paris")
    page.locator("#expect-send").click()
    page.get_by_role("button", name='No longer expect: matches "Rome|Paris"').wait_for()

    page.get_by_role("button", name='No longer expect: contains "Paris"').click()
    page.get_by_role("button", name='No longer expect: contains "Paris"').wait_for(state="detached")
    page.get_by_role("button", name="Undo").last.click()
    page.get_by_role("button", name='No longer expect: contains "Paris"').wait_for()
    assert page.get_by_role("button", name="grand-walrus, prompt 3").get_attribute("aria-label") == (
        'grand-walrus, prompt 3: not as expected, not: contains "Paris", other words than the champion\'s'
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(scheme: str, site: Site, visit: Visit) -> None:
    page = visit(site.url, width=390, height=844, scheme=scheme).open("/results#canaries")
    page.locator(".canaries-change").first.wait_for()

    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert grave_violations(page) == []
