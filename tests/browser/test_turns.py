"""The layout "turns" in Chromium: conversations that go on with both answers, or with the chosen one."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from storage.batches import open_batch, publish
from storage.comparisons import create_study
from storage.datasets import create_dataset
from storage.examples import Draft, add_examples
from storage.models import add_model, get_model
from storage.rows import Study
from storage.store import Store
from storage.votes import current_votes
from tests.browser.axe import grave_violations
from tests.browser.conftest import Visit
from tests.browser.court import NAMES, ROOT, ready, shown
from tests.browser.site import Site, served_site
from tests.talker import Talker

pytestmark = pytest.mark.browser


class Hall(NamedTuple):
    """A served studio with two models that can be talked to."""

    site: Site
    talker: Talker
    models: list[str]
    prompts: str


def speech(word: str) -> Callable[[list[dict[str, Any]], int], str]:
    """Says which turn this is and how the one before it ended, so that a test sees what the model was told."""

    def say(messages: list[dict[str, Any]], seed: int) -> str:
        before = messages[-2]["content"].split()[0] if len(messages) > 1 else "nothing"
        return f"{word} answers turn {(len(messages) + 1) // 2}, *after* {before}, to: {messages[-1]['content']}"

    return say


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    talker = Talker({"o": speech("Otterly"), "w": speech("Walrusly")})
    kept: dict[str, Any] = {}

    def furnish(studio: Any) -> None:
        store = studio.store
        models = [
            add_model(store, name, "endpoint", url=talker.url, remote_name=remote).id
            for name, remote in zip(NAMES, "ow", strict=False)
        ]
        dataset = create_dataset(store, "openings", "prompts")
        batch = open_batch(store, dataset.id, "import", "me")
        asked = [[{"role": "user", "content": f"Opening {number}?"}] for number in range(30)]
        add_examples(store, batch, [Draft({"prompt": prompt}, prompt[0]["content"]) for prompt in asked])
        publish(store, batch)
        kept.update(studio=studio, models=models, prompts=dataset.id)
        studio.answerer.start()

    with served_site(tmp_path_factory.mktemp("turns"), furnish) as site:
        yield Hall(site, talker, kept["models"], kept["prompts"])
        kept["studio"].answerer.stop()
    talker.close()


@pytest.fixture
def study(hall: Hall, request: pytest.FixtureRequest) -> Callable[..., Study]:
    """`study(continues)`: a study of this test's own."""

    def maker(continues: str, **settings: Any) -> Study:
        name = request.node.name[5:45].split("[")[0].strip("_").replace("_", "-")
        number = hall.site.store.value("select count(*) from studies")
        models = [get_model(hall.site.store, model) for model in hall.models]
        told = {"layout": "turns", "continues": continues, **settings}
        return create_study(hall.site.store, f"{name}-{number}", models, hall.prompts, told, seed=5)

    return maker


def votes(store: Store, study: Study) -> list[Any]:
    return [(vote.choice, vote.comparison_id) for vote in current_votes(store, study.id)]


def say(page: Any, text: str) -> None:
    """Say the next thing, and wait until both sides have answered it."""
    before = page.get_attribute(ROOT, "data-comparison")
    page.fill("#turn-text", text)
    page.press("#turn-text", "Enter")
    page.wait_for_function(
        "([root, before]) => { const at = document.querySelector(root).dataset;"
        " return at.comparison !== before && at.state === 'ready'; }",
        arg=[ROOT, before],
    )


def turns_of(page: Any, pane: str) -> list[str]:
    return [text.split("\n", 1)[1].strip() for text in page.locator(f".{pane} .turn").all_inner_texts()]


def letters(page: Any) -> list[str]:
    """Who stands left and right: the first letter of each answer."""
    return [text[0] for text in shown(page)]


def test_both_sides_go_on_each_from_its_own_answer_and_the_vote_ends_it(
    hall: Hall, study: Callable[..., Study], visit: Callable[..., Visit]
) -> None:
    at = study("both")
    page = visit(hall.site.url).open(f"/compare?study={at.name}")
    ready(page)
    first, sides = page.get_attribute(ROOT, "data-comparison"), letters(page)
    said = shown(page)
    page.keyboard.press("c")
    assert page.evaluate("document.activeElement.id") == "turn-text"

    say(page, "And then? 1 2 3 4")
    assert letters(page) == sides, "left stays left"
    assert all("turn 2" in text and "to: And then? 1 2 3 4" in text for text in shown(page))
    words = {"O": "Otterly", "W": "Walrusly"}
    assert [text.split("after ")[1].split(",")[0] for text in shown(page)] == [words[side] for side in sides]
    for pane, text in zip(("pane-a", "pane-b"), said, strict=True):
        assert turns_of(page, pane) == [text, "And then? 1 2 3 4"]
    assert votes(hall.site.store, at) == [], "keys in the box are letters"

    say(page, "And at last?")
    assert len(turns_of(page, "pane-a")) == 4
    last = page.get_attribute(ROOT, "data-comparison")
    page.keyboard.press("1")
    page.wait_for_selector(".revealed.is-winner")

    chosen = "a" if sides[0] == "O" else "b"
    stored = hall.site.store.one("select * from votes where comparison_id = ?", [last])
    assert [comparison for _, comparison in votes(hall.site.store, at)] == [last]
    answers = hall.site.store.rows("select model_name from answers where comparison_id = ? order by position", [last])
    assert stored is not None
    assert answers["ab".index(stored["choice"])]["model_name"] == NAMES["ab".index(chosen)]
    assert hall.site.store.value("select state from comparisons where id = ?", [first]) == "continued"


def test_the_chosen_answer_goes_on_for_both(
    hall: Hall, study: Callable[..., Study], visit: Callable[..., Visit]
) -> None:
    at = study("chosen")
    page = visit(hall.site.url).open(f"/compare?study={at.name}")
    ready(page)
    first, said = page.get_attribute(ROOT, "data-comparison"), shown(page)
    assert page.locator("#turn-text").is_disabled()

    assert page.get_by_role("button", name="End here").is_hidden()
    page.keyboard.press("2")
    assert page.evaluate("document.activeElement.id") == "turn-text"
    assert "B goes on" in page.inner_text(".next-turn label")
    assert votes(hall.site.store, at) == []
    page.keyboard.press("Escape")
    assert page.locator("#turn-text").is_disabled()

    page.keyboard.press("1")
    say(page, "Go on with it")
    assert [comparison for _, comparison in votes(hall.site.store, at)] == [first]
    assert "Go on with it" in page.inner_text(".question")
    assert said[0].split()[0] in page.inner_text(".prompt .turns")
    assert all(f"after {said[0].split()[0]}," in text for text in shown(page)), "both were told the chosen answer"

    page.keyboard.press("1")
    page.press("#turn-text", "Enter")
    page.wait_for_function(f"document.querySelector('{ROOT}').dataset.unsaved === '0'")
    ready(page)
    assert len(votes(hall.site.store, at)) == 2, "nothing said ends it here"
    page.keyboard.press("3")
    page.wait_for_function("document.querySelector('.reveal').textContent.includes('a tie')")
    assert [choice for choice, _ in votes(hall.site.store, at)][-1] == "tie"


def gone_on(page: Any) -> str:
    """The first answer chosen and a next turn sent, so that the details of the vote are asked; the comparison's id."""
    ready(page)
    first = page.get_attribute(ROOT, "data-comparison")
    page.keyboard.press("1")
    page.fill("#turn-text", "Go on")
    page.press("#turn-text", "Enter")
    page.wait_for_selector(f"{ROOT}[data-state=details]")
    return str(first)


def test_where_more_is_asked_the_vote_comes_first_and_then_it_goes_on(
    hall: Hall, study: Callable[..., Study], visit: Callable[..., Visit]
) -> None:
    at = study("chosen", strength="required")
    page = visit(hall.site.url).open(f"/compare?study={at.name}")
    first = gone_on(page)
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.question').innerText === 'Go on'")
    ready(page)

    stored = current_votes(hall.site.store, at.id)
    assert [(vote.comparison_id, vote.strength) for vote in stored] == [(first, 2)]
    assert page.input_value("#turn-text") == ""


def test_what_was_typed_and_left_is_not_said_after_a_vote_that_ends_it(
    hall: Hall, study: Callable[..., Study], visit: Callable[..., Visit]
) -> None:
    at = study("chosen", strength="required")
    page = visit(hall.site.url).open(f"/compare?study={at.name}")
    first = gone_on(page)
    page.keyboard.press("Escape")
    ready(page)
    page.keyboard.press("1")
    page.fill("#turn-text", "")
    page.press("#turn-text", "Enter")
    page.wait_for_selector(f"{ROOT}[data-state=details]")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_function(f"(first) => document.querySelector('{ROOT}').dataset.comparison !== first", arg=first)
    page.wait_for_timeout(500)

    assert [vote.comparison_id for vote in current_votes(hall.site.store, at.id)] == [first]
    assert hall.site.store.value("select count(*) from comparisons where parent_id = ?", [first]) == 0


def test_both_sides_are_seen_to_write(hall: Hall, study: Callable[..., Study], visit: Callable[..., Visit]) -> None:
    at = study("both")
    page = visit(hall.site.url).open(f"/compare?study={at.name}")
    ready(page)
    hall.talker.held.clear()
    page.fill("#turn-text", "Slowly now")
    page.press("#turn-text", "Enter")
    page.wait_for_selector(".pane-a.is-streaming")
    texts = {page.inner_text(".pane-a .answer").strip(), page.inner_text(".pane-b .answer").strip()}
    page.keyboard.press("1")
    hall.talker.held.set()
    ready(page)

    assert texts == {"Otterly", "Walrusly"}
    assert votes(hall.site.store, at) == [], "nothing is decided while they write"


def test_a_refusal_is_a_sentence_and_the_words_stay(
    hall: Hall, study: Callable[..., Study], visit: Callable[..., Visit]
) -> None:
    at = study("both")
    one = visit(hall.site.url)
    one.expected.append("422 (Unprocessable Entity)")
    page = one.open(f"/compare?study={at.name}")
    ready(page)
    hall.site.store.execute("update studies set settings = ? where id = ?", [json.dumps({"layout": "pair"}), at.id])
    page.fill("#turn-text", "My words")
    page.press("#turn-text", "Enter")
    page.wait_for_selector(".toast-bad")

    assert 'need the layout "turns"' in page.inner_text(".toast-bad")
    assert page.input_value("#turn-text") == "My words"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_it_looks_right(
    hall: Hall, study: Callable[..., Study], visit: Callable[..., Visit], width: int, scheme: str
) -> None:
    at = study("both" if scheme == "light" else "chosen")
    one = visit(hall.site.url, width=width, height=844, scheme=scheme)
    page = one.open(f"/compare?study={at.name}")
    ready(page)
    if scheme == "dark":
        page.keyboard.press("1")
    say(page, "Tell me more about it, please, and say why.")

    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    one.shot(f"turns-{width}-{scheme}")
