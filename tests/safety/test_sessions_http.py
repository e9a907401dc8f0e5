"""Signing in over HTTP: the cookie, guesses, planted tokens, other sites, invitations."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from storage import people
from studio.app import build_app
from studio.people import accounts
from studio.people.sessions import MOST_PER_NAME
from studio.settings import Settings
from studio.studio import Studio
from tests.safety.conftest import HERE, OWNER, PASSWORD

pytestmark = pytest.mark.heavy

COOKIE = "ratchet_session_7860"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A studio with an administrator and an annotator."""
    made = Studio(settings=Settings.from_env({}, home=tmp_path / "home"))
    accounts.add(made.store, OWNER, "ada", "admin", PASSWORD)
    accounts.add(made.store, OWNER, "ann", "annotator", PASSWORD)
    return made


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    with TestClient(build_app(studio), base_url=HERE, follow_redirects=False) as opened:
        yield opened


def sign_in(client: TestClient, name: str = "ada", password: str = PASSWORD, **more: object) -> int:
    answer = client.post("/api/people/sign-in", json={"name": name, "password": password}, **more)  # type: ignore[arg-type]
    return answer.status_code


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_cookie_is_for_this_studio_alone(scheme: str, secure: bool, studio: Studio) -> None:
    with TestClient(build_app(studio), base_url=f"{scheme}://127.0.0.1:7860") as client:
        answer = client.post("/api/people/sign-in", json={"name": "ada", "password": PASSWORD})

    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], bool(cookie["secure"]), cookie["path"], cookie["domain"]) == (
        True, "lax", secure, "/", "",
    )  # fmt: skip
    assert cookie.value not in str(studio.store.rows("select * from sessions"))
    assert cookie.value not in answer.text


def test_guessing_is_stopped_even_when_the_last_guess_is_right(client: TestClient) -> None:
    guesses = [sign_in(client, password=f"guess number {n}") for n in range(MOST_PER_NAME)]

    assert guesses == [401] * MOST_PER_NAME
    assert (sign_in(client), sign_in(client, "ADA"), sign_in(client, "ann")) == (429, 429, 200)


def test_a_wrong_name_and_a_wrong_password_are_told_alike(client: TestClient) -> None:
    answers = [
        client.post("/api/people/sign-in", json={"name": name, "password": "not the one"}) for name in ("ada", "nobody")
    ]

    assert {answer.text for answer in answers} == {
        '{"error":{"kind":"sign-in","sentence":"The name or the password is wrong."}}'
    }


def test_a_planted_token_is_worth_nothing_before_and_after(client: TestClient, studio: Studio) -> None:
    client.cookies.set(COOKIE, "planted-by-somebody-else")
    assert client.get("/api/people/me").status_code == 401

    assert sign_in(client) == 200

    tokens = {cookie.value for cookie in client.cookies.jar if cookie.value != "planted-by-somebody-else"}
    assert len(tokens) == 1
    client.cookies.clear()
    client.cookies.set(COOKIE, "planted-by-somebody-else")
    assert client.get("/api/people/me").status_code == 401


def test_signing_in_again_and_signing_out_end_the_session(client: TestClient, studio: Studio) -> None:
    sign_in(client)
    first = client.cookies[COOKIE]
    sign_in(client, "ann")
    second = client.cookies[COOKIE]
    client.post("/api/people/sign-out")

    assert first != second
    for token in (first, second):
        client.cookies.clear()
        client.cookies.set(COOKIE, token)
        assert client.get("/api/people/me").status_code == 401
    assert studio.store.value("select count(*) from sessions") == 0


def test_another_role_or_password_ends_the_sessions(client: TestClient, studio: Studio) -> None:
    sign_in(client, "ann")
    assert client.get("/api/people/me").json()["role"] == "annotator"

    accounts.set_role(studio.store, OWNER, "ann", "curator")

    assert client.get("/api/people/me").status_code == 401


def test_an_annotator_changes_the_own_password_and_is_out_everywhere_else(client: TestClient, studio: Studio) -> None:
    sign_in(client, "ann")
    with TestClient(build_app(studio), base_url=HERE) as elsewhere, TestClient(build_app(studio), base_url=HERE) as ada:
        assert (sign_in(elsewhere, "ann"), sign_in(ada, "ada")) == (200, 200)

        changed = client.post("/api/people/me/password", json={"old": PASSWORD, "new": "another horse"})

        assert (changed.status_code, changed.json()) == (200, {"changed": True, "ended": 1})
        here = [one.get("/api/people/me").status_code for one in (client, elsewhere, ada)]
    assert here == [200, 401, 200]
    assert (sign_in(client, "ann"), sign_in(client, "ann", "another horse")) == (401, 200)


def test_the_own_password_is_changed_against_the_old_one_alone(client: TestClient, studio: Studio) -> None:
    sign_in(client, "ann")
    before = people.get_person(studio.store, "ann").password
    guesses = [
        client.post("/api/people/me/password", json={"old": f"guess {n}", "new": "another horse"}).status_code
        for n in range(MOST_PER_NAME + 1)
    ]

    assert guesses == [422] * MOST_PER_NAME + [429]
    assert people.get_person(studio.store, "ann").password == before


@pytest.mark.parametrize(
    "path",
    ["/api/people/sign-in", "/api/people/sign-out", "/api/people", "/api/people/join", "/api/people/me/password"],
)
def test_another_sites_page_can_neither_sign_in_nor_out(path: str, client: TestClient) -> None:
    sign_in(client)

    answer = client.post(path, json={}, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"})

    assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "wrong-origin")
    assert client.get("/api/people/me").json()["name"] == "ada"


def test_an_invitation_makes_one_account_of_its_role(client: TestClient, studio: Studio) -> None:
    sign_in(client)
    made = client.post("/api/people/invitations", json={"role": "annotator"}).json()
    token = made["path"].removeprefix("/join/")
    client.cookies.clear()

    assert client.get(made["path"]).status_code == 200
    joined = client.post("/api/people/join", json={"token": token, "name": "bob", "password": PASSWORD})
    again = client.post("/api/people/join", json={"token": token, "name": "eve", "password": PASSWORD})

    assert (joined.json()["name"], joined.json()["role"]) == ("bob", "annotator")
    assert client.get("/api/people/me").json()["may"] == ["judge"]
    assert again.status_code == 404
    assert people.find_person(studio.store, "eve") is None


def test_a_curator_invites_annotators_and_nobody_else(client: TestClient, studio: Studio) -> None:
    accounts.add(studio.store, OWNER, "cy", "curator", PASSWORD)
    admins = accounts.invite(studio.store, OWNER, "admin")
    sign_in(client, "cy")

    allowed = {role: client.post("/api/people/invitations", json={"role": role}).status_code
               for role in ("annotator", "curator", "trainer", "admin")}  # fmt: skip
    seen = client.get("/api/people").json()

    assert allowed == {"annotator": 200, "curator": 403, "trainer": 403, "admin": 403}
    assert (seen["people"], [one["role"] for one in seen["invitations"]]) == ([], ["annotator"])
    assert client.delete(f"/api/people/invitations/{admins.id}").status_code == 403
    assert client.delete(f"/api/people/invitations/{seen['invitations'][0]['id']}").status_code == 200


def test_the_last_administrator_stays(client: TestClient, studio: Studio) -> None:
    sign_in(client)

    answers = [client.patch("/api/people/ada", json=change).status_code
               for change in ({"role": "curator"}, {"disabled": True})]  # fmt: skip

    assert answers == [409, 409]
    assert people.get_person(studio.store, "ada").role == "admin"


def test_on_a_machine_of_ones_own_nobody_signs_in_until_there_is_an_account(tmp_path: Path) -> None:
    studio = Studio(settings=Settings.from_env({"RATCHET_ANNOTATOR": "owner"}, home=tmp_path / "home"))
    with TestClient(build_app(studio), base_url=HERE, follow_redirects=False) as client:
        me = client.get("/api/people/me").json()
        wrong = client.post("/api/people", json={"name": "ann", "password": PASSWORD, "role": "annotator"})
        early = client.post("/api/people/invitations", json={"role": "annotator"})
        made = client.post("/api/people", json={"name": "ada", "password": PASSWORD, "role": "admin"})
        after = client.get("/api/people/me")

    assert (me["name"], me["role"], me["signed_in"]) == ("owner", "admin", False)
    assert [wrong.status_code, early.status_code] == [422, 422]
    assert "first account must be an administrator's" in wrong.json()["error"]["sentence"]
    assert (made.status_code, after.status_code) == (200, 401)


def test_behind_a_name_for_others_nobody_is_the_owner(tmp_path: Path) -> None:
    studio = Studio(settings=Settings.from_env({}, home=tmp_path / "home", allow_host=["studio.example"]))
    with TestClient(build_app(studio), base_url="http://studio.example", follow_redirects=False) as client:
        assert client.get("/api/people/me").status_code == 401
        assert client.get("/", headers={"host": "other.example"}).status_code == 400


def test_edits_are_kept_under_the_name_of_who_signed_in(client: TestClient, studio: Studio) -> None:
    sign_in(client)
    client.post("/api/data/datasets", json={"name": "facts"})
    turns = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}]

    row = client.post("/api/data/datasets/facts/rows", json={"content": {"messages": turns}, "author": "eve"})

    assert (row.status_code, row.json()["author"]) == (200, "ada")
