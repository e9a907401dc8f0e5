"""The page /results: names only after the person asks, verdicts in words, exclusion by button, axe is content."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage.comparisons import NewComparison, add_comparison, create_study, get_comparison
from storage.models import add_model
from storage.prompts import as_messages
from storage.store import Store
from studio.feedback.ballots import SIDES, Ballot
from studio.feedback.showing import show
from studio.feedback.voting import cast
from tests.browser.axe import grave_violations
from tests.browser.site import Site, served_site

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hit=1">'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A study of two models, which Ann judged for the first one on 14 prompts and a robot for the second."""
    with served_site(tmp_path_factory.mktemp("results"), lambda studio: _fill(studio.store)) as served:
        yield served


def _fill(store: Store) -> None:
    models = [add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name="m")
              for name in ("nimble-otter", "grand-walrus")]  # fmt: skip
    study = create_study(store, "first-look", models, None)
    for number in range(14):
        contestants = [(model.id, model.name) for model in models]
        new = NewComparison(as_messages(f"{EVIL} {number}?"), contestants, texts=["yes", "no"])
        whole = get_comparison(store, add_comparison(store, study, new).id)
        for person, winner in (("ann", 0), ("robot", 1)):
            shown = show(study, whole, person)
            hashes = [answer.sha256 or "" for answer in shown.answers]
            side = SIDES[shown.order.index(winner)]
            cast(store, study, person, Ballot(f"vote-{number}-{person}", whole.comparison.id, side, hashes))


def _asked(page: Any) -> list[str]:
    return [entry for entry in page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
            if "/api/results" in entry]  # fmt: skip


def test_no_name_is_fetched_before_the_person_asks_for_it(site: Site, visit: Callable[..., Any]) -> None:
    page = visit(site.url).open("/results")
    page.get_by_text("no longer blind").wait_for()

    assert [address.rsplit("/", 1)[1] for address in _asked(page)] == ["results"]
    assert "nimble-otter" not in page.inner_text("body")
    assert grave_violations(page) == []


def test_a_study_is_read_by_keyboard_and_an_annotator_excluded_and_included(
    site: Site, visit: Callable[..., Any]
) -> None:
    page = visit(site.url).open("/results")
    page.get_by_role("button", name="Show the results").focus()
    page.keyboard.press("Enter")
    page.get_by_text("not decided (").wait_for()
    assert page.evaluate("window.hit") is None
    assert page.locator(".results-matrix").inner_text().count("50 %") == 2
    assert "Disputed: 14 items" in page.locator("#agreement").inner_text()
    assert grave_violations(page) == []

    page.get_by_role("button", name="Exclude robot").click()
    page.get_by_text("Say why first").wait_for()
    page.get_by_label("Why votes are excluded").fill("it is a robot")
    page.get_by_role("button", name="Exclude robot").click()
    page.get_by_text("nimble-otter is better than grand-walrus: it wins 100 %.").wait_for()
    assert page.locator("#exclusions").inner_text() == "14 votes of the annotator robot left out: it is a robot"

    page.get_by_label("Count excluded votes as well").check()
    page.get_by_text("count here, though excluded").wait_for()
    page.get_by_label("Count excluded votes as well").uncheck()
    page.get_by_text("14 votes of the annotator robot left out").wait_for()
    page.get_by_role("button", name="Include robot").click()
    page.locator("#exclusions").wait_for(state="detached")
    page.get_by_text("not decided (").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_parts_and_policies_are_shown_and_nothing_is_wider_than_a_phone(
    scheme: str, site: Site, visit: Callable[..., Any]
) -> None:
    page = visit(site.url, width=390, height=844, scheme=scheme).open("/results?study=first-look&show=first-look")
    page.get_by_role("button", name="By annotator").click()
    page.locator("#splits td", has_text="robot").first.wait_for()
    page.locator("#policies td", has_text="unanimous").first.wait_for()

    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert grave_violations(page) == []
