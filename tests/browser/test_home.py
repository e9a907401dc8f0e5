"""The first page: one next step that leads where it says, and the film of the rounds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import jobs
from storage.comparisons import get_study
from storage.home import Home
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds.asking_canaries import expect
from studio.rounds.canaries import list_canaries
from studio.rounds.ledger import catch_up, starting_model
from studio.rounds.promoting import promote
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.browser.axe import grave_violations
from tests.browser.still import Still, still_studio
from tests.browser.test_pages import CONTRAST, TOO_WIDE
from tests.studio.training.project import SOUND, first_day, prompts_of, run_to_the_end, second_vote, vote

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


def _play_rounds(studio: Still, noisy: int = 0) -> None:
    """A first round that was kept, and a second one that waits for votes; `noisy`: so many votes of somebody else."""
    settings = Settings.from_env({}, home=studio.store.home.path)
    run_to_the_end(studio.store, launch(studio.store, settings, Request("sft", "starter", dataset="facts")), steps=30)
    catch_up(studio.store)
    for asked in prompts_of("train", 25, "other"):
        vote(studio.store, get_study(studio.store, "round-1"), asked, "b")
    for asked in prompts_of("train", noisy, "noise"):
        vote(studio.store, get_study(studio.store, "round-1"), asked, "b", "noisy")
    run_to_the_end(studio.store, launch(studio.store, settings, Request("dpo", "round-1-sft", study="round-1")), 30)
    catch_up(studio.store)
    for asked in prompts_of("measure", 5):
        vote(studio.store, get_study(studio.store, "round-2"), asked, "tie")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """A studio after four rounds with everything that is known of them, only to be looked at."""
    with still_studio(Home(tmp_path_factory.mktemp("long") / "home")) as still:
        first_day(still.store, rows=40)
        for number, (wins, losses, rise) in enumerate([(22, 3, 0.04), (2, 24, 0.11), (12, 10, 0.9), (20, 8, 0.2)], 1):
            _one_round(still.store, number, wins, losses, rise)
            if number == 3:
                told = "Its answers are shorter, and the words that it forgot are not needed here."
                promote(still.store, Actor("anna", "admin"), reason=told, overrule=True)
        expect(still.store, Actor("anna", "admin"), list_canaries(still.store)[2], "contains", "Paris")
        yield still


def _one_round(store: Store, number: int, wins: int, losses: int, rise: float) -> None:
    """A job that ended, with what was measured, and votes of two people on its model."""
    settings = Settings.from_env({}, home=store.home.path)
    found = {
        **SOUND,
        "forgetting": {"earlier": {"before": 1.0, "after": 1.0 + rise, "rows": 32}, "base_answers": None},
        "held_out": {"before_loss": 2.41, "loss": 2.41 - rise, "rows": 12},
    }
    base = starting_model(store)
    assert base is not None
    name = "a-name-that-somebody-made-very-long-to-tell-everything" if number == 4 else None
    run_to_the_end(
        store, launch(store, settings, Request("sft", base.name, dataset="facts", name=name)), 30, evaluation=found
    )
    catch_up(store)
    study = get_study(store, f"round-{number}")
    for at, asked in enumerate(prompts_of("measure", wins + losses)):
        choice = "b" if at < wins else "a"
        vote(store, study, asked, choice)
        second_vote(store, study, choice if at % 5 else "tie")


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


def test_second_thoughts_are_had_by_keyboard_on_a_phone(studio: Still, visit: Visit) -> None:
    _play_rounds(studio, noisy=12)
    one = visit(studio.url, width=390, height=844)
    page = one.open("/")
    page.wait_for_selector(".gate-limit:not([hidden])")
    page.get_by_label("The gate lets the loss on earlier rows rise by at most").fill("0.1")
    page.keyboard.press("Enter")
    page.get_by_text("may rise by 0.1 now, not by 0.5").wait_for()
    page.locator(".gate-fails", has_text="limit 0.1").wait_for()
    one.shot("home-limit-390")
    assert (grave_violations(page), page.evaluate(TOO_WIDE)) == ([], [])
    page.get_by_role("button", name="Undo").press("Enter")
    page.locator(".gate-holds", has_text="limit 0.5").wait_for()

    page.get_by_role("button", name="Replay round 2").press("Enter")
    page.wait_for_selector("#replay-begin:focus")
    assert (grave_violations(page), page.evaluate(TOO_WIDE)) == ([], [])
    page.keyboard.press("Escape")

    page = one.open("/results?study=round-1&show=round-1")
    page.get_by_role("button", name="Models that learnt from noisy").press("Enter")
    page.get_by_text('round-2-dpo learnt from the votes of the annotator "noisy" in round-1.').wait_for()
    page.get_by_label("Why they are left out").fill("Votes at random.")
    one.shot("results-undo-390")
    assert (grave_violations(page), page.evaluate(TOO_WIDE)) == ([], [])
    page.keyboard.press("Enter")
    page.get_by_text("Done without these votes: 1 training is queued from round-1-sft on.").wait_for()
    assert page.locator("#exclusions").inner_text().endswith("left out: Votes at random.")
    assert [(job.method, job.status) for job in jobs.list_jobs(studio.store, "queued")] == [("dpo", "queued")]


def test_a_version_that_turned_out_bad_names_its_models_and_the_way_back(played: Still, visit: Visit) -> None:
    one = visit(played.url)
    page = one.open("/data?dataset=facts", wait_for=".rows-table tbody tr")
    page.click("button:text-is('Versions')")
    page.get_by_role("button", name="Models…").press("Enter")

    page.get_by_text("round-1-sft learnt from version 1 of facts.").wait_for()
    way = page.locator("#undo .notice, #undo-go").first.inner_text()
    assert (way, grave_violations(page)) == ("Leave it out and train again", [])


def test_a_roll_back_names_the_champion_that_was_seen(studio: Still, visit: Visit) -> None:
    _one_round(studio.store, 1, 22, 3, 0.04)
    page = visit(studio.url).open("/", wait_for="#next-step")
    page.click("#next-step:has-text('Make round-1-sft the champion')")
    said = page.locator(".toast", has_text="round-1-sft is the champion now.")
    with page.expect_request("**/api/rounds/rollback") as asked:
        said.get_by_role("button", name="Undo").click()
    assert asked.value.post_data_json == {"champion": "round-1-sft"}
    page.wait_for_selector("#champion:text-is('starter')")


def test_an_empty_project_says_where_to_begin(tmp_path: Path, visit: Visit) -> None:
    with still_studio(Home(tmp_path / "empty")) as still:
        page = visit(still.url).open("/")
        page.wait_for_selector("#next-step")

        assert page.inner_text("#next-title") == "Bring examples"
        assert page.get_attribute("#next-step", "href") == "/data"
        page.goto("about:blank")  # before its studio goes: it would ask for what is new


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_film_can_be_read_everywhere(long: Still, visit: Visit, scheme: str, width: int) -> None:
    one = visit(long.url, scheme=scheme, width=width)
    page = one.open("/")
    page.wait_for_selector(".spark svg")
    one.shot(f"home-film-{scheme}-{width}")

    assert page.locator(".timeline-item").count() == 4
    figures = page.locator(".film-figures").last.inner_text().split("\n")
    assert figures == ["Agreement", "80 %", "Held-out loss", "2.41 → 2.37", "Forgetting", "+0.04", "Judging", "50 s"]
    assert grave_violations(page) == []
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(TOO_WIDE) == []
