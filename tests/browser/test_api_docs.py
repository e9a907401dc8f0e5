"""The page about the routes: readable by keyboard, on a phone, in the dark."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.site import Site

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_route_opens_by_keyboard(site: Site, visit: Callable[..., Any], width: int, scheme: str) -> None:
    page = visit(site.url, width=width, scheme=scheme).page
    page.goto(f"{site.url}/api-docs")
    route = page.locator("details.route", has_text="/api/rounds/promote")

    route.locator("summary").focus()
    page.keyboard.press("Enter")

    assert "For trainer, admin." in route.inner_text()
    assert "overrule" in route.inner_text()
    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
