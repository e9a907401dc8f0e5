"""The page /studies: made by keyboard, changed and changed back, known answers, guidelines, and what choice saved."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage.batches import open_batch, publish
from storage.comparisons import NewComparison, add_comparison, create_study, get_comparison, get_study
from storage.datasets import create_dataset
from storage.examples import Draft, add_examples
from storage.gold import standing
from storage.guidelines import list_guidelines
from storage.models import add_model
from storage.people import list_people
from storage.prompts import as_messages
from storage.store import Store
from studio.feedback.ballots import SIDES, Ballot
from studio.feedback.contestants import contestants_of
from studio.feedback.sampling import Sampling
from studio.feedback.showing import show
from studio.feedback.study_settings import settings_of
from studio.feedback.voting import cast
from studio.people import accounts
from tests.browser.axe import grave_violations
from tests.browser.judging import OWNER, PASSWORD, Room, add_study
from tests.browser.site import Site, served_site

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hit=1">'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A study of three models with votes, a dataset of prompts and one of preferences."""
    with served_site(tmp_path_factory.mktemp("studies"), lambda studio: _fill(studio.store)) as served:
        yield served


def _fill(store: Store) -> None:
    models = [add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name="m")
              for name in ("nimble-otter", "grand-walrus", "quiet-heron")]  # fmt: skip
    study = create_study(store, "first-look", models, None)
    for number in range(30):
        pair = [models[number % 3], models[(number + 1) % 3]]
        new = NewComparison(as_messages(f"{EVIL} {number}?"), [(one.id, one.name) for one in pair], texts=["yes", EVIL])
        whole = get_comparison(store, add_comparison(store, study, new).id)
        if number < 24:
            shown = show(study, whole, "ann")
            hashes = [answer.sha256 or "" for answer in shown.answers]
            cast(store, study, "ann", Ballot(f"vote-{number:04}", whole.comparison.id, SIDES[number % 2], hashes))
    answer = [{"role": "assistant", "content": "Yes."}]
    for name, kind, content in (
        ("questions", "prompts", {}),
        ("judged", "preference", {"chosen": answer, "rejected": [{**answer[0], "content": "No."}]}),
    ):
        dataset = create_dataset(store, name, kind)
        batch = open_batch(store, dataset.id, "import", "me")
        add_examples(store, batch, [Draft({"prompt": as_messages("Open?"), **content}, name)])
        publish(store, batch)


def _toast(page: Any, words: str) -> Any:
    found = page.locator(".toast", has_text=words)
    found.wait_for()
    return found


def test_a_study_of_contestants_is_made_by_keyboard(site: Site, visit: Callable[..., Any]) -> None:
    page = visit(site.url).open("/studies")
    page.get_by_role("link", name="first-look", exact=True).wait_for()
    assert grave_violations(page) == []

    page.keyboard.press("n")
    page.get_by_label("Name", exact=True).first.focus()
    page.keyboard.type("styles")
    page.get_by_label("Model").first.select_option("nimble-otter")
    page.get_by_label("System prompt").first.fill("Be brief.")
    page.get_by_label("Temperature").first.fill("0.2")
    page.get_by_label("Model").nth(1).select_option("nimble-otter")
    page.get_by_label("Prompts", exact=True).select_option("questions")
    page.get_by_role("radio", name="Rank several").focus()
    page.keyboard.press("Space")
    page.get_by_label("People who judge each comparison").fill("3")
    page.get_by_text("What is asked beside the choice").click()
    page.get_by_label("How much better").select_option("optional")
    page.get_by_role("button", name="Add a criterion").click()
    page.get_by_label("Criterion 1", exact=True).fill("Helpful, really")
    page.get_by_label("What people are asked to look at").fill("# Facts first")
    line = page.locator(".command code").inner_text()
    assert line.startswith('ratchet study styles --create --contestant \'{"model":"nimble-otter","system":"Be brief."')
    assert " --set overlap=3" in line
    assert grave_violations(page) == []
    page.get_by_role("button", name="Make the study").focus()
    page.keyboard.press("Enter")

    _toast(page, 'Study "styles" stands.')
    page.get_by_role("heading", name="styles").wait_for()
    assert page.url.endswith("/studies?study=styles")
    study = get_study(site.store, "styles")
    settings = settings_of(study)
    assert (settings.layout, settings.sides, settings.overlap, settings.strength) == ("rank", 3, 3, "optional")
    assert [(one.key, one.label, one.scale) for one in settings.criteria] == [("helpful_really", "Helpful, really", 5)]
    first, second = contestants_of(site.store, study)
    assert (first.name, first.system, first.sampling) == (
        "nimble-otter T=0.2 +system", "Be brief.", Sampling(temperature=0.2),
    )  # fmt: skip
    assert second.name == "nimble-otter"
    assert [one.text for one in list_guidelines(site.store, study.id)] == ["# Facts first"]
    assert grave_violations(page) == []


def test_answers_that_exist_become_a_study(site: Site, visit: Callable[..., Any]) -> None:
    page = visit(site.url).open("/studies?new=1")
    page.get_by_label("Name", exact=True).first.fill("old")
    page.get_by_label("Answers that exist already").check()
    page.get_by_label("Answers", exact=True).select_option("judged")
    page.get_by_role("button", name="Make the study").click()

    page.get_by_text("0 of 1", exact=True).wait_for()
    assert get_study(site.store, "old").models == []
    assert page.get_by_role("heading", name="Contestants").count() == 0


def test_what_cannot_be_made_says_why_and_keeps_the_form(site: Site, visit: Callable[..., Any]) -> None:
    visited = visit(site.url)
    visited.expected.append("409")
    page = visited.open("/studies?new=1")
    page.get_by_label("Name", exact=True).first.fill("first-look")
    page.get_by_role("button", name="Make the study").click()

    page.get_by_role("alert").filter(has_text="exists already").wait_for()
    assert page.get_by_label("Name", exact=True).first.input_value() == "first-look"


def test_settings_are_changed_and_changed_back(site: Site, visit: Callable[..., Any]) -> None:
    page = visit(site.url).open("/studies?study=first-look")
    page.get_by_text("24 of 30").wait_for()
    assert page.get_by_role("button", name="Save the settings").is_disabled()

    page.get_by_label("People who judge each comparison").fill("2")
    page.get_by_text("Who takes part, and how they are checked").click()
    page.get_by_label("People, one a line").fill("ann\nbob")
    assert "--set overlap=2" in page.locator("#settings .command").inner_text()
    page.get_by_role("button", name="Save the settings").click()

    toast = _toast(page, "The settings are changed.")
    page.get_by_text("24 of 60").wait_for()
    assert settings_of(get_study(site.store, "first-look")).people == ("ann", "bob")
    toast.get_by_role("button", name="Undo").click()
    _toast(page, "The settings are as they were.")
    page.get_by_text("24 of 30").wait_for()
    settings = settings_of(get_study(site.store, "first-look"))
    assert (settings.overlap, settings.people) == (1, ())


def test_a_study_is_closed_and_opened_by_undo(site: Site, visit: Callable[..., Any]) -> None:
    page = visit(site.url).open("/studies?study=first-look")
    page.get_by_role("button", name="Close", exact=True).click()
    toast = _toast(page, "Closed: nothing more of it is given out.")
    page.get_by_role("button", name="Open again").wait_for()
    assert get_study(site.store, "first-look").state == "closed"

    toast.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Close", exact=True).wait_for()
    assert get_study(site.store, "first-look").state == "open"


def test_a_known_answer_is_marked_without_names_and_taken_back(site: Site, visit: Callable[..., Any]) -> None:
    page = visit(site.url).open("/studies?study=first-look")
    page.get_by_label("Find a comparison by its prompt").fill("27?")
    page.keyboard.press("Enter")
    found = page.get_by_role("article", name="Comparison 28")
    found.wait_for()
    assert "nimble-otter" not in found.inner_text()
    assert page.evaluate("window.hit") is None
    assert grave_violations(page) == []
    found.get_by_label("Note").fill("plainly")
    found.get_by_role("button", name="1 is better").click()

    toast = _toast(page, "The answer is known from now on.")
    study = get_study(site.store, "first-look")
    assert list(standing(site.store, study.id).values()) == [{"choice": "a"}]
    page.locator("#gold li", has_text="plainly").wait_for()
    toast.get_by_role("button", name="Undo").click()
    page.get_by_text("No answer is known yet.").wait_for()
    assert standing(site.store, study.id) == {}


def test_guidelines_are_written_version_by_version(site: Site, visit: Callable[..., Any]) -> None:
    page = visit(site.url).open("/studies?study=first-look")
    page.get_by_label("Text").fill("**Facts** first")
    assert page.locator(".studies-preview strong").inner_text() == "Facts"
    page.get_by_role("button", name="Put in force").click()
    page.get_by_role("heading", name="Guidelines, version 1").wait_for()

    page.get_by_label("Text").fill("Tone first")
    page.get_by_role("button", name="Put in force").click()
    page.get_by_role("heading", name="Guidelines, version 2").wait_for()
    page.get_by_text("Earlier versions").click()
    page.get_by_role("heading", name="Version 1", exact=True).wait_for()
    _toast(page, "Version 2 is in force.").get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="Guidelines, version 3").wait_for()

    texts = [one.text for one in list_guidelines(site.store, get_study(site.store, "first-look").id)]
    assert texts == ["**Facts** first", "Tone first", "**Facts** first"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_choice_saved_is_drawn_and_nothing_is_wider_than_a_phone(
    scheme: str, site: Site, visit: Callable[..., Any]
) -> None:
    page = visit(site.url, width=390, height=844, scheme=scheme).open("/studies?study=first-look")
    page.get_by_role("button", name="Count it on this study's votes").click()
    page.locator(".studies-chart path").first.wait_for()
    assert re.search(r"24 votes on 24 judged prompts, 20 shuffles", page.locator("#choice").inner_text())
    assert page.locator(".studies-chart path").count() == 4
    for summary in page.locator(".studies-more > summary").all():
        summary.click()

    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert grave_violations(page) == []
    page.goto(site.url + "/studies?new=1")
    page.get_by_role("button", name="Make the study").wait_for()
    for summary in page.locator(".studies-more > summary").all():
        summary.click()
    page.get_by_role("button", name="Add a criterion").click()
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert grave_violations(page) == []
    page.goto(site.url + "/studies")
    page.locator(".studies-list li").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert grave_violations(page) == []


def test_a_trainer_sees_how_far_a_study_is_and_changes_nothing(room: Room, visit: Callable[..., Any]) -> None:
    add_study(room.store, "seen-by-a-trainer", 2)
    if not any(person.name == "tess" for person in list_people(room.store)):
        accounts.add(room.store, OWNER, "tess", "trainer", PASSWORD)

    page = room.enter(visit(room.url), "tess").open("/studies?study=seen-by-a-trainer")
    page.get_by_text("0 of 2", exact=True).wait_for()

    assert page.get_by_role("heading", name="Settings").count() == 0
    assert page.get_by_role("button", name="Close", exact=True).count() == 0
    assert page.get_by_role("button", name="Find").count() == 0
    page.get_by_role("link", name="All studies").click()
    page.locator(".studies-list").wait_for()
    assert page.get_by_role("link", name="New study").count() == 0
    assert grave_violations(page) == []
