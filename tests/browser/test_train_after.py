"""After a training: the disk with its clean-up, a notification for those who asked, retries that are safe."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import jobs
from storage.home import Home
from storage.rows_training import Job
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.browser.axe import grave_violations
from tests.browser.still import Still, still_studio
from tests.studio.training.project import first_day, run_to_the_end

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
TOLD = """window.told = [];
window.Notification = class { constructor(title) { window.told.push(title); }
  static permission = "default"; static async requestPermission() { return this.permission = "granted"; } };"""


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Still]:
    """A studio on its first day."""
    with still_studio(Home(tmp_path / "home")) as still:
        first_day(still.store, rows=60)
        yield still


def _launch(studio: Still, **options: Any) -> Job:
    settings = Settings.from_env({}, home=studio.store.home.path)
    return launch(studio.store, settings, Request("sft", "starter", dataset="facts", options=options))


def test_the_disk_is_cleaned_up_after_a_question_and_the_model_stays(studio: Still, visit: Visit) -> None:
    job = _launch(studio)
    model = run_to_the_end(studio.store, job)
    checkpoint = studio.store.home.run(job.id) / "checkpoints" / "checkpoint-3"
    checkpoint.mkdir(parents=True)
    (checkpoint / "optimizer.pt").write_bytes(bytes(3_000_000))
    page = visit(studio.url).open("/train")
    page.click("#disk summary")

    page.click("#disk-clean")
    page.get_by_role("button", name="Cancel").click()
    assert checkpoint.exists()
    page.click("#disk-clean")
    page.get_by_role("button", name="Free it").click()

    page.wait_for_selector("text=Nothing can go: all of it is needed.")
    assert not checkpoint.exists()
    assert Path(str(model.path)).is_dir()
    assert (studio.store.home.run(job.id) / "spec.json").exists()
    assert grave_violations(page) == []


def test_who_asks_is_told_when_a_job_ends(studio: Still, visit: Visit) -> None:
    job = _launch(studio)
    one = visit(studio.url)
    one.page.add_init_script(TOLD)
    page = one.open("/train")
    page.wait_for_selector("text=You will be told", state="detached")
    page.click("#job-tell")
    page.wait_for_selector("text=You will be told when a job ends")
    page.wait_for_timeout(1200)  # it has been seen at work

    run_to_the_end(studio.store, job)

    page.wait_for_function("window.told.length > 0")
    assert page.evaluate("window.told") == ["round-1-sft is ready"]


def test_what_is_safe_after_a_failure_is_a_button(studio: Still, visit: Visit) -> None:
    job = _launch(studio, batch_size=8)
    jobs.claim(studio.store)
    error = {
        "kind": "out-of-memory", "sentence": "The memory was not enough.", "fix": "Take fewer rows at once.",
        "retry": [{"label": "half the batch", "options": {"batch_size": 4}}],
    }  # fmt: skip
    jobs.finish(studio.store, job.id, "failed", error=error)
    page = visit(studio.url).open(f"/train?job={job.id}")

    page.get_by_role("button", name="half the batch").click()

    page.wait_for_selector(".run-card .status-queued")
    again = next(one for one in jobs.list_jobs(studio.store) if one.id != job.id)
    assert (again.status, again.request["options"]["batch_size"]) == ("queued", 4)
