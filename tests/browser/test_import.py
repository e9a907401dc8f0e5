"""Rows in: dropped, chosen, pasted, from a folder; looked at, explained, imported, mended, taken back."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from storage.mappings import remember
from studio import task as running
from studio.curation import uploads
from studio.curation.importing import import_files
from studio.curation.listing import list_all
from tests.browser.axe import grave_violations
from tests.browser.import_site import drop, given, overflow, press_import, ready, said
from tests.browser.site import Site

pytestmark = pytest.mark.browser
PAIR = '{"prompt": "What is 1 plus 1?", "completion": "2"}\n'


@pytest.fixture
def page(visit: Callable[..., Any], site: Site) -> Any:
    return _open(visit, site)


def _open(visit: Callable[..., Any], site: Site, **options: Any) -> Any:
    return visit(site.url, **options).open("/data", wait_for="[data-widget=data_import] .drop")


def _sums(first: int, count: int) -> str:
    rows = ({"prompt": f"{n}+1?", "completion": str(n + 1)} for n in range(first, first + count))
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_two_files_dropped_anywhere_are_looked_at_and_imported_together(page: Any, site: Site) -> None:
    drop(page, ("one.jsonl", _sums(0, 3)), ("two.csv", "question,answer\nWhy?,Because.\n"))
    ready(page, 2)
    suggested = page.input_value("#import-dataset")
    says = page.locator(".import-says").all_inner_texts()
    page.fill("#import-dataset", "dropped")
    press_import(page)

    assert suggested == "one"
    assert page.locator(".report-file").all_inner_texts() == ["one.jsonl", "two.csv"]
    assert says == [
        "JSONL in UTF-8 · a prompt and a completion in each row · 3 rows",
        "CSV in UTF-8 · a question and an answer in each row · 1 row",
    ]
    assert page.locator("#import-result h3").all_inner_texts() == [
        "3 rows imported into dropped", "1 row imported into dropped",
    ]  # fmt: skip
    assert said(site, "dropped") == [["0+1?", "1"], ["1+1?", "2"], ["2+1?", "3"], ["Why?", "Because."]]


def test_what_came_of_many_files_is_seen_where_the_button_was(page: Any) -> None:
    drop(page, *((f"part {n}.jsonl", _sums(10 * n, 3)) for n in range(8)))
    ready(page, 8)

    press_import(page)

    page.wait_for_function("document.querySelectorAll('#import-result .report').length === 8")
    assert 50 < page.locator("#import-result h3").first.bounding_box()["y"] < page.viewport_size["height"]


def test_rows_are_seen_before_and_after(page: Any) -> None:
    page.set_input_files("#import-files", given("seen.jsonl", PAIR + '{"prompt": "x", "completion": ""}\n'))
    ready(page)

    rows = page.locator(".preview tbody tr")
    assert rows.nth(0).locator("td").all_inner_texts() == [
        "1", "prompt\nWhat is 1 plus 1?\ncompletion\n2", "user\nWhat is 1 plus 1?\nassistant\n2",
    ]  # fmt: skip
    assert rows.nth(1).get_attribute("class") == "is-problem"
    assert rows.nth(1).locator("td").nth(2).inner_text() == "Cannot be imported. completion The field is empty."


def test_files_of_two_kinds_go_into_two_datasets(page: Any, site: Site) -> None:
    page.set_input_files("#import-files", [given("mine.jsonl", PAIR), given("words.txt", "One line.\nAnother.\n")])
    ready(page, 2)
    labels = page.locator(".import-places label").all_inner_texts()
    press_import(page)

    assert labels == ["Into the dataset (1 file with conversations)", "Into the dataset (1 file with texts)"]
    counts = {item.dataset.name: (item.dataset.kind, item.rows) for item in list_all(site.store).datasets}
    assert (counts["mine"], counts["words"]) == (("sft", 1), ("text", 2))


def test_a_dataset_of_another_kind_is_refused_before_the_import(page: Any, site: Site) -> None:
    path = site.shelf / "plain.txt"
    path.write_text("A text.\n", encoding="utf-8")
    import_files(site.store, [path], "plain")
    page.reload()
    page.wait_for_selector(".dataset-name:text-is('plain')")
    page.set_input_files("#import-files", given("mine.jsonl", PAIR))
    ready(page)

    page.fill("#import-dataset", "plain")

    assert page.inner_text("#import-dataset-hint") == "plain holds texts; choose another name."
    assert page.locator(".import-body form button.button-primary").is_disabled()


def test_columns_that_nobody_knows_are_explained_with_a_preview(page: Any, site: Site) -> None:
    page.set_input_files("#import-files", given("fragen.csv", "frage;antwort\nWas ist 1+1?;2\nUnd 2+2?;\n"))
    page.wait_for_selector(".chip:text-is('columns unknown')")
    shut = page.locator(".import-body form button.button-primary").is_disabled()
    page.click("text=Say what the columns hold")
    page.select_option("select[aria-label='What frage holds']", "prompt")
    page.select_option("select[aria-label='What antwort holds']", "answer")
    page.wait_for_selector("dialog .pieces dt:text-is('assistant')")
    marked = page.locator("dialog .is-problem td").nth(2).inner_text()
    page.click("text=Use these columns")
    ready(page)
    command = page.inner_text(".import-body .command code")
    press_import(page)

    assert shut
    assert marked == "Cannot be imported. antwort The field is empty."
    assert command == "ratchet import fragen.csv --dataset fragen --map 'frage=prompt' --map 'antwort=answer'"
    assert said(site, "fragen") == [["Was ist 1+1?", "2"]]


def test_columns_explained_once_are_offered_the_next_time(page: Any, site: Site) -> None:
    mapping = {"pregunta": "prompt", "respuesta": "answer"}
    remember(site.store, list(mapping), mapping, "spanish")
    page.set_input_files("#import-files", given("second.csv", "respuesta;pregunta\n4;2+2?\n"))
    page.click("button:text-is('As last time')")
    ready(page)

    becomes = page.locator(".preview tbody td").nth(2).inner_text()
    assert becomes == "user\n2+2?\nassistant\n4"


def test_escape_leaves_the_columns_as_they_were(page: Any) -> None:
    page.set_input_files("#import-files", given("fragen.csv", "frage;antwort\nWas ist 1+1?;2\n"))
    page.click("text=Say what the columns hold")
    page.select_option("select[aria-label='What frage holds']", "text")
    page.keyboard.press("Escape")

    page.wait_for_selector("dialog", state="detached")
    assert page.inner_text(".import-file .chip") == "columns unknown"
    assert page.evaluate("document.activeElement.textContent") == "Say what the columns hold"


def test_a_wrong_encoding_is_seen_and_mended(page: Any, site: Site) -> None:
    page.set_input_files("#import-files", given("fragen.csv", "prompt,completion\nКак дела?,Хорошо\n".encode("cp1251")))
    ready(page)
    page.select_option("#import-encoding-0", "cp1252")
    page.wait_for_selector(".pieces dd:text-is('Êàê äåëà?')")
    page.focus("#import-encoding-0")
    page.select_option("#import-encoding-0", "cp1251")
    page.wait_for_selector(".pieces dd:text-is('Как дела?')")
    held = page.evaluate("document.activeElement.id")
    page.fill("#import-dataset", "russian")
    press_import(page)

    assert held == "import-encoding-0"
    assert said(site, "russian") == [["Как дела?", "Хорошо"]]


def test_bad_rows_are_downloaded_mended_and_brought_back(page: Any, site: Site) -> None:
    page.set_input_files("#import-files", given("half.jsonl", PAIR + '{"prompt": "2+2?", "completion": ""}\n' + PAIR))
    ready(page)
    press_import(page)
    counts = page.locator("#import-result dd").all_inner_texts()[:4]
    bar = page.get_attribute(".import-bar", "aria-label")
    errors = page.locator(".import-errors tbody tr").all_inner_texts()
    with page.expect_download() as download:
        page.click("text=Download the 1 bad row")
    row = json.loads(download.value.path().read_text(encoding="utf-8"))
    half = [json.dumps(row | {"completion": "4"}), json.dumps(row | {"prompt": "3+3?"})]
    with page.expect_file_chooser() as chooser:
        page.click("text=Bring the mended file back")
    chooser.value.set_files(given(download.value.suggested_filename, "\n".join(half)))
    page.wait_for_selector(".import-errors td:text-is('2')")
    again = str(page.get_attribute("#import-result a[download]", "download"))
    # A browser numbers what it downloads twice, and the file may be dropped anywhere.
    drop(page, (again.replace(".jsonl", " (1).jsonl"), json.dumps(row | {"prompt": "3+3?", "completion": "6"})))
    page.wait_for_function("document.querySelector('#import-result') && !document.querySelector('.import-errors')")

    assert (counts, bar) == (["3", "1", "1", "1"], "Of 3 rows: 1 imported, 1 there already, 1 rejected")
    assert errors == ["2\tcompletion\tThe field is empty."]
    assert said(site, "half") == [["What is 1 plus 1?", "2"], ["2+2?", "4"], ["3+3?", "6"]]


def test_an_import_is_taken_back_by_its_button(page: Any, site: Site) -> None:
    page.set_input_files("#import-files", given("regret.jsonl", _sums(0, 4)))
    ready(page)
    press_import(page)

    page.click("text=Look at the rows")
    page.wait_for_function("document.activeElement.matches('[data-widget=table] h2')")
    assert "source=" in page.url
    page.click("text=Undo this import")
    page.wait_for_selector("text=undone: its rows are out again")

    assert said(site, "regret") == []


def test_files_that_wait_are_there_again_after_a_refresh(page: Any) -> None:
    page.set_input_files(
        "#import-files", given("waiting.csv", "prompt,completion\nКак дела?,Хорошо\n".encode("cp1251"))
    )
    ready(page)
    page.select_option("#import-encoding-0", "cp1251")
    page.wait_for_selector(".pieces dd:text-is('Как дела?')")

    page.reload()
    ready(page)

    assert page.inner_text(".import-file .name") == "waiting.csv"
    assert page.input_value("#import-encoding-0") == "cp1251"


def test_an_import_is_watched_through_a_refresh_and_cancelled(page: Any, site: Site) -> None:
    big = "".join(f'{{"prompt": "{n}+1?", "completion": "{n + 1} {"and so on " * 20}"}}\n' for n in range(60_000))
    (site.shelf / "big.jsonl").write_text(big, encoding="utf-8")
    page.click("button:text-is('From a folder')")
    page.check(".folder-list label:has-text('big.jsonl') input")
    page.click("dialog button:text-is('Choose')")
    ready(page)
    page.click(".import-body form button.button-primary")
    page.wait_for_selector("#import-progress")

    page.reload()
    page.wait_for_selector("#import-progress")
    bar = page.get_attribute("#import-progress [role=progressbar]", "aria-label")
    page.click("#import-progress button:text-is('Cancel')")
    page.wait_for_selector(".import-body [role=alert]")

    assert bar == "Import"
    assert page.inner_text(".import-body [role=alert]") == "The import was stopped; nothing was imported."
    assert "big" not in {item.dataset.name for item in list_all(site.store).datasets}
    assert (site.shelf / "big.jsonl").is_file()


def test_a_file_is_left_out_and_one_that_is_no_data_says_so(page: Any) -> None:
    files = [given("a.jsonl", PAIR), given("picture.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(50)), given("nothing.txt", "")]
    page.set_input_files("#import-files", files)
    ready(page)
    page.wait_for_selector(".chip:text-is('cannot be read')")
    said = [page.inner_text(".import-file .field-error"), page.inner_text(".import-file .notice")]
    button = page.inner_text(".import-body form button.button-primary")
    page.click("[aria-label='Leave out picture.jsonl']")
    page.click("[aria-label='Leave out nothing.txt']")

    assert said[0] == "The file is empty."
    assert "is a picture, which cannot be imported" in said[1]
    assert (button, page.inner_text(".import-body form button.button-primary")) == ("Import 1 of 3 files", "Import")


def test_everything_is_done_by_keyboard(page: Any, site: Site) -> None:
    page.focus(".drop button:text-is('Paste')")
    page.keyboard.press("Enter")
    page.keyboard.insert_text("vraag;antwoord\nWat is 1+1?;2\n")
    page.keyboard.press("Tab")  # Cancel
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.textContent === 'Say what the columns hold'")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'column-0'")
    page.keyboard.type("the prompt")
    page.keyboard.press("Tab")
    page.keyboard.type("the answer")
    page.wait_for_selector("dialog .button-primary:not(:disabled)")
    while not page.evaluate("document.activeElement.matches('dialog .button-primary')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    ready(page)
    while page.evaluate("document.activeElement.id") != "import-dataset":
        page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("by-keyboard")
    page.keyboard.press("Enter")
    page.wait_for_selector("#import-result")

    assert page.evaluate("document.activeElement.tagName") == "H3"
    assert said(site, "by-keyboard") == [["Wat is 1+1?", "2"]]


def test_an_import_that_finds_no_shape_after_all_asks_about_the_columns(page: Any, site: Site) -> None:
    with uploads.Incoming(site.store.home, "fragen.csv") as incoming:
        incoming.write(b"quoi;reponse\n1+1?;2\n")
    files = [{"upload": incoming.id, "dataset": "french"}]
    task = running.start(site.store, "import", {"files": files, "uploads": [incoming.id], "dataset": "french"})
    page.goto(f"{site.url}/data?import={task.id}")
    page.click("#import-result button:text-is('Say what the columns hold')")

    page.wait_for_selector(".import-file .chip:text-is('columns unknown')")
    assert page.inner_text(".import-file .name") == "fragen.csv"


def test_a_file_on_its_way_shows_how_far_it_is_and_is_called_off(page: Any, site: Site) -> None:
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    slow.send("Network.emulateNetworkConditions", limits)
    before = set(site.store.home.uploads.iterdir())
    page.set_input_files("#import-files", given("slow.jsonl", PAIR * 80_000))
    page.wait_for_function("Number(document.querySelector('[aria-label=\"Sending slow.jsonl\"]').ariaValueNow) > 0")
    shut = page.locator(".import-body form button.button-primary").is_disabled()
    page.click("[aria-label='Leave out slow.jsonl']")

    page.wait_for_selector(".import-file", state="detached")
    until = time.monotonic() + 20
    while set(site.store.home.uploads.iterdir()) - before:
        assert time.monotonic() < until, "what was called off stayed in uploads/"
        time.sleep(0.05)
    assert shut
    assert page.evaluate("document.activeElement.textContent") == "Choose files"


def test_hostile_names_and_rows_stay_text(page: Any) -> None:
    evil = "<img src=x onerror=window.hit=1>"
    page.set_input_files("#import-files", given(f"{evil}.csv", f"{evil},b\n{evil},2\n"))
    page.click("text=Say what the columns hold")
    page.select_option("select[data-column='b']", "text")
    page.wait_for_selector("dialog .pieces dt:text-is('text')")

    assert page.evaluate("[window.hit, document.querySelectorAll('.import-card img, dialog img').length]") == [None, 0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_any_width_and_everybody_can_use_it(
    visit: Callable[..., Any], site: Site, width: int, scheme: str
) -> None:
    visited = visit(site.url, width=width, scheme=scheme)
    page = visited.open("/data", wait_for="[data-widget=data_import] .drop")
    long = json.dumps({"prompt": "word " * 60, "completion": "x" * 300, "a_column_with_a_very_long_name_indeed": 1})
    files = [given("a file with a rather long name that goes on and on.jsonl", f'{long}\n{{"prompt": ""}}\n{PAIR}'),
             given("fragen.csv", "frage;antwort\nWas ist 1+1?;2\n")]  # fmt: skip
    page.set_input_files("#import-files", files)
    page.wait_for_selector(".chip:text-is('columns unknown')")
    ready(page)
    wide, grave = [overflow(page)], grave_violations(page)
    visited.shot(f"import-files-{width}-{scheme}")
    page.click("text=Say what the columns hold")
    page.select_option("select[aria-label='What frage holds']", "prompt")
    page.wait_for_selector("dialog .pieces dt:text-is('user')")
    wide.append(overflow(page))
    grave += grave_violations(page)
    visited.shot(f"import-columns-{width}-{scheme}")
    page.keyboard.press("Escape")
    page.fill("#import-dataset", f"wide-{width}-{scheme}")
    press_import(page)
    wide.append(overflow(page))
    grave += grave_violations(page)
    visited.shot(f"import-report-{width}-{scheme}")

    assert (wide, grave) == ([0, 0, 0], [])
