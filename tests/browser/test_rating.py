"""The layout "rate" in Chromium: one answer, one key; thumbs and steps."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.conftest import Visit
from tests.browser.court import NAMES, Court, hold, on_to_the_next, ready, shown
from tests.browser.site import Site

pytestmark = pytest.mark.browser

LONG = "A *short* story.\n\n" + "\n\n".join(f"Paragraph {number} of it, with $x_{number}$." for number in range(12))


@pytest.fixture
def court(site: Site, request: pytest.FixtureRequest) -> Callable[..., Court]:
    """`court(scale)`: a study of this test's own, with eight answers to be rated."""

    def holder(scale: int, text: str = "", name: str | None = None, **settings: Any) -> Court:
        name = name or f"{request.node.name[5:40].split('[')[0].strip('_').replace('_', '-')}-{scale}"
        answers = [[f"{text}Answer {number}."] for number in range(8)]
        return hold(site.url, site.store, name, answers, layout="rate", scale=scale, **settings)

    return holder


def said(court: Court) -> list[tuple[str, float | None]]:
    return [(vote.choice, vote.rating) for vote in court.votes()]


def test_five_steps_by_number_keys_and_undo(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(5)
    page = visit(at.url).open(at.path)
    for key in "15342":
        ready(page)
        on_to_the_next(page, lambda key=key: page.keyboard.press(key))
    assert said(at) == [("rating", number) for number in (1, 5, 3, 4, 2)]
    assert page.inner_text(".reveal").endswith("You said: 2 of 5.")

    ready(page)
    on_to_the_next(page, lambda: page.keyboard.press("Control+z"))
    ready(page)
    page.keyboard.press("6")
    assert said(at) == [("rating", number) for number in (1, 5, 3, 4)]

    on_to_the_next(page, lambda: page.get_by_role("button", name="5 of 5, very good").click())
    assert said(at)[4:] == [("rating", 5)]


def test_thumbs_by_keys_arrows_and_buttons(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(2)
    page = visit(at.url).open(at.path)
    for key in ("1", "2", "ArrowDown", "ArrowUp"):
        ready(page)
        on_to_the_next(page, lambda key=key: page.keyboard.press(key))
    ready(page)
    on_to_the_next(page, lambda: page.get_by_role("button", name="good", exact=True).click())

    assert said(at) == [("rating", number) for number in (1, 2, 1, 2, 2)]


def test_no_name_is_told_before_the_rating_and_tools_for_two_sides_are_away(
    court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    at = court(5)
    one = visit(at.url)
    bodies: list[str] = []
    one.page.on("response", lambda answer: bodies.append(answer.text() if "/api/compare" in answer.url else ""))
    page = one.open(at.path)
    ready(page)
    assert len(shown(page)) == 1
    page.wait_for_timeout(500)

    assert len([body for body in bodies if body]) >= 2
    assert [name for name in NAMES if any(name in body for body in bodies)] == []
    assert page.locator(".reading-tools").is_hidden()
    on_to_the_next(page, lambda: page.keyboard.press("4"))
    assert NAMES[0] in page.inner_text(".reveal")


@pytest.mark.parametrize(
    ("width", "scheme", "scale"),
    [(1280, "light", 5), (1280, "dark", 2), (390, "light", 2), (390, "dark", 7)],
)
def test_it_looks_right(
    court: Callable[..., Court], visit: Callable[..., Visit], width: int, scheme: str, scale: int
) -> None:
    at = court(scale, text=LONG, name=f"looks-{width}-{scheme}")
    one = visit(at.url, width=width, height=844, scheme=scheme)
    page = one.open(at.path)
    ready(page)

    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    bar = page.locator(".vote-bar").bounding_box()
    assert bar["y"] + bar["height"] <= 845, "the steps are in reach without scrolling"
    one.shot(f"rate-{width}-{scheme}")
