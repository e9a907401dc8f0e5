"""A dataset is answered from the page: asked for, watched, stopped, undone; a study shows how far it is ahead."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from storage import answerings
from storage.batches import open_batch, publish
from storage.catalogue import list_deleted
from storage.comparisons import create_study
from storage.datasets import create_dataset, find_dataset, get_dataset
from storage.examples import Draft, add_examples
from storage.models import add_model
from storage.prompts import as_messages
from storage.store import Store
from studio.feedback.comparing import add_next
from tests.browser.axe import grave_violations
from tests.browser.site import served_site
from tests.talker import Talker

pytestmark = pytest.mark.browser


class Place(NamedTuple):
    """A served studio with two models that answer when they are let."""

    url: str
    store: Store
    talker: Talker


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    talker = Talker({"o": lambda messages, seed: "<b>yes</b> indeed", "w": lambda messages, seed: "no, not at all"})
    with served_site(tmp_path_factory.mktemp("answering"), lambda studio: _fill(studio.store, talker)) as served:
        yield Place(served.url, served.store, talker)
    talker.close()


def _fill(store: Store, talker: Talker) -> None:
    models = [
        add_model(store, name, "endpoint", url=talker.url, remote_name=remote)
        for name, remote in (("nimble-otter", "o"), ("grand-walrus", "w"))
    ]
    dataset = create_dataset(store, "questions", "prompts")
    batch = open_batch(store, dataset.id, "import", "me")
    add_examples(store, batch, [Draft({"prompt": as_messages(f"Open {n}?")}, f"{n}") for n in range(6)])
    publish(store, batch)
    add_next(store, create_study(store, "first-look", models, dataset.id, seed=3), 4)


def test_a_dataset_is_answered_stopped_gone_on_with_and_undone(place: Place, visit: Callable[..., Any]) -> None:
    place.talker.held.clear()
    page = visit(place.url).open("/data?dataset=questions")
    page.get_by_role("button", name="Answer", exact=True).click()
    page.get_by_label("nimble-otter").check()
    page.get_by_label("Temperature").fill("0.5")
    assert "ratchet answer questions --model nimble-otter --into questions-answered --temperature 0.5" in (
        page.locator(".dialog .command code").inner_text()
    )
    assert grave_violations(page) == []

    page.locator("#answer-go").click()
    page.get_by_role("progressbar", name="Answers into questions-answered").wait_for()
    page.get_by_role("button", name="Stop: questions-answered").click()
    go_on = page.get_by_role("button", name="Go on: questions-answered")
    go_on.wait_for(timeout=60_000)
    assert grave_violations(page) == []
    place.talker.held.set()
    go_on.click()
    undo = page.get_by_role("button", name="Undo: questions-answered")
    undo.wait_for(timeout=60_000)

    made = get_dataset(place.store, "questions-answered")
    assert page.locator(".toast", has_text="questions-answered holds 6 rows").count() == 1
    assert answerings.get_answering(place.store, made.name).state == "done"
    undo.click()
    page.locator(".answers-one .chip", has_text="undone").wait_for()
    assert find_dataset(place.store, "questions-answered") is None
    assert [one.name for one in list_deleted(place.store)] == ["questions-answered"]


def test_what_cannot_be_is_said_in_the_dialog(place: Place, visit: Callable[..., Any]) -> None:
    one = visit(place.url, width=390)
    one.expected.append("409")
    page = one.open("/data?dataset=questions")
    page.get_by_role("button", name="Answer", exact=True).click()
    page.get_by_label("grand-walrus").check()
    page.get_by_label("New dataset").fill("questions")
    page.locator("#answer-go").click()

    page.get_by_role("alert").get_by_text('A dataset named "questions" exists already').wait_for()
    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_study_tells_how_far_it_is_answered_ahead_while_it_goes_on(place: Place, visit: Callable[..., Any]) -> None:
    page = visit(place.url).open("/studies")
    line = page.locator(".studies-ahead[data-study=first-look]")
    line.get_by_text("0 ready to judge · 4 to be answered").wait_for()
    assert grave_violations(page) == []

    place.store.execute("update comparisons set state = 'ready', ready_at = unixepoch() where number <= 3")
    line.get_by_text("3 ready to judge · 1 to be answered").wait_for()
    place.store.execute("update comparisons set state = 'ready', ready_at = unixepoch()")
    line.get_by_text("4 ready to judge").wait_for()

    assert line.get_by_role("progressbar").count() == 0
