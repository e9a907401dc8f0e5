"""The editor as a person uses it: by keyboard, with autosave, undo, tools, pairs; small and dark as well."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.desk import Site, chat, focused, open_row, rows, said, sums, wait_kept, wait_saved

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
Fill = Callable[..., str]
FOUR = chat(("user", "one"), ("assistant", "two"), ("user", "three"), ("assistant", "four"))
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def test_turns_are_written_moved_added_and_deleted_by_keyboard_alone(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([FOUR])
    page = open_row(visit, site, name)
    keys = page.keyboard

    keys.press("e")
    keys.press("Control+a")
    keys.type("the beginning")
    keys.press("Control+ArrowDown")
    moved = focused(page)
    keys.press("Control+ArrowUp")
    keys.press("Control+Shift+Enter")
    keys.type("an answer between")
    inserted = focused(page)
    while focused(page) != "Turn 3: text":
        keys.press("Tab")
    keys.press("Control+Shift+X")
    keys.press("Control+s")
    wait_saved(page)

    assert (moved, inserted) == ("Turn 2: text", "Turn 2: text")
    assert said(site.store, name) == [
        ("user", "the beginning"), ("assistant", "an answer between"), ("user", "three"), ("assistant", "four"),
    ]  # fmt: skip


def test_each_key_of_the_editor_is_on_a_button_and_in_the_list(visit: Visit, site: Site, fill: Fill) -> None:
    page = open_row(visit, site, fill([{"prompt": "2+2?", "chosen": "4", "rejected": "5"}]))

    caps = set(page.locator(".editor .button kbd").all_inner_texts())
    page.keyboard.press("?")
    listed = page.locator("dialog section:has(h3:text-is('Editor')) dd").all_inner_texts()

    assert caps == {
        "Ctrl S", "Ctrl Enter", "Ctrl Z", "Ctrl ⇧ Z", "Esc", "Del",
        "E", "K", "J", "A", "R", "G", "I", "W", "S", "H", "D",
    }  # fmt: skip
    assert {"Save", "Save and next", "Approve", "Reject with a reason", "Move the turn up", "Comment", "History"} <= {
        *listed
    }
    assert {"Insert a turn below", "Delete the turn", "What the model sees", "Swap chosen and rejected"} <= {*listed}


def test_no_key_fires_while_somebody_types(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill(sums(2))
    page = open_row(visit, site, name)

    page.locator(".turn textarea").nth(1).fill("")
    page.locator(".turn textarea").nth(1).type("axbgiwkjhdc?e")

    assert page.locator(".turn textarea").nth(1).input_value() == "axbgiwkjhdc?e"
    assert page.locator("dialog").count() == 0
    assert (page.inner_text(".editor h2"), rows(site.store, name)[0].status) == ("Example 1", "draft")


def test_every_step_can_be_undone_and_done_again(visit: Visit, site: Site, fill: Fill) -> None:
    page = open_row(visit, site, fill([{**FOUR, "tags": ["old"], "source": "book"}]))
    texts = "[...document.querySelectorAll('.turn textarea')].map((area) => area.value)"

    page.locator(".turn textarea").nth(0).fill("typed")
    page.click("[aria-label='Turn 2: Move down (Ctrl ↓)']")
    page.click("[aria-label='Turn 4: Delete this turn (Ctrl ⇧ X)']")
    page.click("[aria-label='Remove the tag old']")
    last = page.evaluate(texts)
    page.keyboard.press("Escape")
    for _ in range(4):
        page.keyboard.press("Control+z")
    first = page.evaluate(texts)
    state = page.inner_text(".editor-head .chip-dot")
    for _ in range(3):
        page.keyboard.press("Control+Shift+Z")

    assert last == page.evaluate(texts) == ["typed", "three", "two"]
    assert (first, state) == (["one", "two", "three", "four"], "Saved")
    assert page.locator(".tags-field .chip").count() == 1


def test_save_and_next_walks_through_what_the_search_finds(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill(
        [*sums(3), chat(("user", "Tea?"), ("assistant", "Yes")), chat(("user", "More tea?"), ("assistant", "No"))]
    )
    page = visit(site.url).open(f"/data?dataset={name}&search=tea", wait_for=".rows-card")
    page.wait_for_selector(".rows-table tbody tr")
    page.click(".rows-table tbody tr:first-child")
    page.wait_for_selector(".editor .num:has-text('1 of 2')")

    page.locator(".turn textarea").nth(1).fill("Yes, please")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".editor h2:text-is('Example 5')")
    page.wait_for_selector(".editor .num:has-text('2 of 2')")
    page.keyboard.press("k")
    page.wait_for_selector(".editor h2:text-is('Example 4')")

    assert said(site.store, name, 3)[1] == ("assistant", "Yes, please")
    assert page.locator("[aria-label='Previous example']").is_disabled()


def test_tools_calls_and_results_are_written_and_checked(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([chat(("user", "Is it warm in Rome?"), ("assistant", "Let me look."))])
    page = open_row(visit, site, name)

    page.click("summary:text('Tools (0)')")
    page.click("text=Add a tool")
    page.keyboard.type("weather")
    page.fill("#tool-0-schema", '{"type": "object", "properties": {"city": {"type": "text"}}}')
    wrong = page.inner_text(".tool .field-error")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".notice-bad")
    refused = page.inner_text(".notice-bad")
    page.fill("#tool-0-about", "The weather in a city.")
    page.fill("#tool-0-schema", json.dumps(WEATHER["function"]["parameters"]))  # type: ignore[index]
    page.click("[aria-label='Turn 2: Move up (Ctrl ↑)']")
    page.click("[aria-label='Turn 1: Move down (Ctrl ↓)']")
    page.click("text=Add a tool call")
    arguments = page.locator("textarea[aria-label='Turn 2: tool call 1: arguments']")
    missing = page.inner_text(".call .field-error")
    arguments.fill('{"city": "Rome"')
    broken = page.inner_text(".call .field-error")
    arguments.fill('{"city": "Rome"}')
    page.click("text=Add its result")
    page.keyboard.type("31 degrees")
    page.click("text=Add turn")
    page.keyboard.type("Yes, 31 degrees.")
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert wrong.startswith('The property "city" has the type "text"; use one of string')
    assert refused.startswith('Tool "weather": The property "city"')
    assert missing == 'The argument "city" is missing.'
    assert broken.startswith("The arguments are no JSON")
    content = rows(site.store, name)[0].content
    assert content["tools"] == [WEATHER]
    call = content["messages"][1]["tool_calls"][0]
    assert (call["function"], content["messages"][2]) == (
        {"name": "weather", "arguments": {"city": "Rome"}},
        {"role": "tool", "content": "31 degrees", "name": "weather", "tool_call_id": call["id"]},
    )
    assert content["messages"][3]["content"] == "Yes, 31 degrees."


def test_a_pair_shows_what_differs_and_can_be_swapped(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([{"prompt": "Capital of Italy?", "chosen": "It is Rome.", "rejected": "It is Milan."}])
    page = open_row(visit, site, name)
    boxes = [page.locator(f".part-{side}").bounding_box() for side in ("chosen", "rejected")]

    added, removed = page.inner_text(".difference ins"), page.inner_text(".difference del")
    violations = grave_violations(page)
    page.locator(".part-chosen textarea").fill("It is Rome, of course.")
    page.wait_for_function("document.querySelector('.difference .revision').textContent.includes('of course')")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.fill("#row-margin", "1.5")
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert (added, removed, violations) == ("Rome", "Milan", [])
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]
    content = rows(site.store, name)[0].content
    assert [content[side][0]["content"] for side in ("chosen", "rejected")] == [
        "It is Milan.",
        "It is Rome, of course.",
    ]
    assert content["margin"] == 1.5


@pytest.mark.parametrize(("form", "press", "kept"), [
    ("One answer, thumb up or down", "Bad", {"label": False}), ("One answer, a score", None, {"score": 0.25}),
])  # fmt: skip
def test_one_answer_is_judged_by_a_thumb_or_a_score(
    visit: Visit, site: Site, fill: Fill, form: str, press: str | None, kept: dict[str, Any]
) -> None:
    name = fill([{"prompt": "2+2?", "chosen": "4", "rejected": "5"}])
    page = visit(site.url).open(f"/data?dataset={name}&row=new", wait_for=".editor .editor-body")

    page.click(f"button:text-is('{form}')")
    page.locator(".turn textarea").nth(0).fill("3+3?")
    page.locator(".turn textarea").nth(1).fill("7")
    if press:
        page.click(f".part-completion button:text-is('{press}')")
    else:
        page.fill("#row-score", "0.25")
    page.keyboard.press("Control+s")
    wait_saved(page)

    content = rows(site.store, name)[1].content
    assert content == {
        "prompt": [{"role": "user", "content": "3+3?"}], "completion": [{"role": "assistant", "content": "7"}], **kept,
    }  # fmt: skip


@pytest.mark.parametrize(("given", "press", "kept"), [
    ({"label": True}, "Bad", {"label": False}), ({"score": 3}, None, {"score": 4.5}),
])  # fmt: skip
def test_a_judged_answer_that_was_imported_is_judged_anew(
    visit: Visit, site: Site, fill: Fill, given: dict[str, Any], press: str | None, kept: dict[str, Any]
) -> None:
    name = fill([{"prompt": "2+2?", "completion": "4", **given}])
    page = open_row(visit, site, name)

    if press:
        page.click(f".part-completion button:text-is('{press}')")
    else:
        page.fill("#row-score", "4.5")
    page.keyboard.press("Control+s")
    wait_saved(page)

    content = rows(site.store, name)[0].content
    assert {key: content[key] for key in kept} == kept
    assert content["completion"] == [{"role": "assistant", "content": "4"}]


def test_answers_that_exist_stand_below_their_prompt(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([{"prompt": "2+2?"}])
    page = open_row(visit, site, name)

    for number, (text, score) in enumerate((("4", "1"), ("5", "0")), start=1):
        page.click("text=Add an answer")
        page.fill(f"[aria-label='Answer {number}, turn 1: text']", text)
        page.fill(f"[aria-label='Answer {number}: score']", score)
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert rows(site.store, name)[0].content["answers"] == [
        {"messages": [{"role": "assistant", "content": "4"}], "score": 1},
        {"messages": [{"role": "assistant", "content": "5"}], "score": 0},
    ]


def test_metadata_is_names_and_values_and_numbers_stay_numbers(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([{**sums(1)[0], "source": "book", "page": 7}])
    page = open_row(visit, site, name)

    page.click("summary:text('Metadata (2)')")
    page.fill("[aria-label='Field 2: value']", "8")
    page.click("[aria-label='Delete field 1']")
    page.click("text=Add a field")
    page.keyboard.type("licence")
    page.fill("[aria-label='Field 2: value']", "CC0")
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert rows(site.store, name)[0].content["metadata"] == {"page": 8, "licence": "CC0"}


def test_tags_that_others_have_are_suggested(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([{**sums(2)[0], "tags": ["arithmetic"]}, sums(2)[1]])
    page = open_row(visit, site, name, 1)

    page.focus("#row-tags")
    page.wait_for_selector("#row-known-tags option", state="attached")
    offered = page.eval_on_selector_all("#row-known-tags option", "all => all.map((one) => one.value)")
    page.fill("#row-tags", "arithmetic, short")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert offered == ["arithmetic"]
    assert rows(site.store, name)[1].tags == ["arithmetic", "short"]


def test_what_is_unsaved_survives_a_closed_tab(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill(sums(1))
    page = open_row(visit, site, name)
    page.locator(".turn textarea").nth(1).fill("half writ")
    wait_kept(page)
    page.locator(".turn textarea").nth(1).type("ten")
    page.close(run_before_unload=True)

    again = open_row(visit, site, name)
    again.wait_for_selector(".editor .notice:has-text('Restored')")
    restored = again.locator(".turn textarea").nth(1).input_value()
    again.click("text=Discard it")
    discarded = again.locator(".turn textarea").nth(1).input_value()
    again.click(".toast .button-text:text-is('Undo')")

    assert (restored, discarded) == ("half written", "1")
    assert again.locator(".turn textarea").nth(1).input_value() == "half written"
    assert said(site.store, name)[1] == ("assistant", "1")


def test_leaving_for_later_keeps_it_and_saving_ends_it(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill(sums(2))
    page = open_row(visit, site, name)
    page.locator(".turn textarea").nth(1).fill("for later")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.click("dialog button:text-is('Leave for later')")
    page.wait_for_selector(".editor h2:text-is('Example 2')")
    mine = "select body from drafts where dataset_id = (select id from datasets where name = ?)"
    kept = site.store.rows(mine, [name])
    page.keyboard.press("k")
    page.wait_for_selector(".editor .notice:has-text('Restored')")
    page.keyboard.press("Control+s")
    wait_saved(page)
    page.wait_for_function("!document.querySelector('.editor .notice')")

    assert [json.loads(row["body"])["content"]["messages"][1]["content"] for row in kept] == ["for later"]
    assert said(site.store, name)[1] == ("assistant", "for later")
    assert site.store.rows(mine, [name]) == []


EVIL = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>{{7*7}}${window.hit=1}'


def test_what_a_stranger_wrote_is_text_everywhere(visit: Visit, site: Site, fill: Fill) -> None:
    tool = {"type": "function", "function": {"name": EVIL, "description": EVIL, "parameters": {EVIL: EVIL}}}
    turns = [
        {"role": "user", "content": EVIL},
        {"role": "assistant", "content": EVIL, "tool_calls": [{"function": {"name": EVIL, "arguments": {EVIL: EVIL}}}]},
        {"role": "tool", "content": EVIL, "name": EVIL},
        {"role": "assistant", "content": EVIL},
    ]
    name = fill([{"messages": turns, "tools": [tool], "tags": [EVIL], "source": EVIL}])
    page = open_row(visit, site, name)
    page.fill("#new-comment", EVIL)
    page.click("button:text('Comment')")
    page.wait_for_selector(".comment-text")
    page.click("summary:text('Tools (1)')")
    page.click("summary:text('Metadata (1)')")
    page.keyboard.press("h")
    page.wait_for_selector(".history")

    assert page.inner_text(".comment-text") == EVIL
    assert page.input_value("#tool-0-name") == EVIL
    assert EVIL in page.inner_text("dialog .revision")
    assert page.evaluate("[window.hit === undefined, document.querySelectorAll('img').length]") == [True, 0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen_and_axe_finds_nothing_grave(
    visit: Visit, site: Site, fill: Fill, width: int, scheme: str
) -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it warm in " + "longword" * 30},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "c1", "function": {"name": "weather", "arguments": {"city": "Rome"}}}]},
        {"role": "tool", "content": "31 degrees", "tool_call_id": "c1", "name": "weather"},
        {"role": "assistant", "content": "Yes."},
    ]  # fmt: skip
    name = fill([{"messages": turns, "tools": [WEATHER], "tags": ["a tag"], "source": "book"}, *sums(2)])
    visited = visit(site.url, width=width, height=900, scheme=scheme)
    page = visited.open(f"/data?dataset={name}&row={rows(site.store, name)[0].id}", wait_for=".editor .editor-body")
    page.wait_for_selector(".editor .turn")
    page.fill("#new-comment", "Is this right?")
    page.click("button:text('Comment')")
    page.wait_for_selector(".comment-text")
    page.click("summary:text('Tools (1)')")
    page.click("summary:text('Metadata (1)')")
    page.fill("[aria-label='Turn 5: text']", "Yes, it is.")
    wait_kept(page)
    visited.shot(f"editor-{width}-{scheme}")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert grave_violations(page) == []


def test_a_text_of_two_million_signs_is_opened_edited_and_saved(visit: Visit, site: Site, fill: Fill) -> None:
    name = fill([{"prompt": "long", "completion": "x" * 2_000_000}])
    page = open_row(visit, site, name)

    page.locator(".turn textarea").nth(1).evaluate(
        "area => { area.value += 'y'; area.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    page.keyboard.press("Control+s")
    wait_saved(page)

    assert rows(site.store, name)[0].content["messages"][1]["content"] == "x" * 2_000_000 + "y"
