"""Who may do what: every route and page of the running application, asked by every role.

The routes come from the application, not from a list: one without a rule in studio/api/allowed.py fails here. What is
asked for does not exist, so a permitted request ends in 404 or 422 and changes nothing; a forbidden one must end in
401 or 403 before anything is looked up.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from studio.api.allowed import ELSEWHERE, EXACT, action_for, known
from studio.pages.shell import PAGES
from studio.people.roles import ROLES
from tests.safety.conftest import House

pytestmark = pytest.mark.heavy

# What the matrix does not press, because it would end the session that it asks with.
UNPRESSED = {"POST /api/people/sign-out"}


def routes_of(app: Any) -> Iterator[tuple[str, str]]:
    """Each method and path of our own routes."""
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes_of(inner)
        elif getattr(route, "methods", None) and route.path not in ELSEWHERE:
            yield from ((method, route.path) for method in sorted(route.methods - {"HEAD"}))


def test_the_routes_are_found(house: House) -> None:
    found = set(routes_of(house.app))

    assert {("POST", "/api/compare/vote"), ("DELETE", "/api/data/datasets/{name}"), ("GET", "/people")} < found
    assert len(found) > 80


def test_every_route_has_a_rule(house: House) -> None:
    assert [f"{method} {path}" for method, path in routes_of(house.app) if not known(method, path)] == []


def test_only_the_door_is_open_to_everybody(house: House) -> None:
    assert {rule for rule, action in EXACT.items() if action is None} == {
        "GET /sign-in", "GET /join/{token}", "POST /api/people/sign-in", "POST /api/people/sign-out",
        "POST /api/people/join",
        "GET /demo/{link}", "GET /api/demo/{link}", "POST /api/demo/{link}/answer", "POST /api/demo/{link}/vote",
    }  # fmt: skip


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_each_role_is_let_in_where_its_role_says_so_and_nowhere_else(
    role: str, house: House, signed: dict[str, TestClient]
) -> None:
    wrong = []
    before = house.studio.store.rows("select name, role, password, disabled_at from people order by id")
    for method, path in routes_of(house.app):
        action = action_for(method, path)
        if not path.startswith("/api/") or f"{method} {path}" in UNPRESSED or action is None:
            continue
        answer = ask(signed[role], method, path)
        expected = 401 if role == "nobody" else (None if action in ROLES[role] else 403)
        let_in = answer.status_code not in (401, 403)
        if (let_in and expected) or (not let_in and answer.status_code != expected):
            wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:80]}")

    assert wrong == []
    assert house.studio.store.rows("select name, role, password, disabled_at from people order by id") == before


def ask(client: TestClient, method: str, path: str) -> Any:
    """One request for something that does not exist."""
    address = re.sub(r"{[^}]*}", "no-such-thing", path)
    body = None if method in ("GET", "DELETE") else {}
    return client.request(method, address, json=body)


@pytest.mark.parametrize("role", ROLES)
def test_a_page_opens_for_those_who_may_see_it(role: str, signed: dict[str, TestClient]) -> None:
    seen = {page.path: signed[role].get(page.path).status_code for page in PAGES}

    forbidden = {page.path: 303 if page.path == "/" else 403 for page in PAGES}
    assert seen == {page.path: 200 if page.action in ROLES[role] else forbidden[page.path] for page in PAGES}


def test_an_annotator_sees_the_comparisons_alone(signed: dict[str, TestClient]) -> None:
    shown = signed["annotator"].get("/compare").text
    refused = signed["annotator"].get("/data")

    navigation = re.search(r'<nav class="shell-nav".*?</nav>', shown)
    assert navigation is not None
    assert re.findall(r'href="([^"]*)"', navigation.group()) == ["/compare"]
    assert "ann, your role has no part in the page Data." in refused.text
    assert refused.headers["content-security-policy"].startswith("default-src 'self'")
    assert signed["annotator"].get("/").headers["location"] == "/compare"


@pytest.mark.parametrize(("role", "status"), [("annotator", 403), ("curator", 200), ("trainer", 403), ("admin", 200)])
def test_the_list_of_people_opens_for_those_who_may_invite(
    role: str, status: int, signed: dict[str, TestClient]
) -> None:
    assert signed[role].get("/people").status_code == status


def test_without_a_session_pages_lead_to_the_sign_in_and_back(signed: dict[str, TestClient]) -> None:
    answer = signed["nobody"].get("/data?dataset=a b&page=2")

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=/data%3Fdataset%3Da%2520b%26page%3D2",
    )
    assert {path: signed["nobody"].get(path).status_code for path in ("/sign-in", "/join/x", "/static/shell.js")} == {
        "/sign-in": 200, "/join/x": 200, "/static/shell.js": 200,
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["queue/join", "queue/data?session_hash=x", "run/predict", "call/predict", "upload", "component_server", "info",
     "file=/etc/passwd", "heartbeat/x", "startup-events", "theme.css", "reset", "cancel"],
)  # fmt: skip
def test_gradios_own_routes_are_for_people_who_have_signed_in(path: str, signed: dict[str, TestClient]) -> None:
    for method in ("GET", "POST"):
        answer = signed["nobody"].request(method, f"/gradio_api/{path}")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (401, "sign-in")


@pytest.mark.parametrize("path", ["queue/join", "run/predict", "call/predict", "upload", "component_server", "file=/x"])
def test_gradios_events_and_files_are_not_for_annotators(path: str, signed: dict[str, TestClient]) -> None:
    assert signed["annotator"].post(f"/gradio_api/{path}").status_code == 403


def test_every_event_of_gradio_is_behind_a_rule(house: House) -> None:
    """The pages have no events of Gradio's today; one that is added must come with a rule of its own."""
    mounted = [route.app for route in house.app.routes if hasattr(route, "app") and hasattr(route.app, "get_blocks")]

    assert [list(app.get_blocks().fns) for app in mounted] == [[]]
