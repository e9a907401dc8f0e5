"""The first page: one next step that leads where it says, and the film of the rounds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import jobs
from storage.comparisons import get_study
from storage.home import Home
from studio.rounds.ledger import catch_up
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.browser.still import Still, still_studio
from tests.browser.test_pages import CONTRAST, TOO_WIDE
from tests.studio.training.project import first_day, prompts_of, run_to_the_end, vote

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Still]:
    """A studio on its first day."""
    with still_studio(Home(tmp_path / "home")) as still:
        first_day(still.store, rows=40)
        yield still


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """A studio after two rounds, only to be looked at."""
    with still_studio(Home(tmp_path_factory.mktemp("played") / "home")) as still:
        first_day(still.store, rows=40)
        _play_rounds(still)
        yield still


def _play_rounds(studio: Still) -> None:
    """A first round that was kept, and a second one that waits for votes."""
    settings = Settings.from_env({}, home=studio.store.home.path)
    run_to_the_end(studio.store, launch(studio.store, settings, Request("sft", "starter", dataset="facts")), steps=30)
    catch_up(studio.store)
    for asked in prompts_of("train", 25, "other"):
        vote(studio.store, get_study(studio.store, "round-1"), asked, "b")
    run_to_the_end(studio.store, launch(studio.store, settings, Request("dpo", "round-1-sft", study="round-1")), 30)
    catch_up(studio.store)
    for asked in prompts_of("measure", 5):
        vote(studio.store, get_study(studio.store, "round-2"), asked, "tie")


def test_the_first_visit_shows_the_loop_and_leads_to_a_filled_form(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/")
    page.wait_for_selector("#next-step")

    assert page.inner_text("#next-title") == "Train the first round"
    steps = page.locator(".loop-name").all_inner_texts()
    assert [step.split("\n")[-1] for step in steps] == [
        "Curate", "Train", "Compare", "Vote", "Train on votes", "Keep it, or not",
    ]  # fmt: skip
    assert page.locator(".loop-step[aria-current=step] .loop-name").inner_text().endswith("Train")
    assert page.inner_text(".next-card .command") == "ratchet train sft --base starter --dataset facts"

    page.click("#next-step")
    page.wait_for_selector("#train-start[aria-disabled=false]")
    assert page.input_value("#train-material") == "dataset:facts"


def test_the_film_tells_each_round_from_its_data_to_its_verdict(played: Still, visit: Visit) -> None:
    page = visit(played.url).open("/")
    page.wait_for_selector(".timeline-item")

    second, first = page.locator(".timeline-item").all()
    assert first.get_attribute("aria-label") == "Round 1, kept"
    assert second.get_attribute("aria-label") == "Round 2, open"
    assert "wins 100 %" in first.inner_text()
    assert "25 wins, 0 lost, 0 ties. Better, and no accident." in first.inner_text()
    assert "0 wins, 0 lost, 5 ties" in second.inner_text()
    assert first.locator(".win-rate").get_attribute("aria-label").startswith("Wins 100 %, surely between ")
    figures = [fact.inner_text().split() for fact in first.locator(".film-figures > div").all()]
    assert figures == [["Forgetting", "+0.20"], ["Judging", "25", "s"]]
    page.wait_for_selector(".spark svg")
    assert first.locator(".spark svg").get_attribute("aria-label") == "Loss from 1.00 to 0.03"


def test_a_run_at_work_moves_on_the_page_by_itself(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/")
    page.wait_for_selector("#next-step")
    settings = Settings.from_env({}, home=studio.store.home.path)
    job = launch(studio.store, settings, Request("sft", "starter", dataset="facts"))
    jobs.claim(studio.store)
    jobs.follow(studio.store, job.id, phase="training", step=3, total_steps=40, eta_seconds=30.0)

    page.wait_for_selector(".run-strip")
    assert "step 3 of 40, about 30 s left" in page.inner_text(".run-strip")
    jobs.follow(studio.store, job.id, step=4)
    page.wait_for_selector("text=step 4 of 40")

    assert page.get_attribute("#next-step", "href") == f"/train?job={job.id}"


def test_an_empty_project_says_where_to_begin(tmp_path: Path, visit: Visit) -> None:
    with still_studio(Home(tmp_path / "empty")) as still:
        page = visit(still.url).open("/")
        page.wait_for_selector("#next-step")

        assert page.inner_text("#next-title") == "Bring examples"
        assert page.get_attribute("#next-step", "href") == "/data"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_film_can_be_read_everywhere(played: Still, visit: Visit, scheme: str, width: int) -> None:
    one = visit(played.url, scheme=scheme, width=width)
    page = one.open("/")
    page.wait_for_selector(".spark svg")
    one.shot(f"home-film-{scheme}-{width}")

    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(TOO_WIDE) == []
