"""The page of models: the tree, the panel of one model, a chat with it, and what can be done with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storage import blends, promotions
from storage.blends import NewBlend, Part
from storage.comparisons import get_study, list_studies, set_state
from storage.home import Home
from storage.models import add_model, get_model, set_retired
from storage.store import Store
from studio.rounds.champion import champion
from studio.rounds.ledger import catch_up
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.browser.axe import grave_violations
from tests.browser.still import still_studio
from tests.browser.test_pages import CONTRAST, TOO_WIDE
from tests.studio.training.project import add_dataset, first_day, prompt, prompts_of, run_to_the_end, vote
from tests.talker import Talker

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
CARD = '---\nlibrary_name: "peft"\n---\n\n# round-1-sft\n\nA LoRA adapter. <img src=x onerror=window.hacked=1>\n'


class Place(NamedTuple):
    """A studio with a line of models, a branch, and an endpoint that talks."""

    url: str
    store: Store
    talker: Talker


def furnish(store: Store, talker: Talker) -> None:
    """starter → round-1-sft (champion) → round-2-dpo, a branch off the starter, and an endpoint."""
    settings = Settings.from_env({}, home=store.home.path)
    first_day(store, rows=40)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    first = run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts", author="ada")))
    (Path(first.path or "") / "README.md").write_text(CARD, encoding="utf-8")
    catch_up(store)
    for asked in (*prompts_of("measure", 25), *prompts_of("train", 6)):
        vote(store, get_study(store, "round-1"), asked, "b")
    run_to_the_end(store, launch(store, settings, Request("dpo", "round-1-sft", study="round-1")))
    catch_up(store)
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts", name="side")))
    catch_up(store)
    add_model(store, "otter", "endpoint", url=talker.url, remote_name="o")


def open_place(folder: Path) -> Iterator[Place]:
    """Serve it from a thread of this process."""
    talker = Talker({"o": lambda messages, seed: f"**You** said {messages[-1]['content']} and no more"})
    with still_studio(Home(folder / "home")) as still:
        furnish(still.store, talker)
        yield Place(still.url, still.store, talker)
    talker.close()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A studio that is only looked at."""
    yield from open_place(tmp_path_factory.mktemp("models"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A studio of the test's own."""
    yield from open_place(tmp_path)


def names(page: Any) -> list[str]:
    """The models in the tree from top to bottom."""
    found: list[str] = page.locator(".model-name").all_inner_texts()
    return found


def come(visit: Visit, url: str, query: str = "", **how: Any) -> Any:
    """The page with its tree; with a model in the address also its panel."""
    page = visit(url, **how).open(f"/models{query}")
    page.wait_for_selector(".model-row")
    if "model=" in query:
        page.wait_for_selector(".models-actions")
    return page


def toast(page: Any, words: str) -> Any:
    """The message that says so."""
    found = page.locator(".toast", has_text=words)
    found.wait_for()
    return found


def test_the_tree_goes_on_in_the_champions_line_and_branches_before_it(seen: Place, visit: Visit) -> None:
    page = come(visit, seen.url)

    rows = page.locator(".model-row")
    assert names(page) == ["starter", "side", "round-1-sft", "round-2-dpo", "otter"]
    assert [row.get_attribute("aria-level") for row in rows.all()] == ["1", "2", "2", "3", "1"]
    assert [row.locator(".model-rail").count() for row in rows.all()] == [0, 1, 0, 0, 0]
    words = page.locator(".model-row", has_text="round-1-sft").first.inner_text()
    assert "champion" in words and "wins 100 % against starter" in words
    assert "SFT on 40 rows of facts, version 1" in words
    assert rows.nth(2).get_attribute("aria-label").startswith("round-1-sft, champion, adapter, SFT on 40 rows")
    assert page.locator(".models-panel").is_hidden()


def test_a_search_keeps_what_leads_to_what_it_finds(seen: Place, visit: Visit) -> None:
    page = come(visit, seen.url)

    page.keyboard.press("/")
    page.keyboard.type("dpo")

    page.wait_for_function("document.querySelectorAll('.model-row').length === 3")
    assert names(page) == ["starter", "round-1-sft", "round-2-dpo"]
    assert page.locator(".model-row.is-dim .model-name").all_inner_texts() == ["starter", "round-1-sft"]
    assert "search=dpo" in page.url
    page.fill("#models-search", "nothing like this")
    page.wait_for_selector("text=No model fits.")
    page.reload()
    page.wait_for_selector("text=No model fits.")
    assert page.input_value("#models-search") == "nothing like this"


def test_a_model_opens_with_all_that_is_known_and_the_address_names_it(seen: Place, visit: Visit) -> None:
    page = come(visit, seen.url)

    page.click(".model-name >> text=round-1-sft")
    page.wait_for_selector(".models-actions")

    assert page.url.endswith("/models?model=round-1-sft")
    told = page.inner_text(".models-known")
    for words in ("SFT, job 1", "asked for by ada", "40 rows of facts, version 1", "Wins 100 % against starter",
                  "Became champion through the gate", "31 in round-1", "Epochs", "Learning rate",
                  "ratchet train sft --base starter --dataset facts"):  # fmt: skip
        assert words.lower() in told.lower(), words
    page.click("#models-card summary")
    assert "<img src=x" in page.inner_text("#models-card .prose")
    assert page.evaluate("window.hacked") is None
    page.click("#models-needed summary")
    assert "It is the champion; promote another first." in page.inner_text("#models-needed")
    page.click("button.models-other >> text=round-2-dpo")
    page.wait_for_selector("#models-title >> text=round-2-dpo")
    page.go_back()
    page.wait_for_selector("#models-title >> text=round-1-sft")
    page.go_back()
    page.wait_for_selector(".models-panel", state="hidden")


def test_the_keyboard_walks_the_tree_opens_a_model_and_closes_it(seen: Place, visit: Visit) -> None:
    page = come(visit, seen.url)
    focused = "document.activeElement.querySelector('.model-name')?.innerText"

    page.keyboard.press("t")
    reached = [page.evaluate(focused)]
    for key in ("ArrowDown", "End", "Home", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
        reached.append(page.evaluate(focused))
    assert reached == ["starter", "side", "otter", "starter", "side", "starter", "side", "round-1-sft"]
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'models-title'")
    page.keyboard.press("Escape")
    page.wait_for_selector(".models-panel", state="hidden")
    assert page.evaluate(focused) == "round-1-sft"


def test_a_chat_streams_goes_on_and_can_be_stopped(place: Place, visit: Visit) -> None:
    page = come(visit, place.url, "?model=otter")
    page.keyboard.press("c")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.wait_for_selector("#chat-again:visible")
    assert page.inner_text(".models-turn.is-assistant .prose") == "You said hello and no more"
    assert page.locator(".models-turn.is-assistant strong").inner_text() == "You"

    place.talker.held.clear()
    page.fill("#chat-text", "wait")
    page.click("#chat-send")
    page.wait_for_function("document.querySelector('.is-live .models-plain')?.innerText.includes('**You**')")
    page.click("#chat-stop")
    page.wait_for_selector(".models-turn >> text=stopped")
    place.talker.held.set()

    assert page.locator(".models-turn").count() == 4
    assert [turn["content"] for turn in place.talker.asked[1]["messages"]] == [
        "hello", "**You** said hello and no more", "wait",
    ]  # fmt: skip
    assert page.evaluate("document.activeElement.id") == "chat-text"
    page.click("#chat-new")
    assert page.locator(".models-turn").count() == 0


def test_a_chat_that_fails_says_why_and_gives_the_words_back(place: Place, visit: Visit) -> None:
    one = visit(place.url)
    one.expected.append("422")
    page = one.open("/models?model=otter")
    page.wait_for_selector(".models-actions")
    page.click("#model-chat")
    place.talker.failing = True
    page.fill("#chat-text", "are you there?")
    page.click("#chat-send")

    page.wait_for_selector(".models-chat .notice-bad:visible")

    assert "out of order" in page.inner_text(".models-chat .notice-bad")
    assert page.input_value("#chat-text") == "are you there?"
    assert page.locator(".models-turn").count() == 0


def test_two_models_are_compared_in_a_study_that_is_made_once(place: Place, visit: Visit) -> None:
    page = come(visit, place.url, "?model=otter")
    before = len(list_studies(place.store))

    for _ in range(2):
        page.goto(f"{place.url}/models?model=otter")
        page.click("#model-compare")
        assert page.locator("#compare-other option:checked").inner_text() == "round-1-sft"
        page.get_by_role("button", name="Compare them, blind").click()
        page.wait_for_url("**/compare?study=otter-vs-round-1-sft")

    assert len(list_studies(place.store)) == before + 1


def test_the_gate_is_overruled_with_a_reason_and_taken_back(place: Place, visit: Visit) -> None:
    page = come(visit, place.url, "?model=round-2-dpo")
    page.click("#model-promote")
    page.wait_for_selector("dialog >> text=The gate does not let it pass")
    assert grave_violations(page) == []
    page.fill("#promote-reason", "The customer likes it.")
    page.get_by_role("button", name="Overrule the gate").click()

    said = toast(page, "round-2-dpo is the champion now.")
    page.wait_for_selector(".models-panel .chip-accent >> text=champion")
    first = champion(place.store)
    assert first is not None and first.name == "round-2-dpo"
    assert promotions.list_promotions(place.store)[-1].reason == "The customer likes it."
    said.get_by_role("button", name="Undo").click()
    toast(page, "round-1-sft is the champion again.")
    first = champion(place.store)
    assert first is not None and first.name == "round-1-sft"


def test_a_model_is_renamed_and_put_away_and_both_can_be_taken_back(place: Place, visit: Visit) -> None:
    page = come(visit, place.url, "?model=otter")
    page.click("#model-rename")
    page.fill("#rename-name", "heron")
    page.get_by_role("button", name="Rename", exact=True).click()
    renamed = toast(page, "It is called heron now.")
    page.wait_for_selector("#models-title >> text=heron")
    assert "model=heron" in page.url

    page.click("#model-archive")
    away = toast(page, "heron is put away.")
    page.wait_for_function("![...document.querySelectorAll('.model-name')].some((name) => name.innerText === 'heron')")
    assert get_model(place.store, "heron").retired_at is not None
    away.get_by_role("button", name="Undo").click()
    toast(page, "heron is offered again.")
    assert get_model(place.store, "heron").retired_at is None
    renamed.get_by_role("button", name="Undo").click()
    toast(page, "It is called otter again.")
    assert get_model(place.store, "otter").name == "otter"


def test_a_deletion_says_what_stands_in_the_way_and_goes_when_nothing_does(place: Place, visit: Visit) -> None:
    page = come(visit, place.url, "?model=side")
    folder = Path(get_model(place.store, "side").path or "")
    page.click("#model-delete")
    page.wait_for_selector("dialog >> text=the open study round-3 compares it")
    page.get_by_role("button", name="Close", exact=True).last.click()
    set_state(place.store, get_study(place.store, "round-3").id, "closed")
    page.reload()
    page.wait_for_selector(".models-actions")
    page.click("#model-delete")
    page.get_by_role("button", name="Delete the weights").click()

    toast(page, "The weights of side are deleted")

    page.wait_for_function("document.querySelectorAll('.model-row').length === 4")
    assert not folder.exists()
    assert names(page) == ["starter", "round-1-sft", "round-2-dpo", "otter"]
    page.check("#models-archived")
    page.wait_for_selector(".model-name >> text=side")
    assert "deleted" in page.locator(".model-row", has_text="side").inner_text()


def test_models_that_were_put_away_are_shown_when_asked_for(place: Place, visit: Visit) -> None:
    set_retired(place.store, get_model(place.store, "otter"), True)
    page = come(visit, place.url)
    assert names(page) == ["starter", "side", "round-1-sft", "round-2-dpo"]
    assert page.locator("[role=status]", has_text="4 in use, 1 put away").count() == 1

    page.check("#models-archived")

    page.wait_for_selector(".model-name >> text=otter")
    assert page.url.endswith("?archived=1")


def test_a_mixture_names_its_parts_becomes_a_candidate_and_is_mixed_again(place: Place, visit: Visit) -> None:
    store = place.store
    first, second = get_model(store, "round-1-sft"), get_model(store, "round-2-dpo")
    mix = add_model(store, "mix", "adapter", base_id=first.base_id, parent_id=first.id, path="/nowhere")
    blends.add(store, NewBlend(mix.id, "ties", 0.5, 0, "ada", None, [Part(first.id, 0.7), Part(second.id, 0.3)]))
    one = visit(place.url)
    one.expected.append("422")  # one adapter alone is no mixture
    page = one.open("/models?model=mix")
    page.wait_for_selector(".models-actions")

    assert "mixed from round-1-sft and round-2-dpo" in page.locator(".model-row", has_text="mix").last.inner_text()
    told = page.inner_text(".models-known")
    assert "mixed by ties for ada" in told and "0.7" in told and "0.3" in told
    page.click("#model-propose")
    toast(page, "mix is the candidate of round 4: vote in round-4.")
    page.wait_for_selector("#model-propose", state="detached")
    page.click("#model-mix")
    page.wait_for_selector("#mix-how option[value=ties]", state="attached")
    boxes = page.locator("dialog fieldset .check")
    assert sorted(boxes.all_inner_texts()) == ["mix", "round-1-sft", "round-2-dpo", "side"]
    assert page.locator("dialog fieldset .check:has(:checked)").all_inner_texts() == ["mix"]
    assert grave_violations(page) == []
    page.fill("#mix-name", "twice")
    page.click("#mix-begin")
    page.wait_for_selector("#mix-said >> text=Name 2 to 8 adapters to mix, not 1.")


def test_a_model_that_is_trained_meanwhile_appears_by_itself(place: Place, visit: Visit) -> None:
    page = come(visit, place.url)
    settings = Settings.from_env({}, home=place.store.home.path)

    run_to_the_end(
        place.store, launch(place.store, settings, Request("sft", "round-2-dpo", dataset="facts", name="new"))
    )

    page.wait_for_selector(".model-name >> text=new", timeout=10_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("query", ["", "?model=round-1-sft", "?model=otter"])
def test_every_state_can_be_read_everywhere(seen: Place, visit: Visit, query: str, width: int, scheme: str) -> None:
    page = come(visit, seen.url, query, scheme=scheme, width=width)
    if query.endswith("otter"):
        page.click("#model-chat")
        page.fill("#chat-text", "hello")
        page.click("#chat-send")
        page.wait_for_selector("#chat-again:visible")
        page.click("#chat-settings summary")
    page.evaluate("document.querySelectorAll('.models-known details').forEach((details) => { details.open = true; })")

    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(TOO_WIDE) == []
    assert grave_violations(page) == []
