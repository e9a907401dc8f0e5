"""The report of a round in the browser: reached from Home, readable on a phone and in the dark, printed, saved."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.comparisons import get_study
from storage.home import Home
from studio.rounds.ledger import catch_up
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.browser.axe import grave_violations
from tests.browser.still import Still, still_studio
from tests.studio.training.project import first_day, prompt, prompts_of, run_to_the_end, vote

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """A studio with one round on which people have voted, with a long word among the prompts."""
    with still_studio(Home(tmp_path_factory.mktemp("report") / "home")) as still:
        first_day(still.store)
        settings = Settings.from_env({}, home=still.store.home.path)
        run_to_the_end(still.store, launch(still.store, settings, Request("sft", "starter", dataset="facts")))
        catch_up(still.store)
        study = get_study(still.store, "round-1")
        for asked in prompts_of("measure", 6):
            vote(still.store, study, asked, "b")
        vote(still.store, study, prompt("w" * 300 + " <b>not bold</b>"), "a")
        yield still


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_is_reached_from_home_and_reads_well(played: Still, visit: Visit, width: int, scheme: str) -> None:
    one = visit(played.url, width=width, scheme=scheme)
    page = one.open("/")
    page.click('a[href="/report/1"]')
    page.wait_for_selector("h1:has-text('Round 1: round-1-sft')")

    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("section h2").all_inner_texts()[:2] == ["What it learnt from", "How it stands"]
    assert "<b>not bold</b>" in page.inner_text("main")
    one.shot(f"report-{width}")


def test_on_paper_there_is_no_bar(played: Still, visit: Visit) -> None:
    page = visit(played.url).page
    page.goto(f"{played.url}/report/1")
    assert page.is_visible(".bar")

    page.emulate_media(media="print")

    assert page.is_hidden(".bar")
    page.emulate_media(media="screen")


def test_the_saved_file_opens_without_the_studio(played: Still, visit: Visit, tmp_path: Path) -> None:
    one = visit(played.url)
    one.page.goto(f"{played.url}/report/1")
    with one.page.expect_download() as waiting:
        one.page.click("text=Save as a file")
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)

    other = one.page.context.new_page()
    other.goto(path.as_uri())

    assert path.name == "round-1.html"
    assert other.inner_text("h1") == "Round 1: round-1-sft"
    assert grave_violations(other) == []
    other.close()


def test_a_round_that_is_not_there_is_told_in_a_sentence(played: Still, visit: Visit) -> None:
    one = visit(played.url)
    one.expected.append("status of 404")
    one.page.goto(f"{played.url}/report/99")

    assert "There is no round 99." in one.page.inner_text("main")
    assert grave_violations(one.page) == []
