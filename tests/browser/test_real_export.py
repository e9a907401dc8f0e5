"""A real preflight on the starter, a real training, and its model taken out with the self-test, all from the page."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.axe import grave_violations
from tests.browser.conftest import Served

pytestmark = [pytest.mark.browser, pytest.mark.torch, pytest.mark.slow]
PATIENCE = 300_000


def test_a_training_is_priced_run_measured_and_taken_out(starter_served: Served, visit: Callable[..., Any]) -> None:
    page = visit(starter_served.url, fresh=True).open("/train?method=sft&base=starter&dataset=starter")
    page.wait_for_selector("#train-start[aria-disabled=false]")
    page.check("#preflight-itself")
    page.wait_for_selector("#preflight-facts dt", timeout=PATIENCE)
    said = page.inner_text("#train-says")
    assert said.startswith("Train, about ")
    assert said.endswith(("MB", "GB"))
    page.click("text=What is learnt of five rows")
    assert page.locator(".learnt-row:has(mark)").count() == 5
    assert grave_violations(page) == []

    page.click("text=More options")
    page.fill("#option-max_steps", "40")
    page.wait_for_selector("text=40 steps")
    page.click("#train-start")
    page.wait_for_selector("#run-compare", timeout=PATIENCE)
    page.wait_for_selector("#run-evaluation .facts")
    assert "Held-out loss" in page.inner_text(".run-card .facts >> nth=0")

    page.click("#run-export")
    page.click("#export-begin")
    page.wait_for_selector("#export-file", timeout=PATIENCE)
    assert page.inner_text("#export-test") == "5 of 5 prompts answered alike, 100 % of the tokens."
    with page.expect_download() as download:
        page.click("#export-file")
    assert download.value.suggested_filename.endswith(".zip")
