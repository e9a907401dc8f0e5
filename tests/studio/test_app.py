"""The whole web application, asked over HTTP without a port: its pages, files, errors and weight."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.errors import BadInput, Conflict, NotFound, NotReady, RatchetError, Refused
from studio.app import build_app
from studio.pages.document import Dresser
from studio.pages.shell import PAGES, Page
from studio.settings import Settings
from studio.studio import Studio

HERE = "http://127.0.0.1:7860"
pages = pytest.mark.parametrize("page", PAGES, ids=[page.name.lower() for page in PAGES])


class Mishap(RatchetError):
    """An error of no special kind."""


ERRORS = {
    "missing": (NotFound("There is no dataset “x”."), 404, "not-found"),
    "taken": (Conflict("The name “x” is taken."), 409, "conflict"),
    "wrong": (BadInput("“x” is not a number."), 422, "bad-input"),
    "refused": (Refused("The vote is stale."), 403, "refused"),
    "soon": (NotReady("The engine is loading."), 503, "not-ready"),
    "other": (Mishap("Something else."), 400, "error"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app") / "home"


@pytest.fixture(scope="module")
def app(home: Path) -> FastAPI:
    built = build_app(Studio(settings=Settings.from_env({}, home=home)))
    routes = built.router.routes
    before = len(routes)

    @built.get("/api/test/{name}")
    def fail(name: str) -> None:
        raise ERRORS[name][0] if name in ERRORS else ZeroDivisionError("a secret detail")

    @built.get("/api/test-number/{number}")
    def typed(number: int) -> int:
        return number

    routes[:0] = [routes.pop() for _ in range(len(routes) - before)]  # before /api/{path} and Gradio
    return built


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as opened:
        yield opened


@pages
def test_a_page_comes_dressed(page: Page, client: TestClient) -> None:
    answer = client.get(page.path)
    text = answer.text

    assert answer.status_code == 200
    assert re.findall("<title>(.*?)</title>", text) == [page.title]
    assert re.findall("<h1>(.*?)</h1>", text) == [page.heading]
    assert re.findall('<a href="([^"]+)" aria-current=page>', text) == [page.path]
    assert text.count("<gradio-app") == 1
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers.get("content-length", 0)) > 0 or answer.headers["content-encoding"] == "gzip"


@pages
def test_a_page_names_no_outside_address(page: Page, client: TestClient) -> None:
    addresses = re.findall(
        r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"'<\\]*", client.get(page.path).text, re.IGNORECASE
    )

    assert [each for each in addresses if not each.startswith("http://www.w3.org/")] == []


@pages
def test_every_file_that_a_page_asks_for_is_there(page: Page, client: TestClient) -> None:
    text = client.get(page.path).text
    files = re.findall(r'(?:src|href)="(/static/[^"]+|\./assets/[^"]+)"', text)

    assert len(files) >= 5
    assert {file: client.get(file.removeprefix(".")).status_code for file in files} == dict.fromkeys(files, 200)


def test_pages_are_compressed(client: TestClient) -> None:
    assert client.get("/", headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_gradios_page_still_has_the_places_that_we_dress(app: FastAPI) -> None:
    bare = "<html><head></head><body></body></html>"
    dresser = next(item.kwargs["dresser"] for item in app.user_middleware if "dresser" in item.kwargs)
    assert isinstance(dresser, Dresser)

    with pytest.raises(ValueError, match="must learn where it went"):
        dresser.dress(bare, PAGES[0])


def test_a_file_is_kept_for_a_year_by_its_version_and_asked_after_without(client: TestClient) -> None:
    address = re.findall(r'href="(/static/pages/all\.css\?v=[0-9a-f]{12})"', client.get("/").text)[0]
    plain = client.get("/static/studio.css")

    assert client.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/studio.css?v=000000000000").headers["cache-control"] == "no-cache"
    assert plain.headers["cache-control"] == "no-cache"
    assert client.get("/static/studio.css", headers={"if-none-match": plain.headers["etag"]}).status_code == 304


@pages
def test_the_scripts_and_styles_of_a_page_are_few_requests(page: Page, client: TestClient) -> None:
    """Gradio's own entry and style, our style and script for all pages, and those of this page."""
    text = client.get(page.path).text

    assert len(re.findall(r'<script[^>]+src="', text)) == 3
    assert len(re.findall(r'<link rel="stylesheet"', text)) <= 3


def test_a_page_holds_the_scripts_of_its_widgets_in_their_order(client: TestClient) -> None:
    address = re.findall(r'src="(/static/pages/train\.js[^"]+)"', client.get("/train").text)[0]
    script = client.get(address).text

    names = ["curve", "run_chart", "run_card", "run", "queue"]
    places = [script.index((Path("static") / f"{name}.js").read_text("utf-8")) for name in names]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("accepted", "coded"),
    [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None)],
)
@pytest.mark.parametrize("address", ["/static/studio.css", "/assets/{entry}"])
def test_a_file_comes_in_the_best_encoding_that_is_asked_for(
    address: str, accepted: str, coded: str | None, client: TestClient
) -> None:
    entry = re.findall(r'src="\./assets/(index-[^"]+\.js)"', client.get("/").text)[0]
    path = address.format(entry=entry)
    plain = client.get(path, headers={"accept-encoding": "identity"})
    answer = client.get(path, headers={"accept-encoding": accepted})

    assert answer.headers.get("content-encoding") == coded
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.content == plain.content and len(plain.content) > 20_000
    assert int(answer.headers["content-length"]) < len(plain.content) / 2 or coded is None


def test_gradios_files_are_kept_for_a_year_and_end_at_their_folder(client: TestClient) -> None:
    entry = re.findall(r'src="\./assets/(index-[^"]+\.js)"', client.get("/").text)[0]
    answer = client.get(f"/assets/{entry}")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get(f"/assets/{entry}", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    assert client.get("/assets/%2e%2e/index.html").status_code == 404
    assert client.get("/assets/nothing.js").status_code == 404


def test_gradios_theme_is_kept_by_the_version_that_its_page_names(client: TestClient) -> None:
    version = re.findall(r'"theme_hash": ?"([0-9a-f]+)"', client.get("/").text)[0]
    answer = client.get(f"/theme.css?v={version}")

    assert answer.headers["content-type"].startswith("text/css") and "--body-text-color" in answer.text
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/theme.css?v=other").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/static/../studio/app.py", "/static/%2e%2e/pyproject.toml", "/static//etc/passwd"])
def test_static_files_end_at_their_folder(path: str, client: TestClient) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/gradio_api/runs", "/monitoring/summary", "/config"])
def test_what_nobody_needs_is_not_there(path: str, client: TestClient) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(("name", "expected"), ERRORS.items(), ids=ERRORS)
def test_our_errors_become_their_sentence_and_a_status(
    name: str, expected: tuple[RatchetError, int, str], client: TestClient
) -> None:
    error, status, kind = expected
    answer = client.get(f"/api/test/{name}")

    assert answer.status_code == status
    assert answer.json() == {"error": {"kind": kind, "sentence": str(error)}}
    assert answer.headers["cache-control"] == "no-store"


def test_a_bug_is_a_calm_sentence_with_a_number_that_the_log_explains(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="ratchet.web"):
        answer = client.get("/api/test/bug")
    sentence = answer.json()["error"]["sentence"]
    number = re.findall(r"error ([0-9a-f]{8})", sentence)[0]

    assert answer.status_code == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [record.getMessage() for record in caplog.records] == [f"error {number} in GET /api/test/bug"]
    assert "a secret detail" in caplog.text


def test_a_request_that_does_not_fit_names_the_field(client: TestClient) -> None:
    answer = client.get("/api/test-number/many")

    assert answer.status_code == 422
    assert answer.json()["error"]["sentence"].startswith("The request does not fit: path.number: ")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_api_path_is_a_sentence(method: str, client: TestClient) -> None:
    answer = client.request(method, "/api/nothing/here")

    assert answer.status_code == 404
    assert answer.json() == {"error": {"kind": "not-found", "sentence": "There is nothing at '/api/nothing/here'."}}


def test_another_sites_page_cannot_make_gradio_do_anything(client: TestClient) -> None:
    body = {"data": [], "fn_index": 0, "session_hash": "x"}
    answer = client.post("/gradio_api/queue/join", json=body, headers={"origin": "https://evil.example"})

    assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "wrong-origin")


def test_cors_names_nobody_else(client: TestClient) -> None:
    for origin in ("https://evil.example", "null"):
        answer = client.get("/gradio_api/info", headers={"origin": origin})
        assert "access-control-allow-origin" not in answer.headers


def test_uploads_land_in_the_home_folder(client: TestClient, home: Path) -> None:
    answer = client.post("/gradio_api/upload", files={"files": ("a.jsonl", b"{}\n")})

    assert answer.status_code == 200
    assert Path(answer.json()[0]).is_relative_to(home / "uploads")


HEAVY = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "matplotlib", "scipy", "sklearn", "pandas",
         "pyarrow", "optuna", "openpyxl", "rensa", "ftfy", "phonenumbers", "py3langid")  # fmt: skip
FIRST_PAGES = """
import json, sys, psutil
from fastapi.testclient import TestClient
from studio.app import build_app
from studio.settings import Settings
from studio.studio import Studio

heavy = {heavy!r}
def loaded():
    return [name for name in heavy if name in sys.modules]

app = build_app(Studio(settings=Settings.from_env({{}}, home={home!r})))
told = {{"built": loaded()}}
with TestClient(app, base_url="http://127.0.0.1:7860") as client:
    told["pages"] = [client.get(path).status_code for path in {paths!r}]
told["visited"] = loaded()
print(json.dumps(told))
"""


def test_the_web_process_holds_nothing_heavy_before_and_after_its_first_pages(tmp_path: Path) -> None:
    paths = [*(page.path for page in PAGES), "/api/models", "/api/jobs", "/api/compare/studies"]
    program = FIRST_PAGES.format(heavy=HEAVY, home=str(tmp_path / "home"), paths=paths)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    told = json.loads(ended.stdout.splitlines()[-1])

    assert (told["built"], told["visited"]) == ([], [])
    assert told["pages"] == [200] * len(paths)


def test_a_module_that_comes_later_is_there_as_soon_as_something_is_asked_of_it() -> None:
    program = """
import sys
from studio.pages.lean_gradio import import_gradio
import_gradio()
before = [name for name in ("pandas", "pyarrow") if name in sys.modules]
import gradio.caching, gradio.component_meta
assert gradio.component_meta.create_or_modify_pyi(int, "int", []) is None
kind = gradio.caching.pd.DataFrame
import pandas
print(before, kind is pandas.DataFrame, gradio.caching.pd.Series is pandas.Series)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)

    assert ended.stdout == "[] True True\n"


def test_the_store_needs_neither_pandas_nor_numpy_and_hides_them_from_nobody() -> None:
    program = """
import sys
import storage.store
before = [name for name in ("pandas", "pyarrow", "numpy") if name in sys.modules]
import numpy
print(before, numpy.zeros(2).tolist(), "pandas" in sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert ended.stdout == "[] [0.0, 0.0] False\n"
