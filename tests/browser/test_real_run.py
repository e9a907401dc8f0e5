"""A real training on the starter from the button, through a killed web process, to the comparison."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.home import Home
from storage.jobs import list_jobs
from storage.models import get_model
from storage.store import Store
from tests.browser.conftest import ROOT, start_studio, stop_studio

pytestmark = [pytest.mark.browser, pytest.mark.torch]
STEP = r"Training: step (\d+) of 60"


def test_a_run_outlives_the_web_process_and_ends_in_the_comparison(tmp_path: Path, visit: Callable[..., Any]) -> None:
    if not (ROOT / "static" / "starter" / "model" / "config.json").is_file():
        pytest.skip("the starter model has not been built")
    home = tmp_path / "home"
    first = start_studio(home, tmp_path / "first.err")
    one = visit(first.url)
    one.expected += ["ERR_CONNECTION_REFUSED", "poll:", "Failed to fetch", "Connection"]
    page = one.open("/train?method=sft&base=starter&dataset=starter")
    page.wait_for_selector("#train-start[aria-disabled=false]")
    page.click("text=More options")
    page.fill("#option-max_steps", "60")
    page.wait_for_selector("text=60 steps")
    page.click("#train-start")
    page.wait_for_selector(f"text=/{STEP}/", timeout=90_000)
    job = page.url.rpartition("job=")[2]

    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = start_studio(home, tmp_path / "second.err")
    try:
        page = visit(second.url).open(f"/train?job={job}")
        page.wait_for_selector("#run-compare", timeout=120_000)

        assert page.inner_text("#run-title") == "round-1-sft"
        assert page.get_attribute(".curve-plot", "aria-label").endswith("in 60 steps")
        assert page.get_attribute("#run-compare", "href") == "/compare?study=round-1"
        page.goto(f"{second.url}/")
        page.wait_for_selector("text=Vote: is round 1 better?")
        _check_store(Store(Home(home)), job)
    finally:
        stop_studio(second)


def _check_store(store: Store, job: str) -> None:
    """One job, done, whose model was tried out and knows its parent."""
    (known,) = list_jobs(store)
    model = get_model(store, known.model_id or "")
    assert (known.id, known.status, known.step) == (job, "done", 60)
    assert (model.name, model.parent_id) == ("round-1-sft", get_model(store, "starter").id)
    assert model.probe is not None
    assert model.probe["finite"] is True
    assert model.probe["max_logit_difference"] > 0
    store.close()
