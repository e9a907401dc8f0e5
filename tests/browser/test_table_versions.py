"""Versions on the page: frozen, named, compared word by word, restored with a way back, forked."""

from collections.abc import Callable
from typing import Any

import pytest

from storage import datasets, versions
from studio.curation import editing
from studio.curation.listing import show
from tests.browser.axe import grave_violations
from tests.browser.site import Site
from tests.browser.test_table import _facts, _open, _sums, _toast

pytestmark = pytest.mark.browser


@pytest.fixture
def two(site: Site, fill: Callable[..., str]) -> str:
    """A dataset of six sums with a version before and one after: one added, one in the trash, one edited."""
    name = fill(_sums(6))
    dataset = datasets.get_dataset(site.store, name)
    versions.freeze(site.store, dataset)
    rows = show(site.store, name).rows
    said = [{"role": "user", "content": "What is 1 plus 1?"}, {"role": "assistant", "content": "2, <b>surely</b>"}]
    editing.revise(site.store, name, rows[1].id, {"messages": said})
    editing.delete(site.store, name, [rows[0].id])
    editing.add(site.store, name, {"messages": [{"role": "user", "content": "Hi"}, said[1]]})
    versions.freeze(site.store, dataset)
    return name


def _versions(page: Any) -> None:
    page.click("button:text-is('Versions')")
    page.wait_for_selector(".versions li")


def test_a_version_is_frozen_and_named(visit: Callable[..., Any], site: Site, fill: Callable[..., str]) -> None:
    name = fill(_sums(3))
    page = _open(visit, site, f"?dataset={name}")
    page.click("button:text-is('Versions')")
    page.fill("#version-name", "First <i>")
    page.keyboard.press("Enter")
    page.wait_for_selector(".version-name:text-is('First <i>')")
    page.click("button:text-is('Freeze as it stands')")
    _toast(page, "Nothing has changed since version 1.")
    page.click("dialog button:text-is('Rename')")
    page.fill("#one-text", "Second")
    page.keyboard.press("Enter")
    page.wait_for_selector(".version-name:text-is('Second')")

    found = versions.list_versions(site.store, datasets.get_dataset(site.store, name))
    assert [(one.number, one.name, one.rows) for one in found] == [(1, "Second", 3)]
    assert grave_violations(page) == []


def test_two_versions_are_compared_word_by_word(visit: Callable[..., Any], site: Site, two: str) -> None:
    page = _open(visit, site, f"?dataset={two}")
    _versions(page)
    page.click(".versions li:first-child button:text-is('Compare')")
    page.wait_for_selector(".differences li")

    tabs = page.locator("dialog .segmented button").all_inner_texts()
    changed = page.locator(".differences li", has_text="changed")
    words = (changed.locator("del").all_inner_texts(), changed.locator("ins").all_inner_texts())
    page.click("dialog .segmented button:has-text('Removed')")
    page.wait_for_function("document.querySelectorAll('.differences li').length === 1")

    assert tabs == ["All", "Added 1", "Removed 1", "Changed 1", "Relabelled 0"]
    assert "".join(words[0]) == "" and "".join(words[1]) == ", <b>surely</b>"
    assert "What is 0 plus 1?" in page.inner_text(".differences")
    assert grave_violations(page) == []


def test_a_version_is_restored_and_that_is_taken_back(visit: Callable[..., Any], site: Site, two: str) -> None:
    page = _open(visit, site, f"?dataset={two}")
    before = [row.content for row in show(site.store, two).rows]
    _versions(page)
    page.click(".versions li:last-child button:text-is('Restore')")
    page.click("dialog .button-primary:text-is('Restore')")
    _toast(page, "Version 1 is restored: 3 rows changed.")
    restored = [row.content["messages"][1]["content"] for row in show(site.store, two).rows]
    page.click(".toast .button-text:text-is('Undo')")
    page.wait_for_selector(".lines:has-text('surely')")

    assert restored == ["1", "2", "3", "4", "5", "6"]
    assert [row.content for row in show(site.store, two).rows] == before


def test_a_version_becomes_a_dataset_of_its_own(visit: Callable[..., Any], site: Site, two: str) -> None:
    visited = visit(site.url)
    visited.expected.append("409")
    page = visited.open(f"/data?dataset={two}", wait_for=".rows-table tbody tr")
    _versions(page)
    page.click(".versions li:last-child button:text-is('Fork')")
    page.fill("#one-text", two)
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog .field-error:has-text('exists already')")
    page.fill("#one-text", f"{two[:50]}-fork")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".rows-title h2:text-is('{two[:50]}-fork')")
    _facts(page, "6 rows, conversations")

    assert [row.number for row in show(site.store, f"{two[:50]}-fork").rows] == [1, 2, 3, 4, 5, 6]
