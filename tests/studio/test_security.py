"""The guard in front of every request, tried on a small application of its own."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from studio.security import HEADERS, POLICY, Guard, Limits

HERE = "http://127.0.0.1:7860"
LIMITS = Limits(upload=2_000_000, other=1_000_000)


@pytest.fixture
def changes() -> list[str]:
    """What the routes have done."""
    return []


@pytest.fixture
def client(changes: list[str]) -> Iterator[TestClient]:
    app = FastAPI()

    @app.api_route("/api/thing", methods=["GET", "POST", "DELETE"])
    async def thing(request: Request) -> dict[str, int]:
        size = len(await request.body())
        changes.append(request.method)
        return {"size": size}

    @app.post("/api/data/upload")
    async def upload(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @app.get("/{path:path}")
    def page(path: str) -> dict[str, str]:
        return {"page": path}

    app.add_middleware(Guard, hosts=["studio.local"], limits=LIMITS)
    with TestClient(app, base_url=HERE) as opened:
        yield opened


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:7860", "localhost:7860", "localhost", "LocalHost:9000", "[::1]:7860", "studio.local:7860"],
)
def test_its_own_names_are_answered(host: str, client: TestClient) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0:7860",
     "127.0.0.1@evil.example", "[::1", "", "studio.local.", "10.0.0.1"],
)  # fmt: skip
def test_a_foreign_host_name_is_refused_with_a_sentence(host: str, client: TestClient, changes: list[str]) -> None:
    answer = client.post("/api/thing", headers={"host": host})

    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "kind": "wrong-host",
        "sentence": f"This studio does not answer to the name {host!r}: "
        "open it under the address that `ratchet serve` printed.",
    }
    assert changes == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://localhost:7860"},  # another name of this machine is another site
        {"origin": "http://127.0.0.1:7860.evil.example"},
        {"origin": "null"},
        {"origin": HERE, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
def test_what_another_site_sends_changes_nothing(
    method: str, headers: dict[str, str], client: TestClient, changes: list[str]
) -> None:
    answer = client.request(method, "/api/thing", headers=headers)

    assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "wrong-origin")
    assert changes == []


@pytest.mark.parametrize("headers", [{}, {"origin": HERE, "sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}])
def test_its_own_pages_and_plain_programs_may_send(
    headers: dict[str, str], client: TestClient, changes: list[str]
) -> None:
    assert client.post("/api/thing", headers=headers).status_code == 200
    assert changes == ["POST"]


def test_a_link_from_elsewhere_may_open_a_page_but_not_read_the_api(client: TestClient) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    script = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}

    assert client.get("/compare", headers=link).status_code == 200
    assert client.get("/api/thing", headers=script).status_code == 403


@pytest.mark.parametrize("path", ["/", "/api/thing", "/api/nothing", "/gradio_api/runs"])
def test_every_answer_carries_the_headers(path: str, client: TestClient) -> None:
    answer = client.get(path)

    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_refusals_carry_the_headers_too(client: TestClient) -> None:
    answer = client.get("/", headers={"host": "evil.example"})

    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_the_policy_names_no_other_host() -> None:
    directives = dict(part.split(" ", 1) for part in POLICY.split("; "))

    assert directives == {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'self'",
        "object-src": "'none'",
        "frame-src": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize(("path", "kept"), [("/api/thing", "no-store"), ("/gradio_api/info", "no-store"), ("/", None)])
def test_api_answers_are_kept_by_nobody(path: str, kept: str | None, client: TestClient) -> None:
    assert client.get(path).headers.get("cache-control") == kept


@pytest.mark.parametrize(
    "path",
    ["runs", "runs/", "run-history/buckets", "vibe-code", "vibe-edit/", "proxy=https://evil.example/", "deep_link",
     "openapi.json", "dev/reload", "profiling/traces", "token", "custom_component/1/a/b/c",
     "stream/a/b/c/playlist.m3u8",
     "file=http://10.0.0.1/", "file=https://evil.example/x", "process_recording"],
)  # fmt: skip
def test_gradios_routes_that_nobody_needs_are_shut(path: str, client: TestClient) -> None:
    assert client.get(f"/gradio_api/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/login", "/logout", "/monitoring/summary", "/config"])
def test_other_doors_are_shut(path: str, client: TestClient) -> None:
    assert client.get(path).json()["error"] == {"kind": "not-found", "sentence": f"There is nothing at {path!r}."}


@pytest.mark.parametrize("path", ["queue/data", "run/x", "upload_progress", "theme.css", "file=/tmp/x", "heartbeat/x"])
def test_what_the_pages_need_is_open(path: str, client: TestClient) -> None:
    assert client.get(f"/gradio_api/{path}").status_code == 200


@pytest.mark.parametrize(("path", "limit"), [("/api/thing", LIMITS.other), ("/api/data/upload", LIMITS.upload)])
def test_a_body_up_to_the_limit_passes_and_one_byte_more_does_not(path: str, limit: int, client: TestClient) -> None:
    assert client.post(path, content=b"x" * limit).json() == {"size": limit}

    answer = client.post(path, content=b"x" * (limit + 1))

    assert answer.status_code == 413
    assert answer.json()["error"]["sentence"].startswith(f"That is larger than the {limit // 1_000_000} MB")


def test_a_body_without_a_length_is_counted_as_it_comes(client: TestClient, changes: list[str]) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 100_000

    answer = client.post("/api/thing", content=chunks())

    assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "too-large")
    assert changes == []


@pytest.mark.parametrize("length", ["-1", "1e3", "abc", "99999999999999999999"])
def test_a_length_that_lies_is_refused(length: str, client: TestClient) -> None:
    assert client.post("/api/thing", headers={"content-length": length}, content=b"").status_code == 413


def test_a_websocket_is_closed(client: TestClient) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/gradio_api/queue/join"):
        pass
