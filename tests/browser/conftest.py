"""A served studio and a real Chromium for the tests of this folder.

`studio_served` runs `ratchet serve` in its own process with its own home. `kit_url` serves the pages of
tests/browser/kit from a thread. `visit` opens pages in a fresh browser context and, at the end of the test,
fails it if the page logged an error, asked another host for anything, or broke the content security policy.
"""

import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.browser.contexts import Contexts
from tests.browser.judging import Room, add_people
from tests.browser.site import Site, served_site

ROOT = Path(__file__).resolve().parents[2]
SHOTS = Path(__file__).resolve().parent / "shots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The headless shell is the same browser without its own windows: a new context takes it a quarter of the time.
CHROMIUM_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)


# Of the four looks that a test takes, these two are left to `make test-all`: width and scheme.
CROSSWISE = {(1280, "dark"), (390, "light")}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the crosswise looks, before marks choose what is run."""
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if (parameters.get("width"), parameters.get("scheme")) in CROSSWISE:
            item.add_marker(pytest.mark.slow)


class Served(NamedTuple):
    """A running studio."""

    url: str
    home: Path
    process: subprocess.Popen[str]


def find_chromium() -> str | None:
    """The path of a Chromium on this machine, or None."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests; where there is none they are skipped, and with CI=true they fail."""
    path = find_chromium()
    if path is None:
        reason = "no chromium on this machine: `make browser` says how to get one"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


def start_studio(home: Path, log: Path, *arguments: str) -> Served:
    """Run `ratchet serve` on a free port with this home, and wait until it says its address."""
    command = [sys.executable, "-m", "studio", "serve", "--home", str(home), "--port", "0", "--json", *arguments]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(30)
        raise AssertionError(f"`ratchet serve` ended with {process.returncode}: {log.read_text('utf-8')[-4000:]}")
    url = json.loads(line)["url"]
    wait_for_port(url)
    return Served(url, home, process)


def wait_for_port(url: str, seconds: float = 60) -> None:
    """Wait until something listens at this address."""
    host, port = url.removeprefix("http://").rsplit(":", 1)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens at {url} after {seconds} s")


def stop_studio(served: Served) -> None:
    """End a studio as Ctrl+C does."""
    served.process.terminate()
    try:
        served.process.wait(20)
    except subprocess.TimeoutExpired:
        served.process.kill()
        served.process.wait()


@pytest.fixture(scope="session")
def studio_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio with a new home, shared by the tests that do not mind what others left in it."""
    folder = tmp_path_factory.mktemp("studio")
    served = start_studio(folder / "home", folder / "serve.err")
    yield served
    stop_studio(served)


@pytest.fixture
def starter_served(tmp_path: Path) -> Iterator[Served]:
    """A studio that nobody has used; skipped where the starter model has not been built."""
    if not (ROOT / "static" / "starter" / "model" / "config.json").is_file():
        pytest.skip("the starter model has not been built: `make starter`")
    served = start_studio(tmp_path / "home", tmp_path / "serve.err")
    yield served
    stop_studio(served)


@pytest.fixture(scope="session")
def kit_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The pages of tests/browser/kit behind the real shell, middleware and static files."""
    from studio import app as application
    from studio.settings import Settings
    from studio.studio import Studio
    from tests.browser import kit

    folder = tmp_path_factory.mktemp("kit")
    shutil.copytree(ROOT / "static", folder / "static", ignore=shutil.ignore_patterns("starter"))
    for script in Path(kit.__file__).parent.glob("*.js"):
        shutil.copy(script, folder / "static")
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    settings = dataclasses.replace(Settings.from_env({}, home=folder / "home", port=port), static=folder / "static")
    studio = Studio(settings=settings)
    os.environ.update(application.gradio_switches(studio))
    with running(application.assemble(studio, kit.build_demo()), listener) as url:
        yield url


@contextmanager
def running(app: Any, listener: socket.socket) -> Iterator[str]:
    """Serve an application from a thread of this process; gives its address."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


WATCH = """
window.policyBreaks = [];
document.addEventListener("securitypolicyviolation", (event) => window.policyBreaks.push(event.blockedURI));
"""

# Trying a step takes a process with torch: a test that wants it ticks the box.
NO_PREFLIGHT = "try { localStorage.setItem('ratchet.preflight', 'off'); } catch { /* a page without storage */ }"


class Visit:
    """A page being visited, with what went wrong on it."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        self.expected: list[str] = []
        page.add_init_script(WATCH)
        page.add_init_script(NO_PREFLIGHT)
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.errors.append(f"asked another host: {request.url}")

    def open(self, path: str = "/", wait_for: str = "gradio-app main > *") -> Any:
        """Go to a page of the studio and wait until Gradio has drawn it."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector(wait_for, state="attached")
        self.page.wait_for_function("!document.getElementById('boot')")
        return self.page

    def check(self) -> None:
        """Fail where something went wrong that the test did not announce in `expected`."""
        if not self.page.is_closed():
            breaks = self.page.evaluate("window.policyBreaks || []")
            self.errors += [f"against the policy: {blocked}" for blocked in breaks]
        assert [error for error in self.errors if not any(word in error for word in self.expected)] == []

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page in tests/browser/shots/."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def contexts(browser: Any) -> Iterator[Contexts]:
    """Browser contexts that tests hand on to each other."""
    pool = Contexts(browser)
    yield pool
    pool.close()


@pytest.fixture
def visit(contexts: Contexts) -> Iterator[Callable[..., Visit]]:
    """`visit(url, width=…, scheme=…)` gives a Visit in its own context; all are checked at the end.

    With `fresh=True` the context is one that no test has used.
    """
    visits: list[tuple[Visit, str]] = []

    def begin(
        url: str, width: int = 1280, height: int = 800, scheme: str = "light", fresh: bool = False, **options: Any
    ) -> Visit:
        key, context = contexts.take(
            fresh, viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        visits.append((Visit(context.new_page(), url), key))
        return visits[-1][0]

    yield begin
    try:
        for one, _ in visits:
            one.check()
    finally:
        for one, key in visits:
            contexts.give_back(key, one.page.context, {visited.url for visited, _ in visits})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A studio of this module's own, without models."""
    with served_site(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A studio with accounts for all who judge; each test makes a study of its own."""
    with served_site(tmp_path_factory.mktemp("room"), add_people) as served:
        yield Room(served.url, served.store)


@pytest.fixture
def judge(room: Room, visit: Callable[..., Visit]) -> Callable[..., Any]:
    """`judge(name, study)`: the page on which somebody judges."""

    def begin(name: str, study: str, **options: Any) -> Any:
        return room.enter(visit(room.url, **options), name).open(f"/compare?study={study}")

    return begin


@pytest.fixture
def fill(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[list[dict[str, Any]]], str]:
    """`fill(rows)`: a dataset of this test's own; answers its name."""
    from studio.curation.importing import import_files

    def filler(rows: list[dict[str, Any]]) -> str:
        name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-")
        path = tmp_path / "given.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        import_files(site.store, [path], name)
        return name

    return filler
