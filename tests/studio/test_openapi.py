"""/api/openapi.json describes every route of ours, for whom it is and what it refuses; /api-docs shows the same."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from studio.api.allowed import BY_KEY
from studio.api.openapi import SENTENCES, description, operations, who_may
from studio.app import build_app
from studio.people import accounts
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from tests.safety.test_matrix import routes_of

pytestmark = pytest.mark.heavy
HERE = "http://127.0.0.1:7860"
PASSWORD = "correct horse"
WITHOUT = {"/mcp"}  # a protocol of its own


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings.from_env({}, home=tmp_path_factory.mktemp("openapi") / "home", root_path="/ratchet")
    studio = Studio(settings=settings)
    accounts.add(studio.ready, Actor("owner", "admin"), "ada", "admin", PASSWORD)
    with TestClient(build_app(studio), base_url=f"{HERE}/ratchet") as client:
        assert client.post("/api/people/sign-in", json={"name": "ada", "password": PASSWORD}).status_code == 200
        yield client


@pytest.fixture(scope="module")
def said(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/openapi.json").json()
    return found


def _inner(client: TestClient) -> Any:
    return client.app


def test_every_route_is_described_and_no_other(client: TestClient, said: dict[str, Any]) -> None:
    ours = {f"{method} {path}" for method, path in routes_of(_inner(client)) if path.startswith(("/api/", "/v1/"))}

    assert {name for name, _ in operations(said)} == ours
    assert {name for name in BY_KEY if name.split()[1] not in WITHOUT} <= ours


def test_every_route_says_in_a_sentence_what_it_does(said: dict[str, Any]) -> None:
    """Write a docstring in the handler, or a line in studio/api/described.py."""
    without = [name for name, one in operations(said) if one["description"].startswith(("For ", "Open ", "Needs "))]

    assert without == []
    assert [name for name in SENTENCES if name not in {name for name, _ in operations(said)}] == []
    assert [text for text in SENTENCES.values() if not text.endswith((".", ".)"))] == []


def test_it_says_who_may_call_and_how_one_shows_who_one_is(said: dict[str, Any]) -> None:
    found = dict(operations(said))

    assert found["POST /api/rounds/promote"]["x-roles"] == ["trainer", "admin"]
    assert found["POST /api/people/sign-in"]["security"] == []
    assert found["POST /v1/chat/completions"]["security"] == [{"key": []}]
    assert found["GET /api/compare/next"]["security"] == [{"key": []}, {"session": []}]
    assert who_may("GET /api/compare/next") == "For everybody who has signed in."
    assert who_may("DELETE /api/models/{model}") == "For trainer, admin."


def test_every_refusal_has_the_same_shape(said: dict[str, Any]) -> None:
    for name, operation in operations(said):
        assert {"200", "401", "403", "404", "409", "422", "429", "500", "503"} <= set(operation["responses"]), name
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


def test_what_it_refers_to_is_there(said: dict[str, Any]) -> None:
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', str(said).replace("'", '"')))

    assert wanted <= set(said["components"]["schemas"])
    assert said["openapi"].startswith("3.")
    assert said["servers"] == [{"url": "/ratchet"}]


def test_a_method_that_an_address_does_not_know_is_refused_with_those_that_it_knows(client: TestClient) -> None:
    for method in ("DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"):
        answer = client.request(method, "/api/models")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    said = {"kind": "bad-method", "sentence": "This address knows GET and POST, and not TRACE."}
    assert client.request("TRACE", "/api/models").json() == {"error": said}
    assert client.request("TRACE", "/api/no-such").status_code == 404


def test_asking_twice_says_the_same(client: TestClient, said: dict[str, Any]) -> None:
    assert client.get("/api/openapi.json").json() == said
    assert description(_inner(client))["info"]["title"] == "Ratchet"


def test_the_page_shows_every_route_without_a_script(client: TestClient, said: dict[str, Any]) -> None:
    page = client.get("/api-docs").text

    shown = page[page.index("<main") :]
    assert "<script" not in shown
    assert [path for path in said["paths"] if f"<code>{path}</code>" not in shown] == []
    assert shown.count('<details class="route">') == len(list(operations(said)))
