"""What somebody reaches who has a demo's link and nothing else: that demo, static files, and the door."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient

from storage.models import add_model
from studio.api.allowed import EXACT
from studio.demos import making, quarantine
from studio.pages.shell import PAGES
from tests.safety.conftest import HERE, OWNER, House
from tests.safety.test_matrix import ask, routes_of
from tests.talker import Talker

pytestmark = pytest.mark.heavy

SECRETS = ("nimble-otter", "starter", "owner", "endpoint")
"""Names of the project that no visitor may read."""


class Visitor(NamedTuple):
    """A browser at a demo's link."""

    client: TestClient
    link: str
    name: str

    def answer(self, **body: Any) -> list[dict[str, Any]]:
        """Ask; the events, or fail with what was said instead."""
        told = self.client.post(f"/api{self.link}/answer", json=body)
        assert told.status_code == 200, told.text
        return [json.loads(line.removeprefix("data: ")) for line in told.text.split("\n\n") if line]


@pytest.fixture(scope="module")
def talker() -> Iterator[Talker]:
    """Says the same to everybody."""
    made = Talker({"o": lambda messages, seed: "It is <img src=x onerror=alert(1)> nine."})
    yield made
    made.close()


@pytest.fixture(scope="module")
def furnished(house: House, talker: Talker) -> House:
    """A studio with a model that speaks."""
    add_model(house.studio.store, "nimble-otter", "endpoint", url=talker.url, remote_name="o")
    return house


@pytest.fixture
def visitor(furnished: House, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Somebody with the link of a demo of this test's own."""
    name = request.node.name.removeprefix("test_")[:60]
    terms = {"title": "Ask <b>us</b>", "lead": "No & yes", "comparing": "wish"}
    made = making.make(furnished.studio.store, OWNER, name.replace("[", "-").replace("]", ""), ["nimble-otter"], terms)
    client = TestClient(furnished.app, base_url=HERE, follow_redirects=False)
    client.get(f"/api{made.path}")
    yield Visitor(client, made.path, made.demo.name)
    client.close()


def test_the_link_opens_its_page_and_its_routes(visitor: Visitor) -> None:
    page = visitor.client.get(visitor.link)
    told = visitor.client.get(f"/api{visitor.link}")
    begin, *pieces, end = visitor.answer(text="How many?")
    vote = visitor.client.post(f"/api{visitor.link}/vote", json={"answers": begin["answers"], "choice": "up"})

    assert page.status_code == 200
    assert "Ask &lt;b&gt;us&lt;/b&gt;" in page.text
    assert "Ask <b>us</b>" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert told.json()["title"] == "Ask <b>us</b>"
    assert "".join(piece["text"] for piece in pieces) == "It is <img src=x onerror=alert(1)> nine."
    assert end == {"kind": "end", "side": 0, "finish": "stop"}
    assert vote.json() == {"kept": True}


def test_nothing_else_opens(visitor: Visitor, furnished: House) -> None:
    visitor.answer(text="Hi")  # with the cookie that the demo gave

    reached = []
    for method, path in routes_of(furnished.app):
        rule = f"{method} {path}"
        if rule in EXACT and EXACT[rule] is None:
            continue
        answer = ask(visitor.client, method, path)
        if answer.status_code not in (401, 303) or (path.startswith("/api/") and answer.status_code != 401):
            reached.append(f"{rule}: {answer.status_code}")
    pages = {page.path: visitor.client.get(page.path).status_code for page in PAGES}
    gradio = [visitor.client.get(f"/gradio_api/{path}").status_code for path in ("startup-events", "theme.css", "info")]

    assert reached == []
    assert set(pages.values()) == {303}
    assert gradio == [401] * 3
    assert visitor.client.get(f"/api{visitor.link}/votes").status_code == 401
    assert visitor.client.get("/static/demo.js").status_code == 200


def test_nothing_lies_below_a_link(visitor: Visitor) -> None:
    for below in ("/", "/x", "/gradio_api/info", "/config", "/theme.css", "/..%2fstudies", "/run/predict", "//studies"):
        page = visitor.client.get(f"{visitor.link}{below}")
        api = visitor.client.get(f"/api{visitor.link}{below}")

        assert (page.status_code, api.status_code) == (303, 401), below
        assert page.headers["location"].startswith("/sign-in"), below


def test_nothing_of_the_project_leaks(visitor: Visitor, furnished: House) -> None:
    events = visitor.answer(text="Hi", pair=True)
    texts = [
        visitor.client.get(visitor.link).text,
        visitor.client.get(f"/api{visitor.link}").text,
        json.dumps([event for event in events if event["kind"] != "text"]),
        visitor.client.post(f"/api{visitor.link}/vote", json={"answers": events[0]["answers"], "choice": "tie"}).text,
    ]

    assert [(secret, text[:80]) for secret in SECRETS for text in texts if secret in text] == []
    assert visitor.name not in "".join(texts)


def test_what_goes_wrong_leaks_nothing_either(visitor: Visitor, talker: Talker) -> None:
    talker.failing = True
    try:
        events = visitor.answer(text="Hi")
    finally:
        talker.failing = False

    sentence = "The model cannot answer at this moment; try again in a little while."
    assert events[1:] == [{"kind": "error", "side": 0, "sentence": sentence}]


def test_a_wrong_and_a_closed_link_look_alike(visitor: Visitor, furnished: House) -> None:
    making.close(furnished.studio.store, OWNER, visitor.name)

    for link in (visitor.link, "/demo/wrong", "/demo/%ED%A0%80", f"{visitor.link}x"):
        page, told = visitor.client.get(link), visitor.client.get(f"/api{link}")
        asked = visitor.client.post(f"/api{link}/answer", json={"text": "Hi"})
        assert (page.status_code, told.status_code, asked.status_code) == (404, 404, 404), link
        assert "There is no demo at this address, or it has been closed." in page.text
        assert told.json() == asked.json()


def test_a_visitor_goes_on_from_the_own_answers_alone(visitor: Visitor, furnished: House) -> None:
    begin, *_ = visitor.answer(text="Hi")
    other = TestClient(furnished.app, base_url=HERE)
    other.get(f"/api{visitor.link}")
    stolen = other.post(f"/api{visitor.link}/answer", json={"text": "And?", "parent": begin["answers"][0]})
    vote = other.post(f"/api{visitor.link}/vote", json={"answers": begin["answers"], "choice": "down"})

    assert (stolen.status_code, vote.status_code) == (404, 404)
    assert visitor.answer(text="And?", parent=begin["answers"][0])[-1]["finish"] == "stop"


def test_the_cookie_of_a_visitor_is_for_these_routes_and_no_script(furnished: House, visitor: Visitor) -> None:
    fresh = TestClient(furnished.app, base_url=HERE)
    (cookie,) = fresh.get(f"/api{visitor.link}").headers.get_list("set-cookie")
    again = fresh.get(f"/api{visitor.link}").headers.get_list("set-cookie")

    assert cookie.startswith("ratchet_visitor_7860=")
    assert {"HttpOnly", "Path=/api/demo", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert again == []


def test_too_many_questions_are_told_so(furnished: House) -> None:
    made = making.make(furnished.studio.store, OWNER, "slow", ["nimble-otter"], {"rate": 1, "comparing": "never"})
    client = TestClient(furnished.app, base_url=HERE)
    first, second = [client.post(f"/api{made.path}/answer", json={"text": "Hi"}) for _ in range(2)]

    assert (first.status_code, second.status_code) == (200, 429)
    assert "more than 1 question a minute from one place" in second.json()["error"]["sentence"]


@pytest.mark.parametrize(
    "body",
    [{}, {"text": 7}, {"text": "x" * 20_001}, {"text": "Hi", "parent": "\ud800"}, {"text": "Hi", "parent": "1"},
     {"text": "\ud800"}, {"text": "Hi", "temperature": "hot"}, {"text": "Hi", "model": -1}, [], "text", None],
)  # fmt: skip
def test_a_hostile_question_is_refused_with_a_sentence(visitor: Visitor, body: Any) -> None:
    content = json.dumps(body)  # lone surrogates as JSON escapes them

    answer = visitor.client.post(
        f"/api{visitor.link}/answer", content=content, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["error"]["sentence"]


def test_who_is_signed_in_is_a_visitor_there_like_any_other(visitor: Visitor, signed: dict[str, TestClient]) -> None:
    told = [client.get(f"/api{visitor.link}").json() for client in signed.values()]

    assert all(one == told[0] for one in told)


def test_demos_are_made_by_curators_and_never_by_annotators_or_trainers(
    signed: dict[str, TestClient], visitor: Visitor
) -> None:
    begin, *_ = visitor.answer(text="Hi")
    visitor.client.post(f"/api{visitor.link}/vote", json={"answers": begin["answers"], "choice": "up"})
    body = {"name": "by-role", "models": ["nimble-otter"], "terms": {"title": "Hi"}}

    made = {role: client.post("/api/demos", json=body).status_code for role, client in signed.items()}
    votes = {role: client.get(f"/api/demos/{visitor.name}/votes").status_code for role, client in signed.items()}
    accepted = signed["curator"].post(f"/api/demos/{visitor.name}/accept", json={})

    assert made == {"annotator": 403, "curator": 200, "trainer": 403, "admin": 409, "nobody": 401}
    assert votes == {"annotator": 403, "curator": 200, "trainer": 200, "admin": 200, "nobody": 401}
    assert accepted.json()["accepted"] == 1


def test_the_list_of_demos_opens_none(signed: dict[str, TestClient], visitor: Visitor) -> None:
    listed = signed["admin"].get("/api/demos").text

    assert visitor.name in listed
    assert visitor.link.removeprefix("/demo/") not in listed


def test_another_sites_page_cannot_ask_in_a_visitors_name(visitor: Visitor, furnished: House) -> None:
    answer = visitor.client.post(
        f"/api{visitor.link}/answer", json={"text": "Hi"}, headers={"Origin": "https://elsewhere.example"}
    )

    assert answer.status_code == 403
    assert quarantine.waiting(furnished.studio.store, OWNER, visitor.name) == []
