"""The page /data as a person uses it: search, edit, undo, go away and come back."""

from collections.abc import Callable
from typing import Any

import pytest

from storage.store import Store
from studio.curation.listing import show
from tests.browser.site import Site

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>{{7*7}}${window.hit=1}'


def _sums(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"What is {n} plus 1?", "completion": str(n + 1), "tags": ["sums"]} for n in range(count)]


def _open(visit: Callable[..., Any], site: Site, address: str, rows: bool = True, **options: Any) -> Any:
    page = visit(site.url, **options).open(f"/data{address}", wait_for="[data-widget=table] .rows-card")
    if rows:
        page.wait_for_selector(".rows-table tbody tr")
    return page


def _said(store: Store, dataset: str) -> list[list[str]]:
    return [[item["content"] for item in row.content["messages"]] for row in show(store, dataset, limit=100).rows]


def _wait_saved(page: Any) -> None:
    page.wait_for_selector(".editor .chip:text-is('Saved')")


def test_a_search_marks_its_words_and_stays_after_a_refresh(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill([*_sums(40), {"prompt": "Café or tea?", "completion": "Tea."}])
    page = _open(visit, site, f"?dataset={name}&page=2")
    second = page.locator(".rows-table tbody tr").count()

    page.keyboard.press("/")
    page.type("#row-search", "cafe")
    page.wait_for_function("document.querySelectorAll('.rows-table tbody tr').length === 1")
    page.reload()
    page.wait_for_selector(".rows-table mark")

    assert second == 16
    assert page.locator(".rows-table mark").all_inner_texts() == ["Café"]
    assert page.input_value("#row-search") == "cafe"
    assert page.inner_text(".rows-title p") == "1 row of 41 with “cafe”"


def test_a_conversation_is_edited_saved_undone_and_redone(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill(_sums(3))
    page = _open(visit, site, f"?dataset={name}")

    page.click(".rows-table tbody tr:nth-child(2)")
    page.locator(".turn textarea").nth(1).fill("Two, of course.")
    page.keyboard.press("Control+s")
    _wait_saved(page)
    saved = _said(site.store, name)[1][1]
    page.wait_for_selector("#step-undo:has-text('Undo: edited example 2')")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#step-redo:has-text('Redo: edited example 2')")
    undone = _said(site.store, name)[1][1]
    page.click("#step-redo")
    page.wait_for_selector("#step-redo", state="hidden")

    assert (saved, undone, _said(site.store, name)[1][1]) == ("Two, of course.", "2", "Two, of course.")


def test_an_example_is_written_tagged_copied_and_deleted(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill(_sums(26))
    page = _open(visit, site, f"?dataset={name}")

    page.keyboard.press("n")
    page.keyboard.type("Who are you?")
    page.locator(".turn textarea").nth(1).fill("A demo.")
    page.fill("#row-tags", "identity, short")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".editor h2:text-is('Example 27')")
    on_page = page.locator(".rows-table tr[aria-current=true]").inner_text()
    page.click(".editor button:has-text('Duplicate')")
    page.wait_for_selector(".editor h2:text-is('Example 28')")
    page.click("text=Delete example")
    page.wait_for_selector(".toast:has-text('Example 28 is deleted.')")

    assert "Who are you?" in on_page
    assert _said(site.store, name)[26:] == [["Who are you?", "A demo."]]
    assert show(site.store, name, limit=30).rows[26].tags == ["identity", "short"]
    page.click(".toast .button-text:text-is('Undo')")
    page.wait_for_selector(".rows-table td:text-is('28')")
    assert len(_said(site.store, name)) == 28


def test_what_a_stranger_wrote_is_shown_as_text(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill([{"prompt": EVIL, "completion": EVIL, "tags": [EVIL], "source": EVIL}])
    page = _open(visit, site, f"?dataset={name}&search=img")
    page.click(".rows-table tbody tr")
    page.click("summary:text('Metadata')")
    page.click("text=History")
    page.wait_for_selector(".history")

    assert EVIL in page.inner_text(".rows-table .line-user")
    assert page.locator(".turn textarea").nth(0).input_value() == EVIL
    assert page.inner_text(".tags-field .chip").removesuffix("×").strip() == EVIL
    assert EVIL in page.inner_text("dialog .revision")
    assert page.evaluate("[window.hit === undefined, document.querySelectorAll('img').length]") == [True, 0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_list_and_editor_fit_the_screen(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str], width: int, scheme: str
) -> None:
    name = fill([*_sums(12), {"messages": [{"role": "user", "content": "longword" * 60},
                                           {"role": "assistant", "content": "Pneumono" * 60}]}])  # fmt: skip
    visited = visit(site.url, width=width, height=844, scheme=scheme)
    page = visited.open(f"/data?dataset={name}")
    page.wait_for_selector(".rows-table tbody tr")
    visited.shot(f"data-list-{width}-{scheme}")
    page.click(".rows-table tbody tr:last-child")
    page.wait_for_selector(".turn textarea")
    visited.shot(f"data-editor-{width}-{scheme}")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".data-main").is_visible() is (width == 1280)
    page.click(".editor button:has-text('Close')")
    page.wait_for_selector(".data-main", state="visible")


def test_an_export_is_downloaded_with_what_was_left_out(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill([*_sums(2), {"messages": [{"role": role, "content": "x"} for role in ("user", "assistant") * 2]}])
    page = _open(visit, site, f"?dataset={name}")
    page.click("button:text-is('Export')")
    page.select_option("#export-format", "prompt-completion")
    command = page.inner_text("dialog .command code")

    with page.expect_download() as download:
        page.click("dialog .button-primary")

    assert command == f"ratchet export {name} --format prompt-completion --out {name}.jsonl"
    assert len(download.value.path().read_text(encoding="utf-8").splitlines()) == 2
    page.wait_for_selector(".toast:has-text('2 rows exported. 1 left out: more than one turn.')")


def test_what_is_missing_or_empty_says_what_to_do(visit: Callable[..., Any], site: Site) -> None:
    visited = visit(site.url)
    visited.expected.append("404")
    page = visited.open("/data?dataset=never-made", wait_for="[data-widget=table] .rows-card")
    page.wait_for_selector(".rows-card .empty h2")
    missing = page.inner_text(".rows-card .empty")

    page.click("text=New")
    page.fill("#new-dataset-name", "by-hand")
    page.click("dialog .button-primary")
    page.wait_for_selector(".editor .turn textarea")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_selector(".rows-card .empty:has-text('This dataset is empty')")

    assert "There is no dataset" in missing
