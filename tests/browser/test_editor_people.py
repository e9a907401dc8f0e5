"""Two people at one row, what they say about it, what it was before, and whether it is good."""

from collections.abc import Callable
from typing import Any

import pytest

from studio.curation import editing
from tests.browser.axe import grave_violations
from tests.browser.desk import Site, chat, open_row, rows, said, sums, wait_kept, wait_saved

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
Fill = Callable[..., str]
FOUR = chat(("user", "one"), ("assistant", "two"), ("user", "three"), ("assistant", "four"))


def _both(visit: Visit, site: Site, name: str) -> tuple[Any, Any]:
    """Two windows, each of its own browser context, on the first row."""
    row = rows(site.store, name)[0].id
    pages = []
    for _ in range(2):
        visited = visit(site.url)
        visited.expected.append("409")
        page = visited.open(f"/data?dataset={name}&row={row}", wait_for=".editor .editor-body")
        page.wait_for_selector(".editor .turn")
        pages.append(page)
    return pages[0], pages[1]


def _clash(visit: Visit, site: Site, name: str) -> Any:
    """The window of the one who saves second: both changed turn 2, each another turn beside."""
    first, second = _both(visit, site, name)
    first.locator(".turn textarea").nth(1).fill("two, said she")
    first.locator(".turn textarea").nth(0).fill("one, said she")
    first.keyboard.press("Control+s")
    wait_saved(first)
    second.locator(".turn textarea").nth(1).fill("two, said he")
    second.locator(".turn textarea").nth(3).fill("four, said he")
    second.keyboard.press("Control+s")
    second.wait_for_selector(".editor .conflict")
    return second


def test_the_second_sees_both_changes_and_takes_theirs(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([FOUR])
    page = _clash(visit, site, name)

    shown = page.locator(".conflict .revision").all_inner_texts()
    marked = page.locator(".conflict ins").all_inner_texts()
    page.click("text=Take theirs")
    wait_saved(page)
    taken = page.locator(".turn textarea").nth(1).input_value()
    page.keyboard.press("Control+z")

    assert "one, said she" in shown[0] and "four, said he" in shown[1]
    assert marked == [", said she", ", said she", ", said he", ", said he"]
    assert taken == "two, said she"
    assert page.locator(".turn textarea").nth(1).input_value() == "two, said he"
    assert [text for _, text in said(site.store, name)] == ["one, said she", "two, said she", "three", "four"]


def test_the_second_keeps_their_own(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([FOUR])
    page = _clash(visit, site, name)

    page.click("text=Keep mine")
    wait_saved(page)

    assert [text for _, text in said(site.store, name)] == ["one", "two, said he", "three", "four, said he"]


def test_the_second_merges_by_hand(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([FOUR])
    page = _clash(visit, site, name)

    page.click("text=Merge by hand")
    page.wait_for_selector(".clashes")
    merged = page.eval_on_selector_all(".turn textarea", "all => all.map((area) => area.value)")
    both = page.locator(".clashes b").all_inner_texts()
    violations = grave_violations(page)
    page.click(".clashes button:has-text('Take theirs')")
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert (merged, both) == (["one, said she", "two, said he", "three", "four, said he"], ["Turn 2"])
    assert violations == []
    assert [text for _, text in said(site.store, name)] == ["one, said she", "two, said she", "three", "four, said he"]


def test_what_two_people_tagged_is_merged_and_a_status_alone_is_no_conflict(
    visit: Visit, site: Site, fill: Fill
) -> None:
    name = fill([{**FOUR, "tags": ["old"]}])
    first, second = _both(visit, site, name)
    for page, tag in ((first, "hers"), (second, "his")):
        page.fill("#row-tags", tag)
        page.keyboard.press("Enter")
    first.keyboard.press("Control+s")
    wait_saved(first)

    second.keyboard.press("Control+s")
    second.wait_for_selector(".editor .conflict")
    second.click("text=Merge by hand")
    editing.set_status(site.store, name, rows(site.store, name)[0].id, "approved", author="bob")
    second.keyboard.press("Control+s")
    wait_saved(second)

    merged = rows(site.store, name)[0]
    assert (sorted(merged.tags), merged.status) == (["hers", "his", "old"], "approved")
    assert second.inner_text(".status-chip") == "approved"


def test_a_row_that_somebody_changed_meanwhile_is_not_overwritten_by_what_was_left_unsaved(
    visit: Visit, site: Site, fill: Fill
) -> None:
    name = fill([FOUR])
    page = open_row(visit, site, name)
    page.locator(".turn textarea").nth(3).fill("four, for later")
    wait_kept(page)
    page.close()
    before = rows(site.store, name)[0]
    turns = [dict(turn) for turn in before.content["messages"]]
    turns[0]["content"] = "one, by Bob"
    editing.revise(site.store, name, before.id, {"messages": turns}, author="bob")

    again = open_row(visit, site, name)
    again.wait_for_selector(".editor .conflict")
    shown = again.inner_text(".editor .notice")
    again.click("text=Merge by hand")
    again.keyboard.press("Control+s")
    wait_saved(again)

    assert "bob changed this example after" in shown
    assert [text for _, text in said(site.store, name)] == ["one, by Bob", "two", "three", "four, for later"]


def test_who_comes_back_to_the_window_sees_what_others_did(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([FOUR])
    page = open_row(visit, site, name)
    row = rows(site.store, name)[0]
    turns = [dict(turn, content=f"{turn['content']}, by Bob") for turn in row.content["messages"]]
    editing.revise(site.store, name, row.id, {"messages": turns}, author="bob")

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("document.querySelector('.turn textarea').value === 'one, by Bob'")

    assert page.locator(".editor .notice").count() == 0


def test_comments_are_written_changed_removed_and_brought_back(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill(sums(2))
    page = open_row(visit, site, name)

    page.keyboard.press("c")
    page.keyboard.type("Is this rihgt?")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".comment-text")
    heading = page.inner_text(".comments-part h3")
    page.click(".comment button:text-is('Change')")
    page.fill("[aria-label='Change the comment']", "Is this right?")
    page.click("text=Keep the change")
    page.wait_for_selector(".comment:has-text('changed')")
    page.click(".comment button:text-is('Remove')")
    page.wait_for_selector(".comment", state="detached")
    page.click(".toast .button-text:text-is('Undo')")
    page.wait_for_selector(".comment-text")

    assert heading == "Comments (1)"
    assert page.inner_text(".comment b") == "me"
    assert page.inner_text(".comment-text") == "Is this right?"
    other = open_row(visit, site, name, 1)
    assert other.locator(".comment").count() == 0


def test_what_somebody_else_said_has_no_buttons(visit: Visit, site: Site, fill: Fill) -> None:
    from studio.curation import comments

    name = fill(sums(1))
    comments.add(site.store, name, rows(site.store, name)[0].id, "From Bob", "bob")
    page = open_row(visit, site, name)
    page.wait_for_selector(".comment-text")

    assert page.locator(".comment .button").count() == 0


def test_history_compares_any_two_texts_and_brings_one_back(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill(sums(1))
    page = open_row(visit, site, name)
    for text in ("two words", "two other words"):
        page.locator(".turn textarea").nth(1).fill(text)
        page.keyboard.press("Control+s")
        wait_saved(page)

    page.keyboard.press("Escape")
    page.keyboard.press("h")
    page.wait_for_selector(".history li")
    newest = page.inner_text("dialog .revision ins")
    page.select_option("#history-compare", "0")
    page.select_option("#history-with", "1")
    older = (page.inner_text("dialog .revision del"), page.inner_text("dialog .revision ins"))
    violations = grave_violations(page)
    page.click(".history li:last-child button:text-is('Restore this')")
    page.wait_for_selector(".editor .notice:has-text('save to keep it')")
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert newest.strip() == "other"
    assert older == ("1", "two words")
    assert violations == []
    assert said(site.store, name)[1] == ("assistant", "1")
    assert len(editing.history(site.store, name, rows(site.store, name)[0].id)) == 4


def test_a_row_is_approved_rejected_with_a_reason_and_each_is_undone(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill(sums(1))
    page = open_row(visit, site, name)

    page.locator(".turn textarea").nth(1).fill("one")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.wait_for_selector(".status-chip:text-is('approved')")
    approved = rows(site.store, name)[0]
    page.keyboard.press("r")
    page.keyboard.type("Wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector(".status-chip:text-is('rejected')")
    rejected = rows(site.store, name)[0]
    reason = page.inner_text(".status-bar .reason")
    page.click(".toast:has-text('is rejected') .button-text")
    page.wait_for_selector(".status-chip:text-is('approved')")

    assert (approved.status, approved.content["messages"][1]["content"]) == ("approved", "one")
    assert (rejected.status, rejected.reason, reason) == ("rejected", "Wrong", "Wrong")
    assert rows(site.store, name)[0].status == "approved"
    page.keyboard.press("b")
    page.wait_for_selector(".status-chip:text-is('draft')")


def test_a_deleted_row_comes_back_by_undo(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill(sums(2))
    page = open_row(visit, site, name)

    page.keyboard.press("Delete")
    page.wait_for_selector(".toast:has-text('Example 1 is deleted.')")
    left = len(rows(site.store, name))
    page.click(".toast:has-text('is deleted') .button-text")
    page.wait_for_function("document.querySelectorAll('.rows-table tbody tr').length === 2")

    assert (left, len(rows(site.store, name))) == (1, 2)


def test_without_a_model_the_editor_says_so_and_works(visit: Visit, site: Site, fill: Fill) -> None:
    page = open_row(visit, site, fill(sums(1)))

    page.wait_for_selector(".assist:has-text('There is no model yet')")
    page.keyboard.press("g")
    page.locator(".turn textarea").nth(1).fill("by hand")
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert page.locator(".assist .button:has-text('Draft answer')").is_disabled()


def test_keys_rest_while_the_history_is_open_and_escape_closes_just_that(visit: Visit, site: Site, fill: Fill) -> None:
    dataset = fill(sums(2))
    page = open_row(visit, site, dataset)
    page.keyboard.press("h")
    page.wait_for_selector("dialog[open] .history")

    for key in ("a", "Delete", "j"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")

    assert page.is_visible(".editor h2:text-is('Example 1')")
    assert [row.status for row in rows(site.store, dataset)] == ["draft", "draft"]
