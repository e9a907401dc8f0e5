"""Behind a proxy that shows the studio under a path: pages, scripts, links, sign-in and streams stay under it."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from studio.app import build_app
from studio.people import accounts
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from tests.browser.conftest import Visit, running
from tests.studio.training.project import first_day

pytestmark = pytest.mark.browser
ROOT = "/team/ratchet"
PASSWORD = "correct horse"


def _proxy(inner: str, strips: bool) -> type[BaseHTTPRequestHandler]:
    """A proxy that knows nothing but a path; what lies beside it belongs to somebody else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not (self.path == ROOT or self.path.startswith((f"{ROOT}/", f"{ROOT}?"))):
                self.send_error(418, f"asked outside: {self.path}")
                return
            path = (self.path[len(ROOT) :] or "/") if strips else self.path
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            with httpx.stream(self.command, inner + path, content=body, headers=headers, timeout=60) as answer:
                self.send_response(answer.status_code)
                for name, value in answer.headers.multi_items():
                    if name not in ("transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("connection", "close")
                self.end_headers()
                for piece in answer.iter_raw():
                    self.wfile.write(piece)
                    self.wfile.flush()

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815 - names that the server calls

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing on the terminal."""

    return Handler


@pytest.fixture(scope="module", params=[True, pytest.param(False, marks=pytest.mark.slow)], ids=["strips", "passes on"])
def outside(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the studio as people see it, behind a proxy that takes the path off, or does not."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Settings.from_env(
        {}, home=tmp_path_factory.mktemp("rooted") / "home", port=listener.getsockname()[1], root_path=ROOT
    )
    studio = Studio(settings=settings)
    first_day(studio.store)
    accounts.add(studio.store, Actor("owner", "admin"), "ada", "admin", PASSWORD)
    with running(build_app(studio), listener) as inner:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _proxy(inner, request.param))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}{ROOT}"
        server.shutdown()
        server.server_close()
    studio.store.close()


def test_somebody_signs_in_and_walks_through_the_pages(outside: str, visit: Callable[..., Visit]) -> None:
    one = visit(outside, fresh=True)
    page = one.page
    page.goto(f"{outside}/data?dataset=facts")
    page.wait_for_selector("#name:focus")
    assert page.url == f"{outside}/sign-in?next=/data%3Fdataset%3Dfacts"
    page.fill("#name", "ada")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url(f"{outside}/data?dataset=facts**")
    page.wait_for_selector("table tbody tr")
    (cookie,) = [one for one in page.context.cookies() if one["name"].startswith("ratchet_session")]
    assert cookie["path"] == ROOT
    for name in ("Studies", "Results", "Train", "Home"):
        page.click(f"nav.shell-nav >> text={name}")
        page.wait_for_function("!document.getElementById('boot')")
        assert page.url.startswith(f"{outside}/")
    page.wait_for_selector("#next-step")
    page.click("summary.tool-button")
    page.click("#sign-out")
    page.wait_for_url(f"{outside}/sign-in**")


def test_the_address_without_its_slash_leads_home(outside: str, visit: Callable[..., Visit]) -> None:
    one = visit(outside, fresh=True)
    one.expected.append(f"asked another host: {outside}")  # the address itself, without a slash
    page: Any = one.page
    page.goto(outside)

    page.wait_for_selector("#name")
    assert page.url == f"{outside}/sign-in?next=/"


def test_nothing_is_written_outside(outside: str, tmp_path: Path) -> None:
    answer = httpx.get(f"{outside}/sign-in", headers={"accept": "text/html"})

    assert ' data-root="/team/ratchet"' in answer.text
    assert 'href="/static' not in answer.text
