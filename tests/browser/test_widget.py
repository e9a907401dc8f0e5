"""A widget lives through Gradio's updates, talks both ways, and shows hostile text as text."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.kit import REFUSED

CALM = r"Something went wrong in the studio itself \(error [0-9a-f]{8}\); logs.web.log in the home folder says what\."
pytestmark = pytest.mark.browser


@pytest.fixture
def probe(kit_url: str, visit: Callable[..., Any]) -> Any:
    return visit(kit_url).open("/data", wait_for="#probe-out")


def says(page: Any, text: str) -> None:
    page.wait_for_function("text => document.querySelector('#probe-out').textContent === text", arg=text)


def test_its_script_comes_with_the_page_and_its_properties_are_text(probe: Any) -> None:
    assert probe.locator("head script[src*='/static/pages/data.js?v=']").count() == 1
    assert probe.inner_text("#probe-out") == "<b>hello</b>"


def test_it_calls_a_python_function(probe: Any) -> None:
    probe.click("#probe-server")

    says(probe, "double 42")


def test_a_refusal_comes_back_as_the_sentence(probe: Any) -> None:
    probe.click("#probe-refused")

    says(probe, f"refused: {REFUSED} (bad-input)")


def test_it_raises_a_python_event(probe: Any) -> None:
    probe.click("#probe-event")

    probe.wait_for_function("document.querySelector('#seen textarea').value === 'voted a'")


def test_a_new_value_reaches_it_without_a_new_mount(probe: Any) -> None:
    probe.fill("#probe-input", "typed before the update")
    probe.click("#send")

    says(probe, 'value {"n":[1,2]}')
    assert probe.input_value("#probe-input") == "typed before the update"
    assert probe.evaluate("window.probeMounts") == 1


def test_an_error_of_a_handler_is_one_toast_with_the_sentence(probe: Any) -> None:
    probe.click("#fail")

    toast = probe.get_by_test_id("toast-text")
    toast.wait_for()
    assert toast.all_inner_texts() == [REFUSED]
    assert probe.locator("[data-testid=toast-text] b").count() == 0


def test_a_bug_of_the_server_is_a_calm_sentence(probe: Any) -> None:
    probe.click("#probe-bug")

    probe.wait_for_function(f"/^refused: {CALM} \\(bug\\)$/.test(document.querySelector('#probe-out').textContent)")


def test_a_bug_of_a_handler_is_one_calm_toast(probe: Any) -> None:
    probe.click("#bug")

    toast = probe.get_by_test_id("toast-text")
    toast.wait_for()
    assert re.fullmatch(CALM, toast.inner_text())
