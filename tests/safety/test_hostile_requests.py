"""No route answers what nobody expects with a bug: every field of every body, query and path gets hostile values.

The routes and their fields come from our own description of them, so a new one is asked as well. What starts a process
or asks the network is left out; schemathesis asks the rest again with values of its own (test_schemathesis.py).
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from storage.comparisons import create_study
from storage.models import list_models
from studio.api.openapi import description, operations
from studio.app import build_app
from studio.feedback.study_settings import StudySettings
from studio.people import keys
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from tests.safety.conftest import HERE
from tests.studio.training.project import add_dataset, conversation

pytestmark = pytest.mark.heavy

OWNER = Actor("owner", "admin")
DEEP: Any = "x"
for _ in range(60):
    DEEP = [DEEP]
HOSTILE: tuple[Any, ...] = (
    None, "", " ", "\0", "\ud800", "../../etc/passwd", "a" * 100_000, "'; drop table votes; --", "%s%n{0}", "-1",
    -1, 0, 2**31, 2**63, 2**70, 1e308, -0.5, True, [], [None], {}, {"a": {"b": []}}, DEEP, [{"role": 1}],
)  # fmt: skip
PATHS = (
    "%00",
    "%C2%B2",
    "%ed%a0%80",
    "%ff",
    "a" * 3000,
    "..%2f..%2fetc",
    "-1",
    "9" * 30,
    "%20",
    "%F0%9F%98%80",
    "a%0ab",
)
# What starts a process, loads a model or waits for the network; and what would lock the asker out.
LEFT_OUT = (
    "/api/compare/prompt", "/api/compare/continue", "/api/compare/again",
    "/v1/chat/completions", "/api/data/suggest", "/api/data/render", "/api/data/hub/", "/api/data/exports/hub",
    "/api/models/{name}/export", "/chat", "/api/canaries/run",
    "/api/jobs/preflight", "/api/people/sign-in", "/api/people/join", "/tokens",
)  # fmt: skip


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with a dataset, a study and a key."""
    made = Studio(settings=Settings.from_env({}, home=tmp_path_factory.mktemp("hostile") / "home"))
    store = made.ready
    add_dataset(store, "own", "sft", [conversation("q", "a"), conversation("r", "b")])
    starter = list_models(store)[0]
    create_study(store, "look", [starter, starter], None)
    with made.home.worker_lock.open("w") as lock:  # nobody trains what is asked for by accident
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield made


@pytest.fixture(scope="module")
def client(studio: Studio) -> Iterator[TestClient]:
    """An administrator's program: whatever happens to accounts, its key stands."""
    token = keys.make(studio.store, OWNER, "prober", "admin").token
    client = TestClient(build_app(studio), base_url=HERE, raise_server_exceptions=False, follow_redirects=False)
    client.headers["Authorization"] = f"Bearer {token}"
    yield client
    client.close()


@pytest.fixture(scope="module")
def said(client: TestClient) -> dict[str, Any]:
    """The description of the routes."""
    made: dict[str, Any] = description(client.app)  # type: ignore[arg-type]
    return made


def _routes(said: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, operation in operations(said):
        method, _, path = name.partition(" ")
        if not any(part in path for part in LEFT_OUT) and name != "POST /api/models":  # "x" is an id on the Hub
            yield method, path, operation


def _filled(path: str, value: str) -> str:
    """The path with a value in every place; real names where there is one, so that the handler goes on."""
    for part in ("name", "study", "model", "dataset"):
        path = path.replace(f"{{{part}}}", value)
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + value + rest.partition("}")[2]
    return path


def _wrong(client: TestClient, method: str, address: str, operation: Mapping[str, Any], **request: Any) -> list[str]:
    """What is wrong with the answer to one request."""
    answer = client.request(method, address, **request)
    shown = f"{method} {address[:120]} {str(request)[:160]}: {answer.status_code}"
    if answer.status_code == 500 or str(answer.status_code) not in operation["responses"]:
        return [f"{shown} {answer.text[:200]}"]
    if answer.status_code >= 400 and "sentence" not in answer.json()["error"]:
        return [f"{shown} without a sentence"]
    return []


def test_hostile_paths(client: TestClient, said: dict[str, Any]) -> None:
    wrong = [
        found
        for method, path, operation in _routes(said)
        if "{" in path
        for value in PATHS
        for found in _wrong(client, method, _filled(path, value), operation, **_body(method, b"{}"))
    ]

    assert wrong == []


@pytest.mark.slow
def test_hostile_queries(client: TestClient, said: dict[str, Any]) -> None:
    wrong = []
    for method, path, operation in _routes(said):
        asked = [one for one in operation.get("parameters") or [] if one["in"] == "query"]
        given = {one["name"]: "own" for one in asked if one.get("required")}
        for one in asked:
            for value in ("", "\0", "a" * 5000, "-1", "9" * 30, "1e400", "nan", "look", "own", "%", "\u202e", "[]"):
                query = "&".join(f"{name}={quote(text)}" for name, text in {**given, one["name"]: value}.items())
                address = f"{_filled(path, 'own')}?{query}"
                wrong += _wrong(client, method, address, operation, **_body(method, b"{}"))

    assert wrong == []


def test_bodies_that_are_no_object(client: TestClient, said: dict[str, Any]) -> None:
    bodies = (b"", b"null", b"[]", b"3", b'"x"', b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 5000, b'{"a": 1}')
    wrong = [
        found
        for method, path, operation in _routes(said)
        if method != "GET"
        for body in bodies
        for found in _wrong(client, method, _filled(path, "no-such"), operation, **_body(method, body))
    ]

    assert wrong == []


@pytest.mark.slow
def test_hostile_fields(client: TestClient, said: dict[str, Any]) -> None:
    wrong = []
    for method, path, operation in _routes(said):
        fields = _fields(said, operation)
        for name in fields:
            for value in HOSTILE:
                body = {other: _plain(schema) for other, schema in fields.items()} | {name: value}
                content = json.dumps(body).encode()
                wrong += _wrong(client, method, _filled(path, "no-such"), operation, **_body(method, content))

    assert wrong == []


@pytest.mark.slow
def test_hostile_fields_for_what_is_there(client: TestClient, said: dict[str, Any]) -> None:
    """The same with a dataset and a study that exist, for routes that start nothing."""
    wrong = []
    for method, path, operation in _routes(said):
        deep = path.startswith(("/api/data/datasets/{name}/", "/api/studies/{name}/", "/api/compare/", "/api/results/"))
        if not deep or path.endswith(("/check", "/label", "/erase")) or "/mend" in path:
            continue
        fields = _fields(said, operation)
        address = _filled(path.replace("{name}", "look" if "/studies/" in path else "own"), "no-such")
        for name in fields:
            for value in HOSTILE:
                body = {other: _plain(schema) for other, schema in fields.items()} | {"study": "look", name: value}
                wrong += _wrong(client, method, address, operation, **_body(method, json.dumps(body).encode()))

    assert wrong == []


@pytest.mark.parametrize("name", [one.name for one in fields(StudySettings)])
def test_hostile_settings_of_a_study(name: str, client: TestClient, said: dict[str, Any]) -> None:
    operation = dict(operations(said))["PATCH /api/studies/{name}"]
    wrong = []
    for value in HOSTILE:
        content = json.dumps({name: value}).encode()
        wrong += _wrong(client, "PATCH", "/api/studies/look", operation, **_body("PATCH", content))

    assert wrong == []
    assert client.get("/api/studies/look").status_code == 200


@pytest.mark.parametrize(
    "content",
    [{"messages": value} for value in HOSTILE]
    + [{"messages": [value]} for value in HOSTILE]
    + [{"messages": [{"role": value, "content": value}]} for value in HOSTILE]
    + [{"messages": [{"role": "user", "content": "q"}], "tools": value, "metadata": value} for value in HOSTILE]
    + [{"messages": [{"role": "user", "content": "q"}], "tools": [
        {"name": "f", "parameters": {"properties": value, "required": [value]}}]} for value in HOSTILE],
)  # fmt: skip
def test_hostile_rows(content: dict[str, Any], client: TestClient, said: dict[str, Any]) -> None:
    operation = dict(operations(said))["POST /api/data/datasets/{name}/rows"]
    body = json.dumps({"content": content}).encode()

    assert _wrong(client, "POST", "/api/data/datasets/own/rows", operation, **_body("POST", body)) == []


def _body(method: str, content: bytes) -> dict[str, Any]:
    return {} if method == "GET" else {"content": content, "headers": {"Content-Type": "application/json"}}


def _fields(said: dict[str, Any], operation: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a body of JSON, with their schemas."""
    content = (operation.get("requestBody") or {}).get("content") or {}
    schema = (content.get("application/json") or {}).get("schema") or {}
    options = [schema, *schema.get("anyOf", [])]
    name = next((one["$ref"].rpartition("/")[2] for one in options if "$ref" in one), None)
    found: dict[str, Any] = said["components"]["schemas"].get(name, {}).get("properties") or {}
    return found


def _plain(schema: Mapping[str, Any]) -> Any:
    """Something that fits a field's schema, as far as can be told."""
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type") or next((one.get("type") for one in schema.get("anyOf", ())), "object")
    return {"string": "x", "integer": 1, "number": 1.0, "boolean": False, "array": [], "null": None}.get(kind, {})
