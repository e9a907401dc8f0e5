"""People in the browser: the first account, signing in by keyboard, an invitation taken up by a second browser."""

from collections.abc import Callable, Iterator

import pytest

from studio.people.sessions import MOST_PER_NAME
from tests.browser.axe import grave_violations
from tests.browser.conftest import Served, Visit, start_studio, stop_studio

pytestmark = pytest.mark.browser
PASSWORD = "correct horse"
DENIED = "status of 4"  # Chromium logs each 401, 403 and 422


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("people")
    studio = start_studio(folder / "home", folder / "serve.err")
    yield studio
    stop_studio(studio)


def sign_in(one: Visit, name: str, password: str = PASSWORD) -> None:
    """By keyboard alone: the field of the name has the focus."""
    one.page.wait_for_selector("#name:focus")
    one.page.keyboard.type(name)
    one.page.keyboard.press("Tab")
    one.page.keyboard.type(password)
    one.page.keyboard.press("Enter")


def test_from_the_first_account_to_an_annotator_who_sees_the_comparisons_alone(
    served: Served, visit: Callable[..., Visit]
) -> None:
    owner = visit(served.url, fresh=True)
    page = owner.open("/people", wait_for="#add-name")
    assert grave_violations(page) == []
    page.fill("#add-name", "ada")
    page.fill("#add-password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in?next=/people")
    assert grave_violations(page) == []

    owner.expected.append(DENIED)
    sign_in(owner, "ada", "not the password")
    page.wait_for_function("document.getElementById('said').textContent")
    assert page.inner_text("#said") == "The name or the password is wrong."
    page.keyboard.type(PASSWORD)  # the field is selected: typing replaces what was wrong
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Make a link")
    page.click("text=Make a link")
    link = page.inner_text("#invitation-link")
    assert grave_violations(page) == []

    guest = visit(served.url, width=390, scheme="dark", fresh=True)
    guest.expected.append(DENIED)
    guest.page.goto(link)
    assert grave_violations(guest.page) == []
    assert guest.page.evaluate("document.documentElement.scrollWidth") == 390
    sign_in(guest, "ann")
    guest.page.wait_for_url("**/compare")
    guest.page.wait_for_function("!document.getElementById('boot')")
    assert guest.page.locator(".shell-nav a").all_inner_texts() == ["Compare"]
    assert not guest.page.locator("#standings").is_visible()
    guest.page.goto(f"{served.url}/data")
    assert "ann, your role has no part in the page Data." in guest.page.inner_text("main")
    assert grave_violations(guest.page) == []

    guest.page.click(".account summary")
    guest.page.click("#sign-out")
    guest.page.wait_for_url("**/sign-in")
    page.reload()
    page.wait_for_selector("td:has-text('ann')")


def test_an_annotator_changes_the_own_password_by_keyboard(served: Served, visit: Callable[..., Visit]) -> None:
    one, other = visit(served.url, width=390, scheme="dark", fresh=True), visit(served.url, fresh=True)
    for browser in (one, other):
        browser.expected.append(DENIED)
        browser.page.goto(f"{served.url}/sign-in?next=/account")
        sign_in(browser, "ann")
        browser.page.wait_for_selector("#old:focus")
    page = one.page
    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    for said, words in {
        "The new password was typed in two ways; type it again.": (PASSWORD, "another horse", "another hose"),
        "The password that you have now is another one; nothing was changed.": ("wrong", *["another horse"] * 2),
        "": (PASSWORD, "another horse", "another horse"),
    }.items():
        for field, word in zip(("#old", "#new", "#again"), words, strict=True):
            page.fill(field, word)
        page.press("#again", "Enter")
        page.wait_for_function("said => document.getElementById('said').textContent === said", arg=said)
        assert grave_violations(page) == []
    page.wait_for_selector("text=You have a new password. You were signed in once elsewhere; that has ended.")

    other.page.reload()
    other.page.wait_for_url("**/sign-in?next=/account")
    sign_in(other, "ann", "another horse")
    other.page.wait_for_selector("#old:focus")


def test_who_guesses_too_often_reads_when_to_try_again(served: Served, visit: Callable[..., Visit]) -> None:
    one = visit(served.url, width=390, fresh=True)
    one.expected.append(DENIED)
    page = one.page
    page.goto(f"{served.url}/sign-in")
    for number in range(MOST_PER_NAME):
        answer = page.request.post(
            f"{served.url}/api/people/sign-in", data={"name": "nobody here", "password": f"guess {number}"}
        )
        assert answer.status == 401
    sign_in(one, "nobody here")
    page.wait_for_function("document.getElementById('said').textContent")

    assert page.inner_text("#said") == "Too many wrong passwords; try again in 15 minutes."
    assert grave_violations(page) == []


@pytest.mark.parametrize(
    "next_page",
    [
        "//evil.example/",
        "/\\evil.example",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("https://evil.example/", "javascript:x()")),
    ],
)
def test_a_link_leads_to_this_studio_alone(next_page: str, served: Served, visit: Callable[..., Visit]) -> None:
    one = visit(served.url, fresh=True)
    one.page.goto(f"{served.url}/sign-in?next={next_page}")
    sign_in(one, "ada")

    one.page.wait_for_url(f"{served.url}/")
