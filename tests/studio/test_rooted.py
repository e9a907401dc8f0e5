"""Under a path: it is taken off on the way in, and put before every address on the way out."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from storage.errors import BadInput
from studio.rooted import Rooted, moved, with_root
from studio.settings import Settings

HERE = "http://studio.example"
STATIC = Path(__file__).resolve().parents[2] / "static"
PAGE = """<!doctype html><html lang="en"><head><link rel="stylesheet" href="/static/a.css?v=1">
<script defer src="/static/a.js"></script></head><body><a class="link" href="/data?x=1">Data</a>
<a href="//else.where/">x</a>
<a href="https://else.where/">y</a> <a href="#content">z</a> <form action="/api/people/join"></form>
<p>&lt;a href=&quot;/data&quot;&gt;</p><script>window.config = {"a": "<a href=\\"/data\\">"};</script></body></html>"""


async def seen(request: Request) -> Response:
    return JSONResponse({"path": request.url.path, "query": request.url.query})


async def page(_: Request) -> Response:
    answer = HTMLResponse(PAGE)
    answer.set_cookie("session", "s", httponly=True)
    return answer


async def away(request: Request) -> Response:
    return RedirectResponse(request.query_params["to"], 303)


async def deep(_: Request) -> Response:
    answer = Response("")
    answer.set_cookie("visitor", "v", path="/api/demo", samesite="lax")
    return answer


@pytest.fixture
def client() -> TestClient:
    routes = [
        Route("/", page),
        Route("/page", page),
        Route("/away", away),
        Route("/deep", deep),
        Route("/{path:path}", seen),
    ]
    return TestClient(Rooted(Starlette(routes=routes), "/ratchet"), base_url=HERE, follow_redirects=False)


@pytest.mark.parametrize("path", ["/api/rounds?a=1", "/ratchet/api/rounds?a=1"])
def test_it_works_whether_or_not_the_proxy_takes_the_path_off(client: TestClient, path: str) -> None:
    assert client.get(path).json() == {"path": "/api/rounds", "query": "a=1"}


def test_the_path_without_its_slash_leads_to_the_folder(client: TestClient) -> None:
    answer = client.get("/ratchet?next=1")

    assert (answer.status_code, answer.headers["location"]) == (308, "/ratchet/?next=1")


def test_a_name_that_only_begins_alike_is_another(client: TestClient) -> None:
    assert client.get("/ratchets/x").json()["path"] == "/ratchets/x"


def test_addresses_in_a_page_begin_with_the_path_and_nothing_else_changes(client: TestClient) -> None:
    answer = client.get("/ratchet/page", headers={"accept": "text/html", "accept-encoding": "gzip"})

    expected = PAGE
    for found in ('href="/static/a.css?v=1"', 'src="/static/a.js"', 'class="link" href="/data?x=1"'):
        expected = expected.replace(found, found.replace('="/', '="/ratchet/'))
    assert answer.text == expected.replace("<html ", '<html data-root="/ratchet" ')
    assert answer.headers["content-length"] == str(len(answer.content))


def test_the_cookie_is_for_the_path_alone(client: TestClient) -> None:
    cookie = client.get("/ratchet/").headers["set-cookie"]

    assert "Path=/ratchet;" in cookie
    assert cookie.startswith("session=s; HttpOnly")


@pytest.mark.parametrize(
    ("to", "leads"),
    [
        ("/sign-in?next=/data", "/ratchet/sign-in?next=/data"),
        ("/", "/ratchet/"),
        ("/ratchet/data", "/ratchet/data"),
        (f"{HERE}/api/rounds", f"{HERE}/ratchet/api/rounds"),
        ("https://else.where/x", "https://else.where/x"),
        ("//else.where/x", "//else.where/x"),
    ],
)
def test_redirects_stay_under_the_path(client: TestClient, to: str, leads: str) -> None:
    assert client.get("/ratchet/away", params={"to": to}).headers["location"] == leads
    assert moved(to, "/ratchet", "studio.example") == leads


def test_a_page_is_marked_once() -> None:
    assert with_root("<html><html>", "/r") == '<html data-root="/r"><html>'


@pytest.mark.parametrize(("given", "kept"), [("", ""), ("/", ""), ("/ratchet/", "/ratchet"), ("/a/b-c", "/a/b-c")])
def test_the_setting_is_a_plain_path(given: str, kept: str) -> None:
    assert Settings.from_env({"RATCHET_ROOT_PATH": given}).root_path == kept


@pytest.mark.parametrize("given", ["ratchet", "/a b", "//x", "/../x", '/"><script>', "https://x/y"])
def test_what_is_no_path_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="--root-path is a path such as /ratchet"):
        Settings.from_env({}, root_path=given)


def test_a_cookie_of_some_routes_stays_with_them(client: TestClient) -> None:
    assert client.get("/ratchet/deep").headers["set-cookie"] == "visitor=v; Path=/ratchet/api/demo; SameSite=lax"


@pytest.mark.parametrize("script", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_scripts_ask_for_no_address_past_the_path(script: Path) -> None:
    """Addresses go through `ratchet.api`, `ratchet.el` or `ratchet.at`."""
    asked = re.findall(
        r"(?:fetch|EventSource|sendBeacon|assign|replace|window\.open)\(\s*[\"'`]/[^\n]*", script.read_text("utf-8")
    )

    assert asked == []
