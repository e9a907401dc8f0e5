"""The export dialog as a person uses it: every choice is counted at once, and nothing comes out empty unsaid."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.api.exports import AT_ONCE
from studio.curation.importing import import_files
from tests.browser.axe import grave_violations
from tests.browser.site import Site

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hit=1">'
LONG = {"messages": [{"role": role, "content": "x"} for role in ("user", "assistant", "user", "assistant")]}


def sums(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"What is {n} plus 1?", "completion": str(n + 1)} for n in range(count)]


def _open(visit: Callable[..., Any], site: Site, name: str, **options: Any) -> Any:
    page = visit(site.url, **options).open(f"/data?dataset={name}", wait_for="[data-widget=table] .rows-card")
    page.wait_for_selector(".rows-table tbody tr")
    page.click("button:text-is('Export')")
    page.wait_for_selector("#export-counts .export-total")
    return page


def _counted(page: Any, rows: int) -> None:
    page.wait_for_selector(f"#export-counts:not([aria-busy]) .export-total b:text-is('{rows}')")


def test_each_choice_is_counted_with_what_it_leaves_out(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill([*sums(6), LONG, {"prompt": EVIL, "completion": EVIL}])
    page = _open(visit, site, name)
    _counted(page, 8)

    page.select_option("#export-format", "prompt-completion")
    _counted(page, 7)
    left = page.inner_text(".export-left")
    page.click("button:text-is('CSV')")
    page.wait_for_selector(
        f"dialog .command code:text-is('ratchet export {name} --format prompt-completion --out {name}.csv')"
    )
    page.select_option("#export-status", "approved")
    page.wait_for_selector("#export-counts .notice")

    assert left == "1 left out: more than one turn"
    assert page.inner_text("#export-counts .notice") == "0 approved of 8; 8 are drafts."
    assert page.is_disabled("#export-go")
    assert page.evaluate("window.hit") is None


def test_a_file_is_downloaded_as_it_was_shown(visit: Callable[..., Any], site: Site, fill: Callable[..., str]) -> None:
    page = _open(visit, site, fill([*sums(3), LONG]))
    page.select_option("#export-format", "alpaca")
    page.click("button:text-is('JSON list')")
    _counted(page, 4)
    focused = page.evaluate("document.activeElement.textContent")
    first = json.loads(page.inner_text("[aria-label='The first record']"))

    with page.expect_download() as download:
        page.click("#export-go")

    records = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert (len(records), records[0], focused) == (4, first, "JSON list")
    assert download.value.suggested_filename.endswith(".json")
    page.wait_for_selector(".toast:has-text('4 rows exported.')")


def test_the_hub_is_offered_with_the_card_that_it_would_show(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str]
) -> None:
    name = fill(sums(3))
    page = _open(visit, site, name)
    page.click("button:text-is('To the Hub')")
    unnamed = page.is_disabled("#export-go")
    page.fill("#export-repository", "me/sums")
    page.fill("#export-licence", "cc-by-4.0")
    page.wait_for_selector("#export-go:text-is('Send 3 records'):not([disabled])")
    page.click("text=Show the data card")
    page.wait_for_selector("[aria-label='The data card']:has-text('license: cc-by-4.0')")

    assert unnamed
    assert page.inner_text("dialog .command code") == (
        f"ratchet export {name} --format messages --hub me/sums --licence cc-by-4.0"
    )


def test_a_large_export_goes_on_as_a_task_and_its_file_waits(
    visit: Callable[..., Any], site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "large.jsonl"
    path.write_text("".join(f'{{"text": "text {n}"}}\n' for n in range(AT_ONCE + 1)))
    import_files(site.store, [path], "large")
    page = _open(visit, site, "large")
    page.wait_for_selector("#export-counts:has-text('of the first 5,000')")

    with page.expect_download(timeout=60_000) as download:
        page.click("#export-go")
        page.wait_for_selector("[role=progressbar][aria-label=Export]")
    page.wait_for_selector(f".toast:has-text('{AT_ONCE + 1:,} rows exported.')")
    page.click("button:text-is('Export')")
    page.wait_for_selector("h3:text-is('Ready for download')")
    with page.expect_download() as later:
        page.click(f"dialog a:has-text('text, {AT_ONCE + 1:,} rows')")

    files = [one.value.path().read_bytes() for one in (download, later)]
    assert files[0] == files[1]
    assert len(files[0].splitlines()) == AT_ONCE + 1


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_dialog_can_be_read_everywhere(
    visit: Callable[..., Any], site: Site, fill: Callable[..., str], width: int, scheme: str
) -> None:
    name = fill([*sums(3), LONG])
    one = visit(site.url, width=width, scheme=scheme)
    page = one.open(f"/data?dataset={name}", wait_for="[data-widget=table] .rows-card")
    page.click("button:text-is('Export')")
    _counted(page, 4)
    page.select_option("#export-format", "csv")
    _counted(page, 3)
    one.shot(f"export-{scheme}-{width}")

    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
