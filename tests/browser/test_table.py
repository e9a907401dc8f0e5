"""The table of a dataset as a person uses it: filters, views, selection, bulk changes, trash, keyboard, a phone."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.store import Store
from studio.curation.importing import import_files
from studio.curation.listing import show
from tests.browser.axe import grave_violations
from tests.browser.site import Site

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hit=1">{count}'


@pytest.fixture(scope="module")
def real(site: Site, real_data: Path) -> str:
    """GSM8K's 7,473 training rows; the dataset's name."""
    import_files(site.store, [real_data / "sft" / "gsm8k_train.jsonl"], "gsm8k")
    return "gsm8k"


def _sums(count: int) -> list[dict[str, Any]]:
    return [
        {"prompt": f"What is {n} plus 1?", "completion": str(n + 1), "tags": ["even" if n % 2 == 0 else "odd"]}
        for n in range(count)
    ]


def _open(visit: Callable[..., Any], site: Site, address: str, **options: Any) -> Any:
    page = visit(site.url, **options).open(f"/data{address}", wait_for="[data-widget=table] .rows-card")
    page.wait_for_selector(".rows-table tbody tr")
    return page


def _facts(page: Any, text: str) -> None:
    """Wait until the line under the title says this."""
    page.wait_for_function("(text) => document.querySelector('.rows-title p').textContent === text", arg=text)


def _toast(page: Any, text: str) -> None:
    page.wait_for_selector(f".toast:has-text('{text}')")


def _statuses(store: Store, name: str) -> list[str]:
    return [row.status for row in show(store, name, limit=100).rows]


def test_filters_chain_and_stand_in_the_address(visit: Callable[..., Any], site: Site, real: str) -> None:
    page = _open(visit, site, f"?dataset={real}")
    page.keyboard.press("f")
    page.select_option("#filter-split", "measure")
    page.fill("#filter-chars", "600")
    page.wait_for_selector(".filter-chip:has-text('600 characters or more')")
    page.fill("#row-search", "apples")
    page.wait_for_function("document.querySelectorAll('.rows-table mark').length > 0")
    page.select_option("select.sort", "-chars")
    page.wait_for_function("location.search.includes('sort=-chars')")
    page.wait_for_selector(".rows-card:not([aria-busy])")
    address, rows, said = page.url, page.locator(".rows-table tbody").inner_text(), page.inner_text(".rows-title p")
    lengths = [int(text.replace(",", "")) for text in page.locator("td.length-column").all_inner_texts()]

    page.reload()
    page.wait_for_selector(".rows-table mark")
    again = page.locator(".rows-table tbody").inner_text()
    page.click(".filter-chip:has-text('characters') button")
    page.wait_for_selector(".filter-chip:has-text('characters')", state="detached")

    assert address.split("?")[1] == f"dataset={real}&search=apples&split=measure&chars=600-&sort=-chars"
    assert re.fullmatch(r"\d+ rows of 7,473 match", said)
    assert again == rows
    assert lengths == sorted(lengths, reverse=True) and min(lengths) >= 600
    assert set(page.locator("td.split-column").all_inner_texts()) == {"measure"}
    page.click("text=Clear all")
    _facts(page, "7,473 rows, conversations")


def test_pages_are_walked_jumped_to_and_resized(visit: Callable[..., Any], site: Site, real: str) -> None:
    page = _open(visit, site, f"?dataset={real}")
    page.fill(".page-number", "299")
    page.keyboard.press("Enter")
    page.wait_for_selector("td.num:text-is('7,473')")
    last = page.locator(".rows-table tbody tr").count()
    following = page.is_disabled(".pager button:text-is('Next')")
    page.select_option(".page-size", "100")
    page.wait_for_function("document.querySelectorAll('.rows-table tbody tr').length === 100")
    page.click(".pager button:text-is('Next')")
    page.wait_for_selector("td.num:text-is('200')")

    assert (last, following) == (23, True)
    assert page.url.endswith(f"?dataset={real}&size=100&page=2")
    assert page.inner_text(".pager .where").strip() == "of 75"


def test_what_is_looked_for_is_seen(visit: Callable[..., Any], site: Site, real: str) -> None:
    page = _open(visit, site, f"?dataset={real}", width=1440, height=900)
    page.keyboard.press("/")
    page.keyboard.type("bakery")
    page.wait_for_selector(".rows-table mark")
    wait_shown(page, ".rows-table tbody tr")

    page.goto(f"{site.url}/data?dataset={real}")
    page.wait_for_selector(".rows-table tbody tr")
    page.click(".pager button:text-is('Next')")
    page.wait_for_selector(".rows-table tbody td:text-is('26')")
    page.wait_for_function("document.querySelector('.rows-table tbody').getBoundingClientRect().top > 0")
    wait_shown(page, ".rows-table thead")

    page.click(".rows-table tbody tr:first-child td:nth-child(3)")
    page.wait_for_selector(".editor h2:text-is('Example 26')")
    assert not page.is_visible(".glance")


def wait_shown(page: Any, selector: str) -> None:
    """Wait until the first of these lies below the bar and within the window."""
    top = "document.querySelector(one).getBoundingClientRect().top"
    page.wait_for_function(f"(one) => 50 < {top} && {top} < innerHeight - 40", arg=selector)


def test_a_view_is_saved_opened_by_its_link_changed_and_deleted(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill(_sums(12))
    page = _open(visit, site, f"?dataset={name}&tag=odd&sort=-number")
    page.click("text=Save view")
    page.fill("#view-name", EVIL)
    page.keyboard.press("Enter")
    page.wait_for_selector(".view[aria-current=page]:has-text('onerror')")
    link = page.url

    page.click(".view:text-is('All rows')")
    _facts(page, "12 rows, conversations")
    other = _open(visit, site, f"?{link.split('?')[1]}")
    _facts(other, "6 rows of 12 match")
    current, first = other.inner_text(".view[aria-current=page]"), other.inner_text("tbody tr:first-child td.num")
    other.click("button:text-is('Delete view')")
    other.wait_for_selector(".toast:has-text('is deleted')")
    gone = other.locator(".view").all_inner_texts()
    other.click(".toast .button-text:text-is('Undo')")
    other.wait_for_selector(".view:has-text('onerror')")

    assert (current, first, gone) == (EVIL, "12", ["All rows", "Trash"])
    assert page.evaluate("window.hit === undefined") and other.evaluate("window.hit === undefined")


def test_all_that_match_are_approved_after_the_exact_number_and_undone(
    visit: Callable[..., Any], site: Site, real: str
) -> None:
    page = _open(visit, site, f"?dataset={real}&chars=900-")
    exact = show(site.store, real, filters={"chars": "900-"}, limit=0).total

    page.click("thead .select-column input")
    page.click(f"text=Select all {exact} that match")
    page.wait_for_selector(f".bulk-count:text-is('All {exact} rows that match')")
    page.click("[data-action=approve]")
    asked = page.inner_text("dialog h2")
    page.click("dialog .button-primary")
    _toast(page, f"{exact} rows approved.")
    approved = show(site.store, real, filters={"status": "approved"}, limit=0).total
    page.wait_for_selector(".status-column .chip-good")
    grave = grave_violations(page)
    page.click(".toast .button-text:text-is('Undo')")
    _toast(page, f"Undone: approved {exact} examples.")

    assert exact > 100 and asked == f"{exact} rows: are you sure?"
    assert (approved, grave) == (exact, [])
    assert show(site.store, real, filters={"status": "approved"}, limit=0).total == 0


def test_a_large_change_runs_with_progress_and_survives_a_refresh(
    visit: Callable[..., Any], site: Site, real: str
) -> None:
    page = _open(visit, site, f"?dataset={real}")
    page.click("thead .select-column input")
    page.click("text=Select all 7,473 that match")
    page.wait_for_selector(".bulk-count:text-is('All 7,473 rows that match')")
    page.click("[data-action=tag]")
    page.fill("#bulk-tags", "maths")
    page.click("dialog .button-primary")
    page.click("dialog .button-primary:text-is('Go on')")
    page.wait_for_selector(".bulk-progress [role=progressbar]")
    page.reload()
    page.wait_for_selector(".tags-column .chip:text-is('maths')", timeout=60_000)
    page.keyboard.press("u")
    _toast(page, "Undone: tagged 7,473 examples “maths”.")

    page.wait_for_selector(".tags-column .chip", state="detached")


def test_rows_go_to_the_trash_come_back_and_are_erased_for_good(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill(_sums(5))
    page = _open(visit, site, f"?dataset={name}")
    page.click("tbody tr:nth-child(1) .select-column")
    page.click("tbody tr:nth-child(3)", modifiers=["Shift"])
    page.click("[data-action=delete]")
    _toast(page, "3 rows moved to the trash.")
    _facts(page, "2 rows, conversations")

    page.click(".view:text-is('Trash')")
    _facts(page, "3 rows in the trash")
    page.click("tbody tr:nth-child(2) .select-column")
    page.click("[data-action=restore]")
    _facts(page, "2 rows in the trash")
    left = [row.number for row in show(site.store, name).rows]
    page.click("text=Empty the trash for good")
    page.wait_for_selector("dialog:has-text('It goes from 2 rows')")
    held = page.is_disabled("dialog .button-danger")
    page.fill("#erase-word", "erase")
    grave = grave_violations(page)
    page.click("dialog .button-danger")
    _toast(page, "2 rows erased for good.")

    assert (left, held, grave) == ([2, 4, 5], True, [])
    assert page.inner_text(".empty h2") == "The trash is empty"
    texts = site.store.value(
        "select group_concat(content) from revisions r join segments s on s.number = r.example_id >> 32 "
        "join datasets d on d.id = s.dataset_id where d.name = ?",
        [name],
    )
    assert [f"What is {n} plus" in texts for n in range(5)] == [False, True, False, True, True]


def test_everything_is_done_by_keys_alone(visit: Callable[..., Any], site: Site, fill: Callable[..., str]) -> None:
    name = fill(_sums(8))
    page = _open(visit, site, f"?dataset={name}")

    page.keyboard.press("j")
    page.keyboard.press("a")
    _toast(page, "1 row approved.")
    page.wait_for_selector("tbody tr:nth-child(2).is-cursor")
    page.keyboard.press("r")
    page.keyboard.type("Wrong sum")
    page.keyboard.press("Enter")
    _toast(page, "1 row rejected.")
    page.wait_for_selector(".reason:text-is('Wrong sum')")
    page.wait_for_selector("tbody tr:nth-child(3).is-cursor")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    selected = page.inner_text(".bulk-count")
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.keyboard.press("t")
    page.keyboard.type("checked, <b>")
    page.keyboard.press("Enter")
    _toast(page, "3 rows tagged.")
    page.wait_for_selector("tbody tr:nth-child(5) .tags-column .chip:text-is('<b>')")
    page.keyboard.press("Delete")
    _toast(page, "1 row moved to the trash.")
    _facts(page, "7 rows, conversations")
    before = _statuses(site.store, name)
    for label in ("moved example 5", "tagged 3 examples", "rejected example 2", "approved example 1"):
        page.keyboard.press("u")
        _toast(page, f"Undone: {label}")
    page.keyboard.press("Control+Shift+Z")
    _toast(page, "Done again: approved example 1")

    assert selected == "3 rows selected"
    assert before == ["approved", "rejected", *["draft"] * 5]
    assert _statuses(site.store, name) == ["approved", *["draft"] * 7]
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.id") == "filter-status"


def test_the_list_of_changes_goes_back_step_by_step(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill(_sums(3))
    page = _open(visit, site, f"?dataset={name}")
    page.keyboard.press("j")
    page.keyboard.press("a")
    _toast(page, "1 row approved.")

    page.click("button:text-is('Changes')")
    page.wait_for_selector(".changes li")
    listed = page.locator(".change-label").all_inner_texts()
    page.click("dialog button:text-is('Undo')")
    page.wait_for_selector(".changes .is-undone")

    assert listed == ["approved example 1", "imported 3 rows from given.jsonl"]
    assert page.locator("dialog button:text-is('Redo')").count() == 1
    assert grave_violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_table_fits_the_screen_and_has_no_grave_fault(
    visit: Callable[..., Any], site: Site, real: str, width: int, scheme: str
) -> None:
    visited = visit(site.url, width=width, height=844, scheme=scheme)
    page = visited.open(f"/data?dataset={real}&search=apples&split=train&chars=300-", wait_for=".rows-card")
    page.wait_for_selector(".rows-table mark")
    plain = grave_violations(page)
    page.click(".rows-tools button:has-text('Filter')")
    page.click("tbody tr:nth-child(1) .select-column")
    page.click("tbody tr:nth-child(2) .select-column")
    page.wait_for_selector(".bulk-bar")
    visited.shot(f"table-{width}-{scheme}")

    assert (plain, grave_violations(page)) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = [page.locator(f"[data-action={name}]").bounding_box() for name in ("approve", "reject", "tag", "delete")]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


def test_a_chart_may_set_filters(visit: Callable[..., Any], site: Site, fill: Callable[..., str]) -> None:
    name = fill(_sums(9))
    page = _open(visit, site, f"?dataset={name}&tag=even")
    _facts(page, "5 rows of 9 match")

    page.evaluate("ratchet.data.filter({ tag: ['odd'], status: 'draft' })")
    _facts(page, "4 rows of 9 match")
    added, chips = page.url, page.inner_text(".filter-chips").split("\n")
    page.evaluate("ratchet.data.filter({ chars: '21-' }, { only: true })")
    page.wait_for_function("!location.search.includes('tag')")

    assert added.split("?")[1] == f"dataset={name}&status=draft&tag=odd"
    assert [chip for chip in chips if chip not in ("×", "")] == ["Status: draft", "Tag: odd", "Clear all"]
    assert page.inner_text(".filter-chips").replace("×", "").strip() == "21 characters or more"
    assert page.url.split("?")[1] == f"dataset={name}&chars=21-"


def test_a_dataset_is_described_deleted_and_brought_back(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill(_sums(4))
    page = _open(visit, site, f"?dataset={name}&tag=even")
    page.click("button:text-is('About')")
    page.fill("#dataset-name", f"{name[:40]}-new")
    page.fill("#dataset-about", EVIL)
    page.click("dialog button:text-is('Save')")
    page.wait_for_selector(f".rows-title h2:text-is('{name[:40]}-new')")
    kept = page.url
    page.click("button:text-is('About')")
    page.click("text=Delete this dataset")
    page.wait_for_selector("text=Deleted datasets (1)")
    page.click(".toast .button-text:text-is('Undo')")
    page.wait_for_selector(f".rows-title h2:text-is('{name[:40]}-new')")

    assert kept.endswith("&tag=even")
    assert page.evaluate("window.hit === undefined")
    assert len(show(site.store, f"{name[:40]}-new").rows) == 4
