"""Models come in and go out by dialogs: an adapter is sent, a base gets a chat template, an export names its forms."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.home import Home
from storage.models import get_model
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.browser.axe import grave_violations
from tests.browser.still import Still, still_studio
from tests.studio.training.project import first_day, run_to_the_end, write_adapter, write_base
from tests.studio.training.test_uploaded import zipped

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Still]:
    """A studio on its first day."""
    with still_studio(Home(tmp_path / "home")) as still:
        first_day(still.store, rows=40)
        yield still


def _dialog(studio: Still, visit: Visit, *expected: str) -> Any:
    one = visit(studio.url)
    one.expected.extend(expected)
    page = one.open("/train?method=sft")
    page.wait_for_selector("#train-start[aria-disabled=false]")
    page.click("#add-model")
    page.wait_for_selector("#model-files")
    return page


def test_an_adapter_is_sent_as_a_zip_file(studio: Still, visit: Visit, tmp_path: Path) -> None:
    zipped(write_adapter(tmp_path / "tuned", "starter"), tmp_path / "tuned.zip")
    page = _dialog(studio, visit)

    page.set_input_files("#model-files", str(tmp_path / "tuned.zip"))
    page.fill("#model-name", "mine")
    assert grave_violations(page) == []
    page.click("text=Add the model")

    page.wait_for_selector("text=mine is added.")
    assert get_model(studio.store, "mine").base_id == get_model(studio.store, "starter").id


def test_an_adapter_that_calls_its_base_otherwise_asks_for_it(studio: Still, visit: Visit, tmp_path: Path) -> None:
    zipped(write_adapter(tmp_path / "tuned", "other"), tmp_path / "tuned.zip")
    page = _dialog(studio, visit, "404")
    assert page.is_hidden("#model-base")

    page.set_input_files("#model-files", str(tmp_path / "tuned.zip"))
    page.fill("#model-name", "mine")
    page.click("text=Add the model")
    page.wait_for_selector('text=The adapter belongs to the base "other"')
    page.fill("#model-base", "starter")
    page.click("text=Add the model")

    page.wait_for_selector("text=mine is added.")


def test_a_base_without_a_chat_template_is_offered_one(studio: Still, visit: Visit, tmp_path: Path) -> None:
    folder = write_base(tmp_path / "wordless")
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<end>"}))
    page = _dialog(studio, visit, "422")

    page.fill("#model-ref", str(folder))
    page.click("text=Add the model")
    page.wait_for_selector("text=has no chat template")
    page.select_option("#model-template", "plain")
    page.click("text=Add the model")

    page.wait_for_selector("text=wordless is added.")
    assert get_model(studio.store, "wordless").kind == "base"


def test_an_export_names_its_forms_and_refuses_a_licence_that_is_none(studio: Still, visit: Visit) -> None:
    settings = Settings.from_env({}, home=studio.store.home.path)
    job = launch(studio.store, settings, Request("sft", "starter", dataset="facts"))
    run_to_the_end(studio.store, job)
    one = visit(studio.url)
    one.expected.append("422")
    page = one.open(f"/train?job={job.id}")
    page.click("#run-export")

    page.wait_for_selector("#export-as option[value=gguf]", state="attached")
    page.select_option("#export-as", "ollama")
    page.fill("#export-licence", "Do What")
    assert grave_violations(page) == []
    page.click("#export-begin")

    page.wait_for_selector('text="Do What" is no licence as the Hub names them')
