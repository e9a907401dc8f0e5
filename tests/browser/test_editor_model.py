"""A model that writes in the editor: streamed, stopped, accepted, undone; and the row as the model reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.home import Home
from storage.models import add_model
from storage.store import Store
from tests.browser.axe import grave_violations
from tests.browser.conftest import start_studio, stop_studio
from tests.browser.desk import Site, chat, open_row, rows, said, wait_saved
from tests.talker import Talker

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
Fill = Callable[..., str]


@pytest.fixture
def talker(site: Site) -> Iterator[Talker]:
    """An endpoint that is the studio's only model."""
    talker = Talker({"m": lambda messages, seed: f"said to {len(messages)} turns"})
    site.store.execute("delete from usage")
    site.store.execute("delete from models")
    add_model(site.store, "otter", "endpoint", url=talker.url, remote_name="m")
    yield talker
    talker.close()


def _ready(page: Any) -> None:
    page.wait_for_selector(".assist .button:has-text('Draft answer'):enabled")


def test_a_draft_is_streamed_marked_accepted_and_saved(visit: Visit, site: Site, fill: Fill, talker: Talker) -> None:
    name = fill([chat(("system", "Be brief."), ("user", "2+2?"), ("assistant", "5"))])
    page = open_row(visit, site, name)
    _ready(page)

    talker.held.clear()
    page.keyboard.press("g")
    page.wait_for_selector(".assist:has-text('otter writes')")
    page.wait_for_function("document.querySelectorAll('.turn textarea')[2].value === 'said '")
    writing = page.locator(".turn textarea").nth(2).get_attribute("readonly")
    talker.held.set()
    page.wait_for_selector(".drafted .chip:text-is('Drafted by otter')")
    text = page.locator(".turn textarea").nth(2).input_value()
    page.click(".drafted button:has-text('Accept')")
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert (writing is not None, text) == (True, "said to 2 turns")
    assert said(site.store, name)[2] == ("assistant", "said to 2 turns")
    marks = rows(site.store, name)[0].content["metadata"]["drafted_by"]
    assert marks == {"messages.2": {"model": "otter", "state": "accepted"}}
    again = open_row(visit, site, name)
    assert again.inner_text(".drafted .chip") == "Drafted by otter, accepted"


def test_an_edited_draft_says_so_and_a_draft_can_be_undone(
    visit: Visit, site: Site, fill: Fill, talker: Talker
) -> None:
    page = open_row(visit, site, fill([chat(("user", "2+2?"), ("assistant", "4"))]))
    _ready(page)

    page.keyboard.press("g")
    page.wait_for_selector(".drafted .chip:text-is('Drafted by otter')")
    page.locator(".turn textarea").nth(1).type("!")
    edited = page.inner_text(".drafted .chip")
    page.click(".editor .step:visible")
    page.click(".editor .step:visible")

    assert edited == "Drafted by otter, edited"
    assert page.locator(".turn textarea").nth(1).input_value() == "4"
    assert page.locator(".drafted .chip").count() == 0


def test_what_a_model_writes_can_be_stopped(visit: Visit, site: Site, fill: Fill, talker: Talker) -> None:
    page = open_row(visit, site, fill([chat(("user", "2+2?"), ("assistant", "4"))]))
    _ready(page)

    talker.held.clear()
    page.keyboard.press("g")
    page.wait_for_function("document.querySelectorAll('.turn textarea')[1].value === 'said '")
    page.keyboard.press("Escape")
    page.wait_for_selector(".assist:has-text('Stopped.')")
    page.wait_for_selector(".drafted .chip")
    talker.held.set()

    assert page.locator(".turn textarea").nth(1).input_value() == "said "
    assert page.inner_text(".drafted .chip") == "Drafted by otter"
    assert page.locator(".editor h2").is_visible()


def test_improving_shows_the_model_the_answer(visit: Visit, site: Site, fill: Fill, talker: Talker) -> None:
    name = fill([{"prompt": "2+2?", "chosen": "4", "rejected": "5"}])
    page = open_row(visit, site, name)
    _ready(page)

    page.locator(".part-rejected textarea").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    page.wait_for_selector(".part-rejected .drafted .chip:text-is('Drafted by otter')")

    asked = talker.asked[-1]["messages"]
    assert [(turn["role"], turn["content"]) for turn in asked[:2]] == [("user", "2+2?"), ("assistant", "5")]
    assert asked[2]["content"].startswith("Improve your last answer")
    assert page.locator(".part-rejected textarea").input_value() == "said to 3 turns"
    assert page.locator(".part-chosen textarea").input_value() == "4"


def test_a_question_without_an_answer_gets_a_new_turn(visit: Visit, site: Site, fill: Fill, talker: Talker) -> None:
    name = fill([chat(("user", "2+2?"), ("assistant", "4"), ("user", "And 3+3?"))])
    page = open_row(visit, site, name)
    _ready(page)

    page.keyboard.press("g")
    page.wait_for_selector(".drafted .chip")
    page.keyboard.press("Enter")  # the button that accepts it has the focus
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert said(site.store, name)[1:] == [
        ("assistant", "4"), ("user", "And 3+3?"), ("assistant", "said to 3 turns"),
    ]  # fmt: skip


def test_a_model_that_does_not_answer_says_why_and_nothing_is_lost(
    visit: Visit, site: Site, fill: Fill, talker: Talker
) -> None:
    page = open_row(visit, site, fill([chat(("user", "2+2?"), ("assistant", "4"))]))
    _ready(page)

    talker.failing = True
    page.keyboard.press("g")
    page.wait_for_selector(".assist .field-error")

    assert "out of order" in page.inner_text(".assist .field-error")
    assert page.locator(".turn textarea").nth(1).input_value() == "4"
    page.wait_for_selector(".editor-head .chip:text-is('Saved')")


@pytest.mark.torch
@pytest.mark.slow
def test_the_starter_drafts_and_shows_what_it_sees(visit: Visit, tmp_path: Path) -> None:
    served = start_studio(tmp_path / "home", tmp_path / "serve.err")
    try:
        store = Store(Home(served.home))
        visited = visit(served.url, height=1000)
        row = rows(store, "starter")[0]
        page = visited.open(f"/data?dataset=starter&row={row.id}", wait_for=".editor .editor-body")
        _ready(page)
        page.keyboard.press("w")
        page.wait_for_selector(".seen-token.is-trained >> nth=3", timeout=90_000)
        trained = page.eval_on_selector_all(".tokens .is-trained", "all => all.map((one) => one.textContent).join('')")
        facts = page.inner_text(".sees p")
        page.keyboard.press("g")
        page.wait_for_selector(".drafted .chip:text-is('Drafted by starter')", timeout=90_000)
        drafted = page.locator(".turn[data-role=assistant] textarea").last.input_value()
        page.keyboard.press("Control+s")
        wait_saved(page)
        visited.shot("editor-model")
        violations = grave_violations(page)
        stored = rows(store, "starter")[0].content
        store.close()
    finally:
        stop_studio(served)

    answer = row.content["messages"][-1]["content"]
    assert answer.replace(" ", "·") in trained
    assert "of them trained" in facts
    assert drafted.strip() != ""
    assert stored["messages"][-1]["content"] == drafted
    assert list(stored["metadata"]["drafted_by"].values()) == [{"model": "starter", "state": "drafted"}]
    assert violations == []
