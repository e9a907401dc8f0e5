"""A real training on the starter from the button, through a killed web process, to the comparison."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.errors import Conflict
from storage.home import Home
from storage.jobs import list_jobs, request_stop
from storage.models import get_model
from storage.store import Store
from tests.browser.conftest import ROOT, Served, start_studio, stop_studio

pytestmark = [pytest.mark.browser, pytest.mark.torch]
Start = Callable[[], Served]
# A run has the lowest priority: on a machine that is busy otherwise it waits long for its turn.
PATIENCE = 300_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that nobody has used; skipped where the starter model has not been built."""
    if not (ROOT / "static" / "starter" / "model" / "config.json").is_file():
        pytest.skip("the starter model has not been built: `make starter`")
    return Home(tmp_path / "home")


@pytest.fixture
def start(home: Home, tmp_path: Path) -> Iterator[Start]:
    """Serves the home; at the end nothing of it runs any more, whatever the test found."""
    served: list[Served] = []

    def begin() -> Served:
        served.append(start_studio(home.path, tmp_path / f"serve-{len(served)}.err"))
        return served[-1]

    yield begin
    store = Store(home)
    for job in list_jobs(store):
        try:
            request_stop(store, job.id, "now")
        except Conflict:
            continue  # it has ended, as it should
    store.close()
    for one in served:
        stop_studio(one)


@pytest.mark.slow
def test_a_run_outlives_the_web_process_and_ends_in_the_comparison(
    home: Home, start: Start, visit: Callable[..., Any]
) -> None:
    first = start()
    one = visit(first.url)
    one.expected += ["net::ERR_CONNECTION", "Failed to fetch"]  # refused, reset: nobody is there
    page = one.open("/train?method=sft&base=starter&dataset=starter")
    page.wait_for_selector("#train-start[aria-disabled=false]")
    page.click("text=More options")
    page.fill("#option-max_steps", "40")
    page.wait_for_selector("text=40 steps")
    page.click("#train-start")
    page.wait_for_selector(r"text=/Training: step \d+ of 40/", timeout=PATIENCE)
    job = page.url.rpartition("job=")[2]

    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = start()
    page = visit(second.url).open(f"/train?job={job}")
    page.wait_for_selector("#run-compare", timeout=PATIENCE)

    assert page.inner_text("#run-title") == "round-1-sft"
    assert page.get_attribute(".curve-plot", "aria-label").endswith("in 40 steps")
    assert page.get_attribute("#run-compare", "href") == "/compare?study=round-1"
    page.goto(f"{second.url}/")
    page.wait_for_selector("text=Vote: is round 1 better?")
    _check_store(home, job)


def _check_store(home: Home, job: str) -> None:
    """One job, done, whose model was tried out and knows its parent."""
    store = Store(home)
    (known,) = list_jobs(store)
    model = get_model(store, known.model_id or "")
    parent = get_model(store, "starter")
    store.close()

    assert (known.id, known.status, known.step) == (job, "done", 40)
    assert (model.name, model.parent_id) == ("round-1-sft", parent.id)
    assert model.probe is not None
    assert model.probe["finite"] is True
    assert model.probe["max_logit_difference"] > 0
