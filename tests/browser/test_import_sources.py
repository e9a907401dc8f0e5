"""Where rows come from besides a file of one's own: the clipboard, an allowed folder, the Hub."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.import_site import overflow, press_import, ready, said
from tests.browser.site import Site
from tests.studio.curation.small_hub import TOKEN, SmallHub

pytestmark = pytest.mark.browser
PAIR = '{"prompt": "What is 1 plus 1?", "completion": "2"}\n'


@pytest.fixture
def page(visit: Callable[..., Any], site: Site) -> Any:
    return _open(visit, site)


def _open(visit: Callable[..., Any], site: Site, **options: Any) -> Any:
    return visit(site.url, **options).open("/data", wait_for="[data-widget=data_import] .drop")


def test_text_is_pasted(page: Any, site: Site) -> None:
    page.click("button:text-is('Paste')")
    page.fill("#import-text", "question\tanswer\nHow many?\tThree.\n")
    page.click("dialog button:text-is('Look at it')")
    ready(page)
    name = page.input_value("#import-dataset")
    press_import(page)

    assert (name, said(site, name)) == ("pasted-text", [["How many?", "Three."]])


def test_a_file_is_chosen_from_an_allowed_folder_and_stays_there(page: Any, site: Site) -> None:
    (site.shelf / "deep").mkdir()
    (site.shelf / "deep" / "from-shelf.jsonl").write_text(PAIR, encoding="utf-8")
    (site.shelf / ".secret.jsonl").write_text(PAIR, encoding="utf-8")
    page.click("button:text-is('From a folder')")
    page.wait_for_selector(".folder-list li")
    shown = page.locator(".folder-list .truncate").all_inner_texts()
    page.click(".folder-list button:has-text('deep')")
    page.check(".folder-list label:has-text('from-shelf.jsonl') input")
    page.click("dialog button:text-is('Choose')")
    ready(page)
    press_import(page)

    assert "deep" in shown and ".secret.jsonl" not in shown
    assert said(site, "from-shelf") == [["What is 1 plus 1?", "2"]]
    assert (site.shelf / "deep" / "from-shelf.jsonl").read_text(encoding="utf-8") == PAIR


def test_a_hub_that_cannot_be_reached_is_one_sentence(page: Any) -> None:
    page.click("button:text-is('From the Hub')")
    page.keyboard.type("nobody/nothing")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('dialog .field-error').textContent")

    assert page.inner_text("dialog .field-error").startswith('The Hub could not be reached for "nobody/nothing": ')


def test_rows_are_fetched_from_the_hub_and_looked_at_like_a_file(
    page: Any, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sums").mkdir()
    (tmp_path / "sums" / "train.jsonl").write_text(PAIR, encoding="utf-8")
    hub = SmallHub(tmp_path / "sums", "owner/sums")
    for name, value in {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)  # the tasks are children of this process
    page.click("button:text-is('From the Hub')")
    page.fill("#hub-id", "https://huggingface.co/datasets/owner/sums")
    page.click("dialog button:text-is('Look')")
    page.wait_for_selector("#hub-split")
    columns = page.locator(".hub-columns .check").all_inner_texts()
    page.click("dialog button:text-is('Fetch the rows')")
    ready(page)
    name = page.input_value("#import-dataset")
    press_import(page)
    hub.close()

    assert [" ".join(column.split()) for column in columns] == ["prompt What is 1 plus 1?", "completion 2"]
    assert (name, said(site, name)) == ("owner-sums-train", [["What is 1 plus 1?", "2"]])


@pytest.mark.parametrize("width", [1280, 390])
def test_the_dialogs_of_the_sources_fit_and_can_be_used_by_everybody(
    visit: Callable[..., Any], site: Site, width: int
) -> None:
    (site.shelf / "a folder").mkdir(exist_ok=True)
    (site.shelf / "a file with a rather long name that goes on and on and on.jsonl").write_text(PAIR, encoding="utf-8")
    visited = visit(site.url, width=width)
    page = visited.open("/data", wait_for="[data-widget=data_import] .drop")
    grave, wide = [], []
    for name in ("Paste", "From a folder", "From the Hub"):
        page.click(f".drop button:text-is('{name}')")
        page.wait_for_selector("dialog")
        grave += grave_violations(page)
        wide.append(overflow(page))
        visited.shot(f"import-{name.lower().replace(' ', '-')}-{width}")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")

    assert (grave, wide) == ([], [0, 0, 0])
    assert page.evaluate("document.activeElement.textContent") == "From the Hub"
