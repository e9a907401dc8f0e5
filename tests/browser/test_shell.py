"""What static/shell.js gives to every page."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def one(kit_url: str, visit: Callable[..., Any]) -> Any:
    visited = visit(kit_url)
    visited.open("/data", wait_for="#probe-out")
    return visited


@pytest.fixture
def page(one: Any) -> Any:
    return one.page


def test_a_key_runs_once_and_not_while_somebody_types(page: Any) -> None:
    page.evaluate(
        "() => { window.hits = 0; ratchet.keys.add({ key: '1', label: 'Vote', run: () => { window.hits += 1; } }); }"
    )

    page.keyboard.press("1")
    page.keyboard.press("Control+1")
    page.keyboard.press("Alt+1")
    page.fill("#probe-input", "")
    page.type("#probe-input", "1 and 11")

    assert page.evaluate("window.hits") == 1
    assert page.input_value("#probe-input") == "1 and 11"


def test_the_newest_binding_of_a_key_wins_and_can_be_taken_away(page: Any) -> None:
    page.evaluate(
        """() => { window.said = [];
          ratchet.keys.add({ key: 'x', label: 'Old', run: () => { window.said.push('old'); } });
          window.off = ratchet.keys.add({ key: 'x', label: 'New', run: () => { window.said.push('new'); } }); }"""
    )

    page.keyboard.press("x")
    page.evaluate("() => { window.off(); }")
    page.keyboard.press("x")

    assert page.evaluate("window.said") == ["new", "old"]


def test_a_question_mark_lists_the_keys_and_escape_closes_the_list(page: Any) -> None:
    page.evaluate("() => { ratchet.keys.add({ key: 'u', label: '<i>Undo</i> the vote', run: () => {} }); }")

    page.keyboard.press("?")
    assert "<i>Undo</i> the vote" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")

    page.locator("dialog").wait_for(state="detached")


def test_el_makes_text_and_never_markup(page: Any) -> None:
    made = page.evaluate(
        """() => ratchet.el("p", { class: "x", title: "<b>" }, "<img src=x onerror=alert(1)>", 7, null, false,
          [ratchet.el("b", {}, "y")]).outerHTML"""
    )

    assert made == '<p class="x" title="&lt;b&gt;">&lt;img src=x onerror=alert(1)&gt;7<b>y</b></p>'


@pytest.mark.parametrize("call", ["el('a', { href: 'javascript:alert(1)' })", "el('a', { onclick: 'alert(1)' })"])
def test_el_refuses_addresses_and_handlers_made_of_text(call: str, page: Any) -> None:
    assert page.evaluate(f"() => {{ try {{ ratchet.{call}; return 'made' }} catch (e) {{ return e.name }} }}") == (
        "TypeError"
    )


def test_poll_never_runs_twice_at_once(page: Any) -> None:
    most = page.evaluate(
        """async () => { let now = 0, most = 0, turns = 0;
          const polled = ratchet.poll(async () => { now += 1; most = Math.max(most, now); turns += 1;
            await new Promise((done) => setTimeout(done, 30)); now -= 1; }, 1);
          for (let i = 0; i < 5; i += 1) { polled.now(); await new Promise((done) => setTimeout(done, 20)); }
          polled.stop(); const kept = turns; await new Promise((done) => setTimeout(done, 80));
          return [most, turns - kept]; }"""
    )

    assert most == [1, 0]


def test_poll_rests_while_the_tab_is_hidden_and_goes_on_when_it_is_seen(page: Any) -> None:
    turns = page.evaluate(
        """async () => { let turns = 0;
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          const polled = ratchet.poll(() => { turns += 1; }, 5);
          await new Promise((done) => setTimeout(done, 60)); const hidden = turns;
          Object.defineProperty(document, "hidden", { value: false, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
          await new Promise((done) => setTimeout(done, 30)); polled.stop(); return [hidden, turns > 0]; }"""
    )

    assert turns == [0, True]


def test_what_was_said_offline_is_kept_shown_and_sent_again(one: Any) -> None:
    one.expected += ["ERR_INTERNET_DISCONNECTED", "404"]
    page = one.page
    page.context.set_offline(True)
    page.evaluate(
        """() => { window.sent = ratchet.api("/api/nothing-here", { body: { id: 1 }, retry: true })
          .catch((error) => error.status); }"""
    )
    page.locator("#connection", has_text="offline, 1 waiting").wait_for()

    page.context.set_offline(False)

    assert page.evaluate("window.sent") == 404
    assert page.locator("#connection").is_hidden()


def test_without_retry_a_lost_connection_is_one_sentence(one: Any) -> None:
    one.expected += ["ERR_INTERNET_DISCONNECTED"]
    one.page.context.set_offline(True)

    said = one.page.evaluate("ratchet.api('/api/x').catch((error) => error.message)")

    assert said == "The studio does not answer: is `ratchet serve` still running?"


def test_the_api_speaks_its_error_sentence(one: Any) -> None:
    one.expected += ["404"]

    said = one.page.evaluate("ratchet.api('/api/nothing').catch((error) => [error.status, error.kind, error.message])")

    assert said == [404, "not-found", "There is nothing at '/api/nothing'."]


def test_a_toast_offers_undo_once(page: Any) -> None:
    page.evaluate("() => { window.undone = 0; ratchet.toast('Vote kept.', 'info', () => { window.undone += 1; }); }")

    page.get_by_role("button", name="Undo").click()

    assert page.evaluate("window.undone") == 1
    assert page.locator(".toast").count() == 0


def test_confirm_answers_what_was_chosen(page: Any) -> None:
    ask = "() => { window.said = ratchet.confirm('Delete?', 'It is gone then.', { yes: 'Delete', danger: true }); }"
    page.evaluate(ask)
    page.get_by_role("button", name="Delete").click()
    assert page.evaluate("window.said") is True

    page.evaluate(ask)
    page.keyboard.press("Escape")
    assert page.evaluate("window.said") is False
