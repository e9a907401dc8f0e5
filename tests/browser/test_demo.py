"""A demo in the browser: visitors ask, stop, ask again and vote, on a phone too; a curator lets their votes count."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from storage import demo_talk, demos
from storage.models import add_model
from storage.store import Store
from studio.demos import making
from studio.people.roles import Actor
from tests.browser.axe import grave_violations
from tests.browser.conftest import Visit
from tests.browser.site import Site, served_site
from tests.talker import Talker

pytestmark = pytest.mark.browser

OWNER = Actor("owner", "admin")
EVIL = '<img src=x onerror="window.hit=1">'
NAMES = ("nimble-otter", "grand-walrus")
DONE = "#demo-send:not([hidden])"


class Fair(NamedTuple):
    """A served studio whose two models say what a test wants."""

    site: Site
    talker: Talker

    @property
    def store(self) -> Store:
        """The studio's store."""
        return self.site.store

    def demo(self, name: str, models: tuple[str, ...] = NAMES, **terms: Any) -> str:
        """Make a demo; its link."""
        usual = {"title": "Ask the fair", "comparing": "wish", "rate": 600, "rate_all": 6000}
        return making.make(self.store, OWNER, name, models, {**usual, **terms}).path

    def thoughts(self, name: str) -> list[tuple[str, str]]:
        """Choices and states of a demo's votes, oldest first."""
        found = demo_talk.thoughts(self.store, demos.get(self.store, name).id)
        return [(one.choice, one.state) for one in reversed(found)]


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fair]:
    talker = Talker(
        {
            "o": lambda messages, seed: f"**Otter** heard {len(messages)} of: {messages[-1]['content']}",
            "w": lambda messages, seed: f"Walrus says a great many words {EVIL}",
        }
    )

    def furnish(studio: Any) -> None:
        for name, remote in zip(NAMES, "ow", strict=True):
            add_model(studio.store, name, "endpoint", url=talker.url, remote_name=remote)

    with served_site(tmp_path_factory.mktemp("fair"), furnish) as site:
        yield Fair(site, talker)
    talker.close()


def ask(page: Any, text: str) -> None:
    """Type a question, send it by Enter, and wait for its end."""
    page.fill("#demo-input", text)
    page.press("#demo-input", "Enter")
    page.wait_for_selector(f".demo-turn:last-child .demo-said:text-is('{text}')")
    page.wait_for_selector(DONE)


def test_on_a_phone_an_example_is_asked_answered_and_liked_and_a_reload_loses_nothing(
    fair: Fair, visit: Callable[..., Visit]
) -> None:
    link = fair.demo("phone", examples=["What is rain?"], lead="Two models at the fair.")
    one = visit(fair.site.url, width=390, height=520, scheme="dark")
    page = one.open(link, wait_for="#demo-input")
    assert grave_violations(page) == []
    page.click("text=What is rain?")
    page.wait_for_selector(".demo-tools")

    assert page.inner_text(".demo-answer .prose") == "Otter heard 1 of: What is rain?"
    assert page.locator(".demo-answer strong").inner_text() == "Otter"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert grave_violations(page) == []
    with page.expect_response("**/vote"):
        page.click("[aria-label='Answer 1 is good']")
    page.wait_for_selector("[aria-label='Answer 1 is good'][aria-pressed=true]")
    one.shot("demo-phone")
    page.reload()
    page.wait_for_selector("[aria-label='Answer 1 is good'][aria-pressed=true]")
    ask(page, "And snow?")
    assert page.inner_text(".demo-turn:last-child .prose") == "Otter heard 3 of: And snow?"
    ask(page, "And hail?")
    last, form = page.locator(".demo-turn:last-child").bounding_box(), page.locator(".demo-form").bounding_box()
    assert last["y"] + last["height"] <= form["y"]  # nothing of it is under the form
    assert fair.thoughts("phone") == [("up", "pending")]


def test_two_answers_stand_side_by_side_without_names_and_one_is_chosen_by_keyboard(
    fair: Fair, visit: Callable[..., Visit]
) -> None:
    one = visit(fair.site.url)
    page = one.open(fair.demo("pair"), wait_for="#demo-input")
    page.fill("#demo-input", "Which?")
    page.click("#demo-both")
    page.wait_for_selector(".demo-which")

    assert grave_violations(page) == []
    assert not any(name in page.content() for name in NAMES)
    page.focus(".demo-which .button")
    with page.expect_response("**/vote"):
        page.keyboard.press("Enter")
    page.wait_for_selector(".pane-a.is-chosen")
    assert page.evaluate("document.activeElement.textContent") == "First is better"
    assert fair.thoughts("pair") == [("a", "pending")]
    one.shot("demo-pair")
    page.set_viewport_size({"width": 390, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert grave_violations(page) == []
    with page.expect_response("**/vote"):
        page.keyboard.press("Enter")  # the same again takes it back
    page.wait_for_function("!document.querySelector('.is-chosen')")
    page.wait_for_function("document.querySelector('.demo-which b').textContent === 'Which answer is better?'")
    with page.expect_response("**/vote"):
        page.click("text=Second is better")
    page.wait_for_selector(".pane-b.is-chosen")
    chosen = page.inner_text(".pane-b .prose")
    ask(page, "And then?")
    said = fair.store.rows("select prompt from demo_answers order by rowid desc limit 1")[0]["prompt"]
    assert chosen.split()[0] in said


def test_an_answer_is_stopped_and_asked_again_and_a_question_put_in_other_words(
    fair: Fair, visit: Callable[..., Visit]
) -> None:
    page = visit(fair.site.url).open(fair.demo("stop"), wait_for="#demo-input")
    fair.talker.held.clear()
    page.fill("#demo-input", "First")
    page.keyboard.press("Enter")
    page.wait_for_selector(".demo-answer strong")
    page.keyboard.press("Escape")
    page.wait_for_selector("text=Stopped.")
    fair.talker.held.set()
    assert page.locator(".demo-thumb").count() == 0

    page.click("text=Retry")
    page.wait_for_selector(".demo-thumb")
    assert page.inner_text(".demo-answer .prose") == "Otter heard 1 of: First"
    ask(page, "Second")
    page.click("[aria-label='Put question 1 in other words']")
    assert page.input_value("#demo-input") == "First"
    page.fill("#demo-input", "Better")
    page.keyboard.press("Enter")
    page.wait_for_selector(".demo-said:text-is('Better')")
    page.wait_for_selector(DONE)

    assert page.locator(".demo-turn").count() == 1
    assert page.inner_text(".demo-answer .prose") == "Otter heard 1 of: Better"


def test_what_fails_is_said_and_the_conversation_stays_as_it_was(fair: Fair, visit: Callable[..., Visit]) -> None:
    one = visit(fair.site.url)
    one.expected.append("status of 429")
    page = one.open(fair.demo("slow", rate=1), wait_for="#demo-input")
    ask(page, "First")

    page.click("text=Retry")
    page.wait_for_selector("[role=alert]:visible")

    assert "more than 1 question a minute from one place" in page.inner_text("[role=alert]")
    assert page.inner_text(".demo-answer .prose") == "Otter heard 1 of: First"
    page.fill("#demo-input", "Second")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('demo-input').value === 'Second'")
    assert page.locator(".demo-turn").count() == 1
    assert grave_violations(page) == []


def test_hostile_words_of_all_kinds_stay_words(fair: Fair, visit: Callable[..., Visit]) -> None:
    link = fair.demo("evil", (NAMES[1],), title=EVIL, lead=EVIL, examples=[EVIL])
    page = visit(fair.site.url).open(link, wait_for="#demo-input")

    page.click(".demo-example")
    page.wait_for_selector(".demo-tools")

    assert page.inner_text("h1") == EVIL
    assert page.inner_text(".demo-said") == EVIL
    assert EVIL in page.inner_text(".demo-answer .prose")
    assert page.evaluate("window.hit") is None
    assert page.locator("main img").count() == 0


def test_settings_are_there_where_the_demo_allows_them(fair: Fair, visit: Callable[..., Visit]) -> None:
    link = fair.demo("free", names=True, system=True, settings=True, comparing="never")
    page = visit(fair.site.url, width=390).open(link, wait_for="#demo-input")
    page.click("text=Settings")
    assert grave_violations(page) == []

    page.select_option("#demo-model", label=NAMES[0])
    page.fill("#demo-system", "Be brief")
    page.fill("#demo-temperature", "0")
    ask(page, "Hi")

    assert page.inner_text(".demo-answer .prose") == "Otter heard 2 of: Hi"
    assert fair.talker.asked[-1]["temperature"] == 0
    assert not page.locator("#demo-both").is_visible()
    closed = visit(fair.site.url).open(fair.demo("plain"), wait_for="#demo-input")
    assert not closed.locator("text=Settings").is_visible()


def test_a_vote_stands_once_the_names_are_told(fair: Fair, visit: Callable[..., Visit]) -> None:
    page = visit(fair.site.url).open(fair.demo("told", names=True), wait_for="#demo-input")
    page.fill("#demo-input", "Which?")
    page.click("#demo-both")
    page.wait_for_selector(".demo-which")
    with page.expect_response("**/vote"):
        page.click("text=First is better")
    page.wait_for_selector(".demo-which [aria-disabled=true][aria-pressed=true]")

    assert sorted(page.locator(".pane-head .muted").all_inner_texts()) == sorted(NAMES)
    assert page.evaluate("document.activeElement.textContent") == "First is better"
    assert grave_violations(page) == []
    page.keyboard.press("Enter")
    page.click("text=Second is better", force=True)
    assert page.locator(".demo-which [aria-disabled=true]").count() == 4
    assert fair.thoughts("told") == [("a", "pending")]


def test_a_link_that_opens_nothing_says_so(fair: Fair, visit: Callable[..., Visit]) -> None:
    one = visit(fair.site.url, width=390, scheme="dark")
    one.expected.append("status of 404")
    page = one.open("/demo/nothing", wait_for="h1")

    assert "There is no demo at this address, or it has been closed." in page.inner_text("main")
    assert grave_violations(page) == []


def test_a_curator_makes_a_link_and_lets_votes_count_and_takes_it_back(fair: Fair, visit: Callable[..., Visit]) -> None:
    one = visit(fair.site.url)
    page = one.open("/studies", wait_for="#demo-new")
    page.click("#demo-new")
    page.fill("#demo-name", "by-hand")
    page.fill("#demo-title", "Made by hand")
    page.fill("#demo-examples", "One?\nTwo?")
    page.select_option("#demo-models", NAMES[0])
    page.select_option("#demo-comparing", "wish")
    assert grave_violations(page) == []
    page.click("text=Make the link")
    page.wait_for_selector("#demo-link")
    assert page.inner_text(".command:has-text('ratchet demo')").splitlines()[0] == (
        "ratchet demo make by-hand --model nimble-otter --title 'Made by hand' --example 'One?' --example 'Two?' "
        "--comparing wish"
    )
    link = page.inner_text("#demo-link").removeprefix(fair.site.url)
    assert grave_violations(page) == []

    guest = visit(fair.site.url).open(link, wait_for=".demo-example")
    assert guest.inner_text("h1") == "Made by hand"
    guest.click("text=Two?")
    with guest.expect_response("**/vote"):
        guest.click("[aria-label='Answer 1 is bad']")
    guest.wait_for_selector("[aria-label='Answer 1 is bad'][aria-pressed=true]")

    page.reload()
    item = page.locator("[data-demo='by-hand']")
    item.get_by_role("button", name="Look at them: by-hand").click()
    item.locator("text=thumb down").wait_for()
    page.set_viewport_size({"width": 390, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert grave_violations(page) == []
    one.shot("demo-curator")
    item.get_by_role("button", name="Accept all: by-hand").click()
    page.wait_for_selector("text=1 vote accepted into demo-by-hand.")
    assert fair.thoughts("by-hand") == [("down", "accepted")]
    page.click("text=Undo")
    page.wait_for_selector("text=1 vote waiting again.")
    assert fair.thoughts("by-hand") == [("down", "pending")]
