"""My votes in Chromium: looked at, searched, changed, taken back; and the tools beside the answers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.datasets import get_dataset
from storage.examples import stream
from storage.queries import Query
from tests.browser.axe import grave_violations
from tests.browser.conftest import SHOTS, Visit
from tests.browser.court import NAMES, ROOT, Court, hold, on_to_the_next, ready, shown
from tests.browser.judging import Room, add_people, add_study
from tests.browser.site import Site, served_site

pytestmark = pytest.mark.browser

ITEM = ".mine-vote"
HOSTILE = "<img src=x onerror='window.hacked = 1'> **bold** <script>window.hacked = 1</script>"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served_site(tmp_path_factory.mktemp("mine")) as served:
        yield served


@pytest.fixture
def court(site: Site, request: pytest.FixtureRequest) -> Callable[..., Court]:
    """`court(sides, rounds)`: a study of this test's own."""

    def holder(sides: int = 2, rounds: int = 4, texts: list[list[str]] | None = None, **settings: Any) -> Court:
        number = site.store.value("select count(*) from studies")
        name = f"{request.node.name[5:40].split('[')[0].strip('_').replace('_', '-')}-{number}"
        answers = texts or [[f"Answer {'xyzuv'[place]}{turn}." for place in range(sides)] for turn in range(rounds)]
        layout = {1: "rate", 2: "pair"}.get(sides, "rank")
        return hold(site.url, site.store, name, answers, layout=layout, **settings)

    return holder


def vote(page: Any, *keys: str) -> list[str]:
    """Vote with these keys, one a pair; gives the prompts in that order."""
    prompts = []
    for key in keys:
        ready(page)
        prompts.append(page.inner_text(".question"))
        on_to_the_next(page, lambda key=key: page.keyboard.press(key))
    return prompts


def open_drawer(page: Any) -> None:
    page.keyboard.press("v")
    page.wait_for_function("document.querySelector('.drawer [role=status]').textContent.match(/vote/)")


def said(page: Any) -> list[tuple[str, str]]:
    return [
        (item.locator(".mine-question").inner_text(), item.locator(".mine-said b").text_content())
        for item in page.locator(ITEM).all()
    ]


def test_my_votes_are_listed_newest_first_and_searched(
    court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    at = court(rounds=5)
    page = visit(at.url).open(at.path)
    prompts = vote(page, "1", "3", "4")
    ready(page)
    open_drawer(page)

    assert said(page) == list(zip(prompts[::-1], ["both bad", "a tie", "A is better"], strict=True))
    page.fill("#mine-search", "tie")
    assert said(page) == [(prompts[1], "a tie")]
    assert page.inner_text(".drawer [role=status]") == "1 of 3 votes"

    page.locator(".drawer h2").click()
    page.keyboard.press("1")
    assert len(at.votes()) == 3, "a key pressed in the drawer is no vote on the pair behind it"
    page.keyboard.press("Escape")
    assert page.locator(".drawer").is_hidden()


def test_names_are_told_on_request_alone(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court()
    page = visit(at.url).open(at.path)
    vote(page, "1")
    ready(page)
    open_drawer(page)
    assert [name for name in NAMES if name in page.inner_text(".drawer")] == []

    page.get_by_role("button", name="Who wrote it").click()
    assert [name for name in NAMES[:2] if name in page.inner_text(".drawer")] == list(NAMES[:2])


def test_an_earlier_vote_is_changed_on_the_pair_as_it_was(
    court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    at = court()
    page = visit(at.url).open(at.path)
    ready(page)
    before, texts = page.get_attribute(ROOT, "data-comparison"), shown(page)
    vote(page, "1", "3")
    (first, second) = at.votes()
    ready(page)
    waiting = page.get_attribute(ROOT, "data-comparison")

    open_drawer(page)
    page.locator(ITEM).nth(1).get_by_role("button", name="Change").click()
    ready(page)
    assert page.get_attribute(ROOT, "data-comparison") == before
    assert shown(page) == texts
    assert page.locator(".pane-a.is-chosen").count() == 1, "what I said is marked"
    page.keyboard.press("2")
    page.wait_for_function(
        "([root, id]) => document.querySelector(root).dataset.comparison === id", arg=[ROOT, waiting]
    )

    changed = next(one for one in at.votes() if one.comparison_id == before)
    assert changed.supersedes == first.id
    assert {first.choice, changed.choice} == {"a", "b"}
    assert [one.id for one in at.votes() if one.comparison_id != before] == [second.id]


def test_an_order_is_changed_from_the_order_it_had(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(sides=3)
    page = visit(at.url).open(at.path)
    ready(page)
    for key in ("2", "1"):
        page.keyboard.press(key)
    on_to_the_next(page, lambda: page.keyboard.press("Enter"))
    ready(page)

    open_drawer(page)
    assert [text for _, text in said(page)] == ["B > A > C"]
    page.get_by_role("button", name="Change").click()
    ready(page)
    assert page.locator(".place").all_inner_texts() == ["2nd", "1st", "3rd"]
    page.keyboard.press("Backspace")
    page.keyboard.press("Shift+Digit3")
    on_to_the_next(page, lambda: page.keyboard.press("Enter"))

    open_drawer(page)
    assert [text for _, text in said(page)] == ["B > A = C"]
    assert len(at.votes()) == 1


def test_a_vote_is_taken_back_from_the_list(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court()
    page = visit(at.url).open(at.path)
    ready(page)
    first = page.get_attribute(ROOT, "data-comparison")
    vote(page, "1", "3")
    ready(page)
    open_drawer(page)
    page.locator(ITEM).nth(1).get_by_role("button", name="Take back").click()
    page.wait_for_function(f"document.querySelectorAll('{ITEM}').length === 1")

    assert [one.choice for one in at.votes()] == ["tie"]
    page.keyboard.press("Escape")
    ready(page)
    assert page.get_attribute(ROOT, "data-comparison") == first, "it waits to be judged again"


def test_older_votes_come_a_page_at_a_time(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(sides=1, rounds=24)
    page = visit(at.url).open(at.path)
    prompts = vote(page, *"1234512345123451234512")
    ready(page)
    open_drawer(page)
    assert page.locator(ITEM).count() == 20
    page.get_by_role("button", name="Older votes").click()
    page.wait_for_function(f"document.querySelectorAll('{ITEM}').length === 22")

    assert [prompt for prompt, _ in said(page)] == prompts[::-1]
    assert page.get_by_role("button", name="Older votes").is_hidden()


def test_hostile_votes_are_shown_as_text(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(texts=[[HOSTILE, "plain"], ["one", "two"]])
    page = visit(at.url).open(at.path)
    vote(page, "1", "3")
    at.store.execute("update votes set rationale = ?, chips = json_array(?)", [HOSTILE, HOSTILE])
    page.keyboard.press("v")
    page.wait_for_selector(ITEM)

    assert "<script>window.hacked = 1</script>" in page.inner_text(".mine-why >> nth=0")
    assert page.locator(".drawer img, .drawer script").count() == 0
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_it_looks_right(court: Callable[..., Court], visit: Callable[..., Visit], width: int, scheme: str) -> None:
    at = court(rounds=6)
    one = visit(at.url, width=width, height=844, scheme=scheme)
    page = one.open(at.path)
    vote(page, "1", "3", "2", "4")
    ready(page)
    open_drawer(page)

    assert grave_violations(page) == []
    assert page.evaluate("document.querySelector('.drawer').scrollWidth <= innerWidth")
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"mine-{width}-{scheme}.png")  # the drawer is as high as the window, not as the page


# ---- The tools beside the answers --------------------------------------------------------------------------

LINES = "\n\n".join(f"Line {number}." for number in range(80))


def test_long_answers_scroll_together_when_asked_and_it_is_remembered(
    court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    at = court(texts=[[LINES, LINES + "\n\n" + LINES]] * 3)
    page = visit(at.url).open(at.path)
    ready(page)
    page.evaluate("document.querySelector('.pane-a .pane-body').scrollTop = 300")
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('.pane-b .pane-body').scrollTop") == 0

    page.keyboard.press("l")
    page.reload()
    ready(page)
    assert page.get_by_role("button", name="Scroll together").get_attribute("aria-pressed") == "true"
    page.evaluate(
        "() => { const body = document.querySelector('.pane-a .pane-body');"
        " body.scrollTop = (body.scrollHeight - body.clientHeight) / 2; }"
    )
    page.wait_for_function(
        "() => { const body = document.querySelector('.pane-b .pane-body');"
        " return Math.abs(body.scrollTop / (body.scrollHeight - body.clientHeight) - 0.5) < 0.02; }"
    )


MARKED = """() => [...(CSS.highlights.get("answer-differs") || [])].map((range) => {
  const pane = range.startContainer.parentElement.closest(".pane").className.match(/pane-([a-h])/)[1];
  return `${pane} ${range.toString().trim()}`;
})"""


def test_words_that_differ_are_marked_without_touching_the_answers(
    court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    pairs = [["The **quick** fox\n\n- runs\n- sleeps", "The **slow** fox\n\n- runs\n- eats"]] * 2
    at = court(texts=[*pairs, ["completely", "別の言葉"]])
    page = visit(at.url).open(at.path)
    ready(page)
    left_is_quick = "quick" in shown(page)[0]
    html = page.inner_html(".seat")
    page.keyboard.press("w")

    quick, slow = ("a", "b") if left_is_quick else ("b", "a")
    expected = {f"{quick} quick", f"{quick} sleeps", f"{slow} slow", f"{slow} eats"}
    assert set(page.evaluate(MARKED)) == expected
    assert page.inner_html(".seat") == html
    assert page.inner_text(".reading-tools [role=status]") == "4 words marked"

    vote(page, "1")
    ready(page)
    assert len(page.evaluate(MARKED)) == 4, "it stays on for the next pair"
    vote(page, "1")
    ready(page)
    assert page.evaluate(MARKED) == []
    assert "share too little" in page.inner_text(".reading-tools [role=status]")
    page.keyboard.press("w")
    assert page.inner_text(".reading-tools [role=status]") == ""


def kept(site: Site, name: str) -> list[list[str]]:
    """The turns of each example of a dataset."""
    found = stream(site.store, get_dataset(site.store, name).id, Query())
    return [[turn["content"] for turn in example.content["messages"]] for example in found]


def test_an_answer_is_kept_with_one_key_once_the_dataset_is_known(
    site: Site, court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    at = court()
    page = visit(at.url).open(at.path)
    ready(page)
    texts, prompt = shown(page), page.inner_text(".question")
    page.keyboard.press("k")
    page.fill("#keep-dataset", "good-answers")
    assert grave_violations(page) == []
    page.get_by_role("button", name="Keep B").click()
    page.wait_for_selector(".toast-good")
    assert kept(site, "good-answers") == [[prompt, texts[1]]]
    assert at.votes() == []

    page.hover(".pane-a")
    page.keyboard.press("k")
    page.wait_for_function("document.querySelectorAll('.toast-good').length === 2")
    assert sorted(turns[1] for turns in kept(site, "good-answers")) == sorted(texts)
    assert [name for name in NAMES if name in str(kept(site, "good-answers"))] == []


def test_an_annotator_is_told_no_name_and_offered_no_dataset(tmp_path: Path, visit: Callable[..., Visit]) -> None:
    with served_site(tmp_path, add_people) as crowded:
        add_study(crowded.store, "shared", 3)
        one = Room(crowded.url, crowded.store).enter(visit(crowded.url), "ann")
        page = one.open("/compare?study=shared")
        vote(page, "1")
        ready(page)
        open_drawer(page)
        assert [text for _, text in said(page)] == ["A is better"]
        assert page.get_by_role("button", name="Who wrote it").count() == 0
        page.keyboard.press("Escape")

        page.keyboard.press("k")
        assert page.locator("dialog[open]").count() == 0
        assert page.get_by_role("button", name="Keep an answer").count() == 0
        assert [name for name in NAMES if name in page.content()] == []
        page.goto("about:blank")  # before its studio goes: it would ask for what is new


def test_the_dialog_takes_the_number_of_the_answer(
    site: Site, court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    at = court()
    page = visit(at.url).open(at.path)
    ready(page)
    texts = shown(page)
    page.evaluate("localStorage.setItem('ratchet.compare.dataset', 'by-number')")
    page.reload()
    ready(page)
    page.mouse.move(5, 5)
    page.keyboard.press("k")
    page.keyboard.press("2")
    page.wait_for_selector(".toast-good")

    assert [turns[1] for turns in kept(site, "by-number")] == [texts[1]]
    assert at.votes() == [], "the number was the answer's, no vote"
