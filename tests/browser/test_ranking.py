"""The layout "rank" in Chromium: by number keys, by dragging with mouse and finger, ties, and what is stored."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.conftest import Visit
from tests.browser.court import NAMES, ROOT, Court, hold, on_to_the_next, ready, shown
from tests.browser.site import Site

pytestmark = pytest.mark.browser

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
PAPER = (
    "A **paragraph** of an answer that goes on for a while, so that cards have something to hold.\n\n"
    "- first\n- second\n\n```python\nprint(6 * 7)\n```\n\n"
)


@pytest.fixture
def court(site: Site, request: pytest.FixtureRequest) -> Callable[..., Court]:
    """`court(sides)`: a study of this test's own, with six comparisons of so many answers."""

    def holder(sides: int, rounds: int = 6, text: str = "", **settings: Any) -> Court:
        name = f"{request.node.name[5:40].split('[')[0].strip('_').replace('_', '-')}-{sides}"
        answers = [[f"{text}{WORDS[place]} {number}" for place in range(sides)] for number in range(rounds)]
        return hold(site.url, site.store, name, answers, layout="rank", **settings)

    return holder


def order_of(court: Court, page_order: list[str], ranking: list[list[int]]) -> list[list[int]]:
    """What the store must hold: positions, where the page was told sides."""
    return [sorted(WORDS.index(page_order[side].split()[-2]) for side in group) for group in ranking]


def ladder(page: Any) -> list[str]:
    """The placed groups, best first."""
    texts: list[str] = page.eval_on_selector_all(
        ".ladder .rung",
        "(rungs) => rungs.map((rung) => [...rung.querySelectorAll('.stone')].map((s) => s.textContent).join(' = '))",
    )
    return texts


def stored(court: Court) -> list[Any]:
    """The orders in the store, as groups; one that stands alone may be stored without its list."""
    return [
        [sorted(group) if isinstance(group, list) else [group] for group in vote.ranking or []]
        for vote in court.votes()
    ]


def test_number_keys_best_first_and_enter_saves(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(4)
    page = visit(at.url).open(at.path)
    ready(page)
    texts = shown(page)

    for key in "314":
        page.keyboard.press(key)
    assert ladder(page) == ["C", "A", "D"]
    assert page.locator(".place").all_inner_texts() == ["2nd", "Place", "1st", "3rd"]
    on_to_the_next(page, lambda: page.keyboard.press("Enter"))

    assert [vote.choice for vote in at.votes()] == ["ranking"]
    assert stored(at) == [order_of(at, texts, [[2], [0], [3], [1]])]
    assert page.inner_text(".reveal").endswith("You said: C > A > D > B.")


def test_ties_by_sign_and_by_shift_and_the_last_taken_back(
    court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    at = court(5)
    page = visit(at.url).open(at.path)
    ready(page)
    texts = shown(page)

    page.keyboard.press("2")
    page.keyboard.press("=")
    assert "the next one is tied" in page.inner_text(".ladder-hint")
    page.keyboard.press("4")
    page.keyboard.press("1")
    page.keyboard.press("Shift+Digit5")
    assert ladder(page) == ["B = D", "A = E"]
    assert page.locator(".place").all_inner_texts() == ["3rd, tied", "1st, tied", "Place", "1st, tied", "3rd, tied"]

    page.keyboard.press("Backspace")
    assert ladder(page) == ["B = D", "A"]
    page.keyboard.press("Enter")
    assert at.votes() == [], "two are left, so there is no order yet"

    page.keyboard.press("3")
    on_to_the_next(page, lambda: page.keyboard.press("Enter"))
    assert stored(at) == [order_of(at, texts, [[1, 3], [0], [2], [4]])]


def test_a_key_pressed_twice_places_once_and_nothing_saves_before_the_order_stands(
    court: Callable[..., Court], visit: Callable[..., Visit]
) -> None:
    at = court(3)
    page = visit(at.url).open(at.path)
    ready(page)

    page.keyboard.press("Enter")
    page.keyboard.press("2")
    page.keyboard.press("2")
    page.keyboard.press("9")
    page.keyboard.press("Enter")

    assert ladder(page) == ["B"]
    assert page.locator(".rank-save").is_disabled()
    assert at.votes() == []


def test_a_session_by_keyboard_with_undo(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(3)
    page = visit(at.url).open(at.path)
    expected = []
    for keys in ("123", "231", "312"):
        ready(page)
        texts = shown(page)
        expected.append(order_of(at, texts, [[int(key) - 1] for key in keys]))
        for key in keys:
            page.keyboard.press(key)
        on_to_the_next(page, lambda: page.keyboard.press("Enter"))
    assert stored(at) == expected

    ready(page)
    on_to_the_next(page, lambda: page.keyboard.press("z"))
    ready(page)
    assert stored(at) == expected[:2]
    assert ladder(page) == [], "an order taken back is said anew"


def drag(page: Any, what: str, where: tuple[float, float]) -> None:
    """With the mouse, in steps as a hand does."""
    box = page.locator(what).first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(where[0], where[1], steps=6)
    page.mouse.up()
    page.wait_for_timeout(50)


def middle(page: Any, what: str, share: float = 0.5) -> tuple[float, float]:
    box = page.locator(what).first.bounding_box()
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


def test_dragging_orders_ties_and_takes_off(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(4)
    page = visit(at.url).open(at.path)
    ready(page)
    texts = shown(page)
    stone = ".ladder .stone[data-side='{}']"
    page.evaluate("document.querySelector('.rank-save').scrollIntoView()")

    drag(page, stone.format(3), middle(page, ".ladder-end"))
    assert ladder(page) == ["D"]
    drag(page, stone.format(0), middle(page, ".rung", 0.02))
    assert ladder(page) == ["A", "D"]
    drag(page, stone.format(1), middle(page, ".rung >> nth=1"))
    assert ladder(page) == ["A", "D = B"], "dropped on a rung is a tie"
    drag(page, stone.format(3), middle(page, ".rung", 0.02))
    assert ladder(page) == ["D", "A", "B"]
    drag(page, stone.format(0), (5, 5))
    assert ladder(page) == ["D", "A", "B"], "dropped elsewhere changes nothing"
    drag(page, ".pane-c .grip", middle(page, ".rung >> nth=2"))
    assert ladder(page) == ["D", "A", "B = C"], "a card's grip does the same"

    on_to_the_next(page, page.locator(".rank-save").click)
    assert stored(at) == [order_of(at, texts, [[3], [0], [1, 2]])]


def test_buttons_do_the_same_as_keys(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(3)
    page = visit(at.url).open(at.path)
    ready(page)
    texts = shown(page)

    page.get_by_role("button", name="Place answer B next").first.click()
    page.locator(".pane-a .place").click()
    page.get_by_role("button", name="Tie B and A").click()
    assert ladder(page) == ["B = A"]
    page.get_by_role("button", name="B before A").click()
    assert ladder(page) == ["B", "A"]
    page.locator(".pane-b .place").click()
    assert ladder(page) == ["A"]
    page.locator(".pane-b .place").click()
    on_to_the_next(page, lambda: page.keyboard.press("Enter"))

    assert stored(at) == [order_of(at, texts, [[0], [1], [2]])]


def test_a_finger_drags_on_a_phone(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(3, text=PAPER)
    one = visit(at.url, width=390, height=844, has_touch=True, is_mobile=True)
    page = one.open(at.path)
    ready(page)
    send = page.context.new_cdp_session(page).send

    def touch(kind: str, x: float, y: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for side in (2, 0):
        from_x, from_y = middle(page, f".ladder .stone[data-side='{side}']")
        to_x, to_y = middle(page, ".ladder-end")
        touch("touchStart", from_x, from_y)
        for step in range(1, 7):
            touch("touchMove", from_x + (to_x - from_x) * step / 6, from_y + (to_y - from_y) * step / 6)
        touch("touchEnd", to_x, to_y)
        page.wait_for_timeout(80)

    assert ladder(page) == ["A", "C"]
    small = page.eval_on_selector_all(
        ".ladder .stone, .place, .rank-save, .between",
        "(all) => all.map((e) => e.getBoundingClientRect().height).filter((height) => height < 43.5)",
    )
    assert small == []
    on_to_the_next(page, page.locator(".rank-save").click)
    assert len(at.votes()) == 1


def test_eight_answers_are_ranked(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(8)
    page = visit(at.url).open(at.path)
    ready(page)
    texts = shown(page)
    for key in "87654321":
        page.keyboard.press(key)
    on_to_the_next(page, lambda: page.keyboard.press("Enter"))

    assert stored(at) == [order_of(at, texts, [[side] for side in range(7, -1, -1)])]
    assert [name for name in NAMES if name in page.inner_text(".reveal")] == list(NAMES)


def test_no_name_is_told_before_the_order_is_saved(court: Callable[..., Court], visit: Callable[..., Visit]) -> None:
    at = court(3)
    one = visit(at.url)
    bodies: list[str] = []
    one.page.on("response", lambda answer: bodies.append(answer.text() if "/api/compare" in answer.url else ""))
    page = one.open(at.path)
    ready(page)
    page.wait_for_timeout(500)

    assert len([body for body in bodies if body]) >= 2
    assert [name for name in NAMES if any(name in body for body in bodies)] == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_it_looks_right(court: Callable[..., Court], visit: Callable[..., Visit], width: int, scheme: str) -> None:
    sides = 6 if scheme == "dark" else 4
    at = court(sides, text=PAPER, strength="off") if width == 1280 else court(sides + 1, text=PAPER)
    one = visit(at.url, width=width, height=844, scheme=scheme)
    page = one.open(at.path)
    ready(page)
    for key in ("2", "1", "=", "3"):
        page.keyboard.press(key)

    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    bar = page.locator(".vote-bar").bounding_box()
    assert bar["y"] + bar["height"] <= 845, "the ladder is in reach without scrolling"
    assert page.get_attribute(ROOT, "data-state") == "ready"
    one.shot(f"rank-{width}-{scheme}")
