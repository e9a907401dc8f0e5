"""Hostile text in every text column of the store, then every page in a real browser: nothing runs, nothing is fetched.

The home is filled through our own code (rows, votes, comments, drafts, views, findings, a trained job, tasks,
invitations), then poisoned by SQL (tests/browser/poison.py), so nothing that checks or cleans stands in between.
"""

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from playwright.sync_api import TimeoutError

from storage import comparisons, tasks
from storage.store import Store
from studio.curation import comments, drafts, editing, views
from studio.people import accounts, sessions
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from studio.training.launching import launch
from studio.training.request import Request
from tests.browser.conftest import Visit, running
from tests.browser.full_studies import add_studies
from tests.browser.poison import poison
from tests.studio.training import project

pytestmark = pytest.mark.browser
LOOKED_AT = {
    "datasets.name", "datasets.description", "revisions.content", "examples.tags", "comments.text", "views.name",
    "drafts.body", "findings.detail", "studies.name", "answers.text", "comparisons.prompt", "jobs.name", "jobs.request",
    "models.name", "votes.annotator", "votes.rationale", "tasks.message", "people.name", "invitations.created_by",
    "batches.detail", "studies.settings", "guidelines.text", "gold.note", "adjudications.reason", "votes.chips",
    "votes.reason", "votes.edited", "answers.history", "answers.model_name",
}  # fmt: skip


class Poisoned(NamedTuple):
    """A studio whose every word is hostile."""

    url: str
    store: Store
    token: str
    cookie: str
    done: dict[str, int]
    studies: dict[str, str]
    """Layout to the id of a study."""


def furnish(studio: Studio) -> tuple[str, dict[str, str]]:
    """One of everything that holds words; the token of a session, and the studies by layout."""
    store, owner = studio.store, Actor("owner", "admin")
    study = project.first_day(store)
    for number in range(4):
        project.vote(store, study, project.prompt(f"asked {number}"), "left")
    contestants = [(model, "starter") for model in study.models]
    for number in range(3):
        new = comparisons.NewComparison(project.prompt(f"open {number}"), contestants, texts=["one", "two"])
        comparisons.add_comparison(store, study, new)
    store.execute("update votes set rationale = 'because', edited = 'better'")
    store.execute("update datasets set description = 'what it holds'")
    person = accounts.add(store, owner, "ada", "admin", "correct horse")
    accounts.invite(store, owner, "annotator")
    comments.add(store, "facts", "1-1", "a comment", "ada")
    drafts.keep(store, "facts", "1-2", "ada", "tab", None, {"content": project.conversation("q", "a"), "tags": ["t"]})
    views.add_view(store, "facts", "ada", "a view", {})
    editing.add(store, "facts", project.conversation("Whom?", "Write to ann@example.org."), ["t"], "ada")
    studio.check("facts")
    project.run_to_the_end(store, launch(store, studio.settings, Request("sft", "starter", dataset="facts")))
    task = tasks.add_task(store, "check", {"dataset": "facts"})
    tasks.end(store, task.id, "failed", error={"sentence": "an error"})
    return sessions.begin(store, person).token, add_studies(store, "ada")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Poisoned]:
    from studio.app import build_app

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    studio = Studio(settings=Settings.from_env({}, home=tmp_path_factory.mktemp("hostile") / "home", port=port))
    token, studies = furnish(studio)
    done = poison(str(studio.home.database))
    with running(build_app(studio), listener) as url:
        yield Poisoned(url, studio.store, token, f"ratchet_session_{port}", done, studies)
    studio.store.close()


def test_the_words_are_poisoned(place: Poisoned) -> None:
    assert LOOKED_AT - place.done.keys() == set()


PAGES = {
    "home": "/",
    "data": "/data",
    "dataset": "/data?dataset={dataset}",
    "row": "/data?dataset={dataset}&row=1-1",
    "draft": "/data?dataset={dataset}&row=1-2",
    "compare": "/compare?study={study}",
    "train": "/train",
    "models": "/models",
    "one model": "/models?model={trained}",
    "job": "/train?job={job}",
    "results": "/results?study={study}",
    "people": "/people",
    "studies": "/studies",
    "one study": "/studies?study={pair}",
    "new study": "/studies?new=1",
    "results of pairs": "/results?study={pair}",
    "results of rankings": "/results?study={rank}",
    "results of ratings": "/results?study={rate}",
    "pairs": "/compare?study={pair}",
    "rankings": "/compare?study={rank}",
    "ratings": "/compare?study={rate}",
    "conversations": "/compare?study={turns}",
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_and_nothing_is_fetched(name: str, place: Poisoned, visit: Callable[..., Visit]) -> None:
    one = enter(place, visit)
    words = {
        **{layout: study_name(place, layout) for layout in place.studies},
        "dataset": quote(str(place.store.value("select name from datasets limit 1")), safe=""),
        "study": quote(str(place.store.value("select name from studies limit 1")), safe=""),
        "job": str(place.store.value("select id from jobs limit 1")),
        "trained": str(place.store.value("select id from models where kind = 'adapter' limit 1")),
    }

    one.page.goto(place.url + PAGES[name].format(**words))
    one.page.wait_for_function("!document.getElementById('boot')")
    one.page.wait_for_function("document.querySelector('.content').innerText.includes('onerror=')")
    one.page.wait_for_timeout(500)  # what an event of a payload would need to run
    for control in one.page.locator("details:not([open]) > summary").all()[:12]:
        if control.is_visible():
            control.click()

    assert_nothing_ran(one.page)


@pytest.mark.parametrize("layout", ["pair", "rank", "rate", "turns"])
def test_nothing_runs_in_the_panels_of_the_judging_page(
    layout: str, place: Poisoned, visit: Callable[..., Visit]
) -> None:
    """Guidelines, my votes, reasons of a skip, words that differ, the second stage."""
    page = enter(place, visit).page
    page.goto(f"{place.url}/compare?study={study_name(place, layout)}")
    page.wait_for_selector("[data-widget=compare][data-state=ready]")
    for key, opened in {
        "g": "#guidelines:visible",
        "v": "dialog[open] .pane, dialog[open] .answer, dialog[open] article, dialog[open] li",
        "s": ".skipping:visible",
        "w": ".seat",
    }.items():
        press_until_open(page, key, opened)
        page.wait_for_timeout(150)
        assert_nothing_ran(page)
        page.keyboard.press("Escape")
        page.wait_for_function("!document.querySelector('dialog[open]')")
        page.wait_for_selector("[data-widget=compare][data-state=ready]")
    if layout in ("pair", "turns"):
        page.keyboard.press("1")
        page.wait_for_selector(".second:visible .reason")
        assert "onerror=" in page.locator(".second:visible").first.inner_text()
        assert_nothing_ran(page)


def press_until_open(page: Any, key: str, opened: str) -> None:
    """A panel by its key; pressed again where the page had just been painted, for then keys rest a moment."""
    for _ in range(5):
        page.keyboard.press(key)
        with contextlib.suppress(TimeoutError):
            page.wait_for_selector(opened, timeout=3000)
            return
        page.wait_for_selector("[data-widget=compare][data-state=ready]")
    pytest.fail(f"{key} opens nothing; the page: {page.evaluate('document.activeElement.outerHTML.slice(0, 200)')}")


def enter(place: Poisoned, visit: Callable[..., Visit]) -> Visit:
    """A browser with a session; what is asked under a poisoned name may not be found."""
    one = visit(place.url)
    one.expected.append("Failed to load resource: the server responded with a status of 4")
    one.page.context.add_cookies([{"name": place.cookie, "value": place.token, "url": place.url}])
    return one


def study_name(place: Poisoned, layout: str) -> str:
    """The poisoned name of a study, for an address."""
    return quote(str(place.store.value("select name from studies where id = ?", [place.studies[layout]])), safe="")


def assert_nothing_ran(page: Any) -> None:
    """No payload ran, and none became an element that could."""
    assert page.evaluate("window.hacked") is None
    made = (
        "[onerror*=hacked], [onload*=hacked], [ontoggle*=hacked], [srcdoc], a[href^='javascript:'], [src*=evil], "
        "[action*=evil], base[href*=evil]"
    )
    assert page.locator(made).count() == 0
