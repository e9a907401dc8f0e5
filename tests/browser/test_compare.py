"""/compare in Chromium: judged by keyboard, blind, nothing lost."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storage.batches import open_batch, publish
from storage.comparisons import create_study, get_study
from storage.datasets import create_dataset
from storage.examples import Draft, add_examples
from storage.home import Home
from storage.models import add_model, get_model
from storage.store import Store
from storage.votes import current_votes
from studio.settings import Settings
from studio.studio import Studio
from tests.browser.conftest import Visit, running, start_studio, stop_studio
from tests.talker import Talker

pytestmark = pytest.mark.browser

NAMES = ("nimble-otter", "grand-walrus")
ROOT = "[data-widget=compare]"
LONG = (
    "Certainly! **Let us see.** Here is what is known about it:\n\n- it is asked often\n- it has an answer\n\n"
    "```python\nprint(6 * 7)\n```\n\n| sum | is |\n|---|---|\n| 4 + 5 | 9 |\n\nAll in all it comes to this."
)
HOSTILE = (
    "Done. <img src=x onerror='window.hacked = 1'> <script>window.hacked = 1</script> "
    "[here](javascript:window.hacked=1)"
)


class Place(NamedTuple):
    """A served studio with one study of two endpoint models."""

    url: str
    store: Store
    talker: Talker
    studio: Studio

    def votes(self) -> list[tuple[str, str]]:
        """(choice, annotator) of the votes that count, skips included."""
        study_id = self.store.value("select id from studies where name = 'first-look'")
        return [(vote.choice, vote.annotator) for vote in current_votes(self.store, study_id)]


def furnish(store: Store, talker: Talker, prompts: int = 60) -> None:
    """Two models, prompts and a study."""
    models = [
        add_model(store, name, "endpoint", url=talker.url, remote_name=remote)
        for name, remote in zip(NAMES, "ow", strict=True)
    ]
    dataset = create_dataset(store, "questions", "prompts")
    batch = open_batch(store, dataset.id, "import", "me")
    asked = [[{"role": "user", "content": f"What is {n} plus {n + 2}?"}] for n in range(prompts)]
    drafts = [Draft({"prompt": prompt}, prompt[0]["content"]) for prompt in asked]
    add_examples(store, batch, drafts)
    publish(store, batch)
    create_study(store, "first-look", models, dataset.id, seed=3)


def new_talker() -> Talker:
    """One terse and one long-winded model; asked about hostility, both are hostile."""

    def say(words: str) -> Callable[[list[dict[str, Any]], int], str]:
        return lambda messages, seed: HOSTILE if "hostile" in messages[-1]["content"] else words

    return Talker({"o": say("It is **nine**."), "w": say(LONG)})


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Served from a thread of this process: real routes, real store, real answers over HTTP."""
    from studio.app import build_app

    talker = new_talker()
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Settings.from_env({}, home=tmp_path / "home", port=listener.getsockname()[1])
    studio = Studio(settings=settings)
    furnish(studio.store, talker)
    app = build_app(studio)
    studio.answerer.start()
    with running(app, listener) as url:
        yield Place(url, studio.store, talker, studio)
    studio.answerer.stop()
    talker.close()
    studio.store.close()


def ready(page: Any) -> None:
    """Wait until a pair takes votes."""
    page.wait_for_selector(f"{ROOT}[data-state=ready]")


def press(page: Any, *keys: str) -> None:
    """Press keys as a person does: one a pair, and wait for the next pair."""
    for key in keys:
        ready(page)
        before = page.get_attribute(ROOT, "data-comparison")
        page.keyboard.press(key)
        page.wait_for_function(
            "([root, before]) => document.querySelector(root).dataset.comparison !== before", arg=[ROOT, before]
        )


def left_is_terse(page: Any) -> bool:
    """Whether the answer on the left is the short one."""
    return "nine" in page.inner_text(".pane-a .pane-body")


def test_a_session_by_keyboard_counts_what_was_pressed_for_whom(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place.url).open("/compare")
    expected = []
    for key in ("1", "2", "ArrowLeft", "ArrowRight", "3", "t", "4", "x"):
        ready(page)
        terse_left = left_is_terse(page)
        side = {"1": "left", "ArrowLeft": "left", "2": "right", "ArrowRight": "right"}.get(key)
        draw = "tie" if key in ("3", "t") else "both_bad"
        expected.append(draw if side is None else "a" if (side == "left") == terse_left else "b")
        press(page, key)

    assert [choice for choice, _ in place.votes()] == expected
    assert page.inner_text(".sitting-progress").startswith("8 of 30 votes")


def test_no_response_before_the_vote_names_a_model(place: Place, visit: Callable[..., Visit]) -> None:
    one = visit(place.url)
    bodies: list[tuple[str, str]] = []

    def keep(response: Any) -> None:
        kind = response.headers.get("content-type", "")
        if any(word in kind for word in ("json", "html", "event-stream", "text/plain")):
            bodies.append((response.url, response.text()))

    one.page.on("requestfinished", lambda request: keep(request.response()))
    page = one.open("/compare")
    ready(page)
    page.wait_for_timeout(800)

    assert len(bodies) >= 3
    assert [(url, name) for url, body in bodies for name in NAMES if name in body] == []
    assert [name for name in NAMES if name in page.content()] == []

    terse_left = left_is_terse(page)
    press(page, "1")
    page.wait_for_selector(".revealed")
    names = page.locator(".revealed b").all_inner_texts()
    assert [name.replace(" ✓", "") for name in names] == list(NAMES if terse_left else NAMES[::-1])


def test_undo_by_button_and_keys_brings_the_same_pair_back(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place.url).open("/compare")
    ready(page)
    first = page.get_attribute(ROOT, "data-comparison")
    press(page, "1")
    second = page.get_attribute(ROOT, "data-comparison")
    press(page, "2")

    press(page, "Control+z")
    assert page.get_attribute(ROOT, "data-comparison") == second
    press(page, "z")
    assert page.get_attribute(ROOT, "data-comparison") == first
    assert place.votes() == []

    press(page, "3")
    ready(page)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(f"document.querySelector('{ROOT}').dataset.comparison === '{first}'")
    assert place.votes() == []


def test_a_skipped_pair_is_no_vote_and_does_not_come_again(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place.url).open("/compare")
    ready(page)
    skipped = page.get_attribute(ROOT, "data-comparison")
    page.keyboard.press("s")
    page.wait_for_selector(f"{ROOT}[data-state=skipping]")
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('{ROOT}').dataset.comparison !== '{skipped}'")
    press(page, "1", "1")

    assert [choice == "skip" for choice, _ in place.votes()] == [True, False, False]
    page.reload()
    ready(page)
    assert page.get_attribute(ROOT, "data-comparison") != skipped
    assert page.inner_text(".sitting-progress").startswith("2 of 30 votes")


def test_a_refresh_shows_the_same_pair_with_the_same_sides(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place.url).open("/compare")
    press(page, "1")
    ready(page)
    before = [page.inner_text(place_) for place_ in (".question", ".pane-a .pane-body", ".pane-b .pane-body")]
    page.reload()
    ready(page)

    assert [page.inner_text(place_) for place_ in (".question", ".pane-a .pane-body", ".pane-b .pane-body")] == before
    assert page.inner_text(".sitting-progress").startswith("1 of 30 votes")


def test_a_key_pressed_twice_votes_once(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place.url).open("/compare")
    ready(page)
    page.evaluate(
        """() => { for (let n = 0; n < 5; n += 1) setTimeout(() =>
            document.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true })), n * 30); }"""
    )
    page.wait_for_timeout(1200)

    assert len(place.votes()) == 1


def test_keys_in_the_question_box_are_letters_and_enter_asks(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place.url).open("/compare")
    ready(page)
    place.talker.held.clear()
    page.fill("#ask-text", "")
    page.type("#ask-text", "1 2 3 4 t x s z")
    assert place.votes() == []
    page.keyboard.press("Enter")

    page.wait_for_selector(".pane-a.is-streaming")
    assert page.inner_text(".question") == "1 2 3 4 t x s z"
    assert page.get_attribute(ROOT, "data-state") == "coming"
    texts = {page.inner_text(".pane-a .answer").strip(), page.inner_text(".pane-b .answer").strip()}
    assert texts == {"It", "Cer"}, "neither side is seen to be quicker"
    page.keyboard.press("1")
    assert place.votes() == []

    place.talker.held.set()
    ready(page)
    press(page, "1")
    assert len(place.votes()) == 1


def test_hostile_answers_are_shown_as_text(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place.url).open("/compare")
    ready(page)
    page.fill("#ask-text", "be hostile <img src=x onerror='window.hacked = 1'>")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.question').innerText.startsWith('be hostile')")
    ready(page)

    assert "<script>window.hacked = 1</script>" in page.inner_text(".pane-a .pane-body")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".pane img, .pane script, .question img, .pane a").count() == 0


def test_votes_given_offline_are_kept_shown_and_saved_later_once(place: Place, visit: Callable[..., Visit]) -> None:
    one = visit(place.url)
    one.expected.append("net::ERR_INTERNET_DISCONNECTED")
    page = one.open("/compare")
    press(page, "1")
    page.wait_for_timeout(1500)  # until three more pairs have been fetched ahead
    page.context.set_offline(True)
    press(page, "1", "2", "3")
    page.wait_for_function("document.querySelector('.vote-more .chip').textContent === '3 waiting to be saved'")
    assert len(place.votes()) == 1

    page.context.set_offline(False)
    page.wait_for_function(f"document.querySelector('{ROOT}').dataset.unsaved === '0'")
    ready(page)
    assert len(place.votes()) == 4
    assert page.locator(".vote-more .chip").is_hidden()
    page.reload()
    ready(page)
    assert page.inner_text(".sitting-progress").startswith("4 of 30 votes")


def test_a_vote_that_was_saved_without_the_browser_hearing_of_it_counts_once(
    place: Place, visit: Callable[..., Visit]
) -> None:
    """The answer to a vote is lost on its way: the browser sends it again under the same id."""
    one = visit(place.url)
    one.expected.append("net::ERR_FAILED")
    lost = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    one.page.route("**/api/compare/vote", lose)  # before the page is there: set later, it may come after the first vote
    page = one.open("/compare")
    ready(page)
    page.keyboard.press("1")
    page.wait_for_function(
        f"document.querySelector('{ROOT}').dataset.unsaved === '0' && document.querySelector('.revealed')"
    )

    assert lost == [200]
    assert len(place.votes()) == 1


def test_unsaved_votes_survive_a_closed_tab(place: Place, visit: Callable[..., Visit]) -> None:
    one = visit(place.url)
    one.expected.append("net::ERR_INTERNET_DISCONNECTED")
    page = one.open("/compare")
    press(page, "1")
    page.wait_for_timeout(1500)
    context = page.context
    context.set_offline(True)
    press(page, "2")
    page.close()
    context.set_offline(False)
    assert len(place.votes()) == 1

    again = context.new_page()
    again.goto(f"{place.url}/compare")
    ready(again)

    assert len(place.votes()) == 2


def test_the_standings_come_when_asked_for_and_training_is_offered(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place.url).open("/compare")
    assert "Hidden while you judge" in page.inner_text("#standings")
    for _ in range(16):
        ready(page)
        press(page, "1" if left_is_terse(page) else "2")
    page.click("#standings button")
    page.wait_for_selector(".standing")

    assert page.locator(".standing .truncate").all_inner_texts() == list(NAMES)
    assert "nimble-otter is better" in page.inner_text("#standings")
    link = page.get_by_role("link", name="Train on these votes")
    assert link.get_attribute("href") == "/train?method=dpo&study=first-look"


def test_another_study_is_chosen_by_the_picker_and_by_the_address(place: Place, visit: Callable[..., Visit]) -> None:
    models = [*place.studio.store.rows("select id from models")]
    first = place.studio.store.one("select * from studies")
    assert first is not None
    create_study(place.store, "second", [get_model(place.store, row["id"]) for row in models], first["prompts_id"])
    page = visit(place.url).open("/compare?study=first-look")
    ready(page)
    page.select_option("#study-picker", "second")
    page.wait_for_function(
        "document.querySelector('.command code').textContent === 'ratchet leaderboard --study second'"
    )
    ready(page)
    assert page.url.endswith("?study=second")
    press(page, "1")

    study_id = place.store.value("select id from studies where name = 'second'")
    assert len(current_votes(place.store, study_id)) == 1


def test_an_answer_that_comes_after_another_study_was_chosen_changes_nothing(
    place: Place, visit: Callable[..., Visit]
) -> None:
    models = [get_model(place.store, name) for name in NAMES]
    second = create_study(place.store, "second", models, get_study(place.store, "first-look").prompts_id)
    page = visit(place.url).open("/compare?study=first-look")
    ready(page)
    held: list[Any] = []
    page.route("**/api/compare/next?study=first-look*", lambda route: held.append(route))
    page.evaluate("window.dispatchEvent(new Event('online'))")  # the page asks what lies ahead
    page.wait_for_timeout(300)
    assert held

    page.select_option("#study-picker", "second")
    page.wait_for_function("document.querySelector('.command code').textContent.endsWith('--study second')")
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)

    assert page.input_value("#study-picker") == "second"
    press(page, "1", "2")
    assert len(current_votes(place.store, second.id)) == 2
    assert place.votes() == []


def test_models_that_do_not_answer_are_a_sentence_with_a_way_on(place: Place, visit: Callable[..., Visit]) -> None:
    place.talker.failing = True
    place.store.execute("update comparisons set state = 'retired'")
    page = visit(place.url).open("/compare")
    page.get_by_role("heading", name="The models do not answer").wait_for()
    assert "A model answered: out of order" in page.inner_text(".pair-state")

    place.talker.failing = False
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Try again").click()
    ready(page)


def test_an_empty_home_says_what_to_do(tmp_path: Path, visit: Callable[..., Visit]) -> None:
    from studio.app import build_app

    listener = socket.create_server(("127.0.0.1", 0))
    settings = Settings.from_env({}, home=tmp_path / "home", port=listener.getsockname()[1])
    with running(build_app(Studio(settings=settings)), listener) as url:
        page = visit(url).open("/compare")
        page.get_by_role("heading", name="Nothing to compare yet").wait_for()

        assert page.get_by_role("link", name="Go to Train").get_attribute("href") == "/train"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_it_looks_right(place: Place, visit: Callable[..., Visit], width: int, scheme: str) -> None:
    one = visit(place.url, width=width, scheme=scheme)
    page = one.open("/compare")
    press(page, "1", "2")
    ready(page)

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    bar = page.locator(".vote-bar").bounding_box()
    assert bar["y"] + bar["height"] <= 801, "the vote bar is in reach without scrolling"
    one.shot(f"compare-{width}-{scheme}")


@pytest.mark.slow
def test_a_killed_studio_loses_no_vote_and_the_page_goes_on(tmp_path: Path, visit: Callable[..., Visit]) -> None:
    talker = new_talker()
    home = tmp_path / "home"
    store = Store.open(Home(home))
    furnish(store, talker)
    served = start_studio(home, tmp_path / "serve.err")
    port = served.url.rsplit(":", 1)[1]
    one = visit(served.url)
    one.expected += [
        "net::ERR_CONNECTION_REFUSED",
        "net::ERR_CONNECTION_RESET",
        "net::ERR_INCOMPLETE_CHUNKED",
        "ERR_EMPTY",
    ]
    page = one.open("/compare?study=first-look")
    press(page, "1")
    page.wait_for_timeout(1500)

    served.process.kill()
    served.process.wait()
    press(page, "2", "3")
    page.wait_for_function("document.querySelector('.vote-more .chip').textContent === '2 waiting to be saved'")
    served = start_studio(home, tmp_path / "serve2.err", "--port", port)
    page.wait_for_function(f"document.querySelector('{ROOT}').dataset.unsaved === '0'")
    ready(page)

    study_id = store.value("select id from studies where name = 'first-look'")
    assert len(current_votes(store, study_id)) == 3
    stop_studio(served)
    talker.close()
    store.close()
