"""Every page under the eyes of axe-core."""

from collections.abc import Callable
from typing import Any

import pytest

from studio.pages.shell import PAGES, Page
from tests.browser.axe import grave_violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", PAGES, ids=[page.name.lower() for page in PAGES])
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_a_page_has_no_serious_violation(
    page: Page, scheme: str, studio_served: Any, visit: Callable[..., Any]
) -> None:
    opened = visit(studio_served.url, scheme=scheme).open(page.path)
    opened.wait_for_timeout(700)

    assert grave_violations(opened) == []


def test_axe_sees_what_is_wrong(studio_served: Any, visit: Callable[..., Any]) -> None:
    opened = visit(studio_served.url).open("/")
    opened.evaluate("document.body.append(document.createElement('button'))")

    assert grave_violations(opened) == ["button-name: Buttons must have discernible text: body > button"]
