"""The page of models over a real engine: the starter answers in the panel, is loaded then, and leaves with its test."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.conftest import Served

pytestmark = [pytest.mark.browser, pytest.mark.torch, pytest.mark.slow]
PATIENCE = 300_000


def test_the_starter_answers_in_the_panel_and_is_taken_out(starter_served: Served, visit: Callable[..., Any]) -> None:
    page = visit(starter_served.url, fresh=True).open("/models?model=starter")
    page.wait_for_selector(".models-actions")
    page.keyboard.press("c")
    page.click("#chat-settings summary")
    page.fill("#chat-temperature", "0")
    page.fill("#chat-text", "What is the capital of Italy?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#chat-again:visible", timeout=PATIENCE)
    first = page.inner_text(".models-turn.is-assistant .prose")
    assert "Rome" in first
    page.wait_for_selector(".model-row .chip-info >> text=loaded", timeout=PATIENCE)
    page.click("#chat-again")
    page.wait_for_function("document.querySelectorAll('.models-turn .num').length === 1")
    assert page.inner_text(".models-turn.is-assistant .prose") == first  # greedily, so the same again
    assert grave_violations(page) == []

    page.click("#run-export")
    page.wait_for_selector("#export-as option[value=merged]", state="attached")
    assert page.locator("#export-as option[value=adapter]").count() == 0
    page.select_option("#export-as", "merged")
    page.click("#export-begin")
    page.wait_for_selector("#export-file", timeout=PATIENCE)
    assert page.inner_text("#export-test") == "5 of 5 prompts answered alike, 100 % of the tokens."
