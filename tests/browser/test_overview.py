"""A dataset at a glance: bars that filter, findings that are shown and mended."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.curation.importing import import_files
from studio.curation.listing import show
from tests.browser.axe import grave_violations
from tests.browser.site import Site, served_site

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hit=1">'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A dataset with long and short rows, and an address."""
    folder = tmp_path_factory.mktemp("overview")
    rows = [{"prompt": f"question {n}", "completion": "word " * (4 if n % 3 else 100), "tags": ["odd"] if n % 2 else []}
            for n in range(30)]  # fmt: skip
    rows.append({"prompt": "Where do I write to?", "completion": "To jane.doe@example.com, she answers at once."})
    file = folder / f"{EVIL.replace('/', '')}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with served_site(folder, lambda studio: import_files(studio.store, [file], "talks")) as served:
        yield served


def test_a_bar_is_a_filter_and_a_second_click_takes_it_away(site: Site, visit: Callable[..., Any]) -> None:
    page = visit(site.url).open("/data?dataset=talks")
    bar = page.get_by_role("button", name="Characters: 400 to 799, 10 rows: show them")
    bar.click()
    page.wait_for_function("document.querySelectorAll('.rows-table tbody tr').length === 10")
    assert "chars=400-799" in page.url and bar.get_attribute("aria-pressed") == "true"

    bar.click()
    page.wait_for_function("!location.search.includes('chars')")
    assert bar.get_attribute("aria-pressed") == "false"


def test_checks_run_by_button_and_a_finding_is_shown_mended_and_undone(
    site: Site, visit: Callable[..., Any], tmp_path: Path
) -> None:
    store = site.store
    page = visit(site.url).open("/data?dataset=talks")
    page.get_by_text("Nothing has been checked yet").wait_for()
    page.get_by_role("button", name="Check now").click()
    finding = page.locator(".finding", has_text="Personal data")
    finding.locator(".finding-show").click(timeout=60_000)
    page.wait_for_function("document.querySelectorAll('.rows-table tbody tr').length === 1")
    row = page.locator(".rows-table tbody tr").bounding_box()
    assert row["y"] + row["height"] <= page.viewport_size["height"]  # what was asked for is in sight
    finding.get_by_role("button", name="Mask").click()
    page.get_by_text("1 row mended").wait_for()
    page.get_by_role("button", name="Mask").wait_for(state="detached")
    assert "jane.doe" not in json.dumps([row.content for row in show(store, "talks", limit=100).rows])
    page.locator(".toast").get_by_role("button").first.click()
    page.get_by_role("button", name="Mask").wait_for()  # the finding is there again
    assert "jane.doe" in json.dumps([row.content for row in show(store, "talks", limit=100).rows])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_looks_right_everywhere(site: Site, visit: Callable[..., Any], scheme: str, width: int) -> None:
    one = visit(site.url, width=width, scheme=scheme)
    page = one.open("/data?dataset=talks")
    if width == 390:  # there the rows come first
        page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("group", name="Characters").wait_for()
    page.wait_for_timeout(500)
    one.shot(f"overview-{scheme}-{width}")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.hit") is None
    assert grave_violations(page) == []
