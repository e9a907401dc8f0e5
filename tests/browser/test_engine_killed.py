"""The engine is killed while two answers are being written: the page says so, and shows both whole in the end."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.comparisons import create_study
from storage.home import read_json
from storage.models import add_model
from studio.clients.processes import stop_engine
from studio.studio import Studio
from tests.browser.axe import grave_violations
from tests.browser.site import Site, served_site
from tests.trainers.engine import tiny

pytestmark = [pytest.mark.browser, pytest.mark.torch]
WORDS = "The engine had ended by itself; it is being started again, and the answers begin anew"
SAMPLING = {"sampling": {"temperature": 0, "max_tokens": 900}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A studio whose answerer works, with two adapters on a tiny base."""
    base_folder = tiny.save_base(tmp_path / "base")
    adapters = {name: tiny.save_adapter(tmp_path / name, base_folder, seed) for seed, name in enumerate("ab", 1)}
    answering: list[Studio] = []

    def furnish(studio: Studio) -> None:
        base = add_model(studio.store, "tiny", "base", path=str(base_folder))
        models = [
            add_model(studio.store, name, "adapter", base_id=base.id, parent_id=base.id, path=str(folder))
            for name, folder in adapters.items()
        ]
        create_study(studio.store, "first-look", models, None, SAMPLING, seed=3)
        studio.engine.connect()
        studio.answerer.start()
        answering.append(studio)

    with served_site(tmp_path, furnish) as served:
        yield served
        answering[0].answerer.stop()
        stop_engine(served.store.home)


def test_the_page_says_that_the_engine_has_ended_and_goes_on_by_itself(place: Site, visit: Callable[..., Any]) -> None:
    page = visit(place.url).open("/compare?study=first-look")
    page.locator("#ask-text").fill("What is it about?")
    page.locator("#ask-text").press("Enter")
    page.wait_for_function("document.querySelector('.pane .answer, .pane-body')?.textContent.length > 20")

    os.kill((read_json(place.store.home.engine_file) or {})["pid"], signal.SIGKILL)

    page.get_by_text(
        "The engine had ended by itself; it is being started again, and the answers begin anew"
    ).first.wait_for()
    assert grave_violations(page) == []
    page.wait_for_selector("[data-widget=compare][data-state=ready]", timeout=120_000)
    rows = place.store.rows("select tokens, stamp is not null as stamped, text from answers order by position")
    assert [(row["tokens"], row["stamped"]) for row in rows] == [(900, 1), (900, 1)]
    assert rows[0]["text"] != rows[1]["text"]
    assert place.store.value("select group_concat(distinct state) from comparisons") == "ready"
