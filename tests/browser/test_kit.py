"""The kit of classes and the dressed Gradio components: readable in both themes, whole on a phone."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_pages import CONTRAST, TOO_WIDE, schemes

pytestmark = pytest.mark.browser


@schemes
@pytest.mark.parametrize("width", [1280, 390])
def test_the_kit_can_be_read_and_fits(scheme: str, width: int, kit_url: str, visit: Callable[..., Any]) -> None:
    one = visit(kit_url, width=width, scheme=scheme)
    opened = one.open("/", wait_for="#last-of-kit")
    opened.wait_for_timeout(500)
    one.shot(f"kit-{scheme}-{width}")

    assert opened.evaluate(CONTRAST) == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate(TOO_WIDE) == []


def test_a_finger_hits_every_control_of_the_kit(kit_url: str, visit: Callable[..., Any]) -> None:
    opened = visit(kit_url, width=390, has_touch=True, is_mobile=True).open("/", wait_for="#last-of-kit")
    small = opened.evaluate(
        """() => [...document.querySelectorAll(".shell-bar a, .shell-bar button, .button, .segmented button, .check,"
          + " .field input, .field select, gradio-app button.lg")]
          .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
          .map((e) => `${e.className} ${e.textContent.trim()} ${e.getBoundingClientRect().height}`)"""
    )

    assert small == []
