"""The JSON routes of preflights and retries, and what the run doctor says of a job."""

import fcntl
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import jobs
from storage.home import Home
from storage.preflights import keep_preflight
from storage.rows_training import Job
from storage.runs import append_event, write_error
from storage.store import Store
from studio.api import jobs as job_routes
from studio.api import preflights as preflight_routes
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import first_day

ASKED = {"method": "sft", "base": "starter", "dataset": "facts"}


@pytest.fixture
def web(store: Store, home: Home) -> Iterator[TestClient]:
    """The routes of a home on its first day. Its worker's lock is held, so that starting a job trains nothing."""
    first_day(store)
    studio = Studio(settings=Settings.from_env({}, home=home.path))
    app = FastAPI()
    add_error_answers(app)
    for routes in (preflight_routes, job_routes):
        app.include_router(routes.router(studio))
    with home.worker_lock.open("w") as lock, TestClient(app) as client:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield client


def test_a_refused_plan_is_a_result_at_once(web: TestClient) -> None:
    told = web.post("/api/jobs/preflight", json={**ASKED, "base": "nobody"}).json()

    assert (told["state"], told["error"]) == ("done", None)
    assert told["result"]["refusals"][0].startswith('There is no model "nobody"')
    assert (told["result"]["price"], told["result"]["examples"]) == ("", [])


def test_a_kept_result_is_told_with_its_price_and_an_unknown_one_is_404(web: TestClient, store: Store) -> None:
    kept = {"rows": 5, "seconds": {"low": 60, "high": 60}, "memory_gb": {"low": 2, "high": 2}, "device": "cuda",
            "fits_beside_engine": True}  # fmt: skip
    keep_preflight(store, "abc", kept)

    assert web.get("/api/jobs/preflight/abc").json() == {
        "id": "abc", "state": "done", "error": None, "result": {**kept, "price": "about 1 min, 2 GB"},
    }  # fmt: skip
    assert web.get("/api/jobs/preflight/other").status_code == 404


@pytest.fixture
def failed(web: TestClient, store: Store, home: Home) -> Job:
    """A job whose loss climbed until it was no number."""
    job = launch(store, Settings.from_env({}, home=home.path), Request("sft", "starter", dataset="facts", name="one"))
    jobs.claim(store)
    for step in range(1, 13):
        append_event(home.run(job.id), "metric", step=step, loss=float(step))
    error = write_error(home.run(job.id), "loss-not-finite", "The loss is no number.", "Lower it.")
    return jobs.finish(store, job.id, "failed", error=error)


def test_the_doctor_speaks_in_the_job_and_its_failure_says_what_to_try(web: TestClient, failed: Job) -> None:
    told = web.get(f"/api/jobs/{failed.id}").json()

    assert [symptom["name"] for symptom in told["symptoms"]] == ["learning-rate-too-high"]
    assert set(told["symptoms"][0]) == {"level", "name", "sentence", "evidence", "fix"}
    assert told["error"]["retry"] == [
        {"label": "Retry with a tenth of the step size", "options": {"learning_rate": 5e-5}}
    ]
    assert told["samples_url"] == f"/api/jobs/{failed.id}/samples"


def test_a_retry_by_button_is_a_job_with_that_option(web: TestClient, store: Store, failed: Job) -> None:
    again = web.post(f"/api/jobs/{failed.id}/retry", json={"options": {"learning_rate": 5e-5}}).json()

    assert (again["status"], again["name"]) == ("queued", "one")
    assert jobs.get_job(store, again["job"]).request["options"] == {"learning_rate": 5e-5}


def test_a_retry_without_options_goes_on_with_the_same_job(web: TestClient, failed: Job) -> None:
    assert web.post(f"/api/jobs/{failed.id}/retry", json={"options": {}}).json()["job"] == failed.id
    assert web.post(f"/api/jobs/{failed.id}/retry", json={"options": {}}).status_code == 409


def test_a_job_that_has_hardly_begun_has_no_symptoms(web: TestClient) -> None:
    job = web.post("/api/jobs", json=ASKED).json()["job"]

    assert web.get(f"/api/jobs/{job}").json()["symptoms"] == []


FIRST_TRAININGS = """
import fcntl, json, sys, time
from pathlib import Path
from fastapi import FastAPI
from fastapi.testclient import TestClient
from storage import jobs
from storage.home import Home
from storage.store import Store
from studio.api import jobs as job_routes
from studio.api import preflights as preflight_routes
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.training.project import first_day, run_to_the_end

home = Home(Path({home!r}))
home.make()
store = Store.open(home)
first_day(store)
studio, app = Studio(settings=Settings.from_env({{}}, home=home.path)), FastAPI()
for routes in (preflight_routes, job_routes):
    app.include_router(routes.router(studio))
asked = {{"method": "sft", "base": "starter", "dataset": "facts"}}
with home.worker_lock.open("w") as lock, TestClient(app) as client:
    fcntl.flock(lock, fcntl.LOCK_EX)  # held, so that no worker starts and trains
    begun = client.post("/api/jobs/preflight", json=asked).json()
    look = lambda: client.get("/api/jobs/preflight/" + begun["id"]).json()["state"]
    while (state := look()) == "running":
        time.sleep(0.2)
    first = client.post("/api/jobs", json=asked).json()["job"]
    made = run_to_the_end(store, jobs.get_job(store, first))
    second = client.post("/api/jobs", json={{**asked, "base": made.name}}).json()["job"]
files = sorted(path.name for path in home.run(second).iterdir())
heavy = [name for name in ("torch", "pandas", "pyarrow") if name in sys.modules]
print(json.dumps([begun["state"], state, files, heavy]))
"""


@pytest.mark.torch
def test_preflights_and_launches_leave_torch_pyarrow_and_pandas_out_of_the_web_process(tmp_path: Path) -> None:
    """Rows are frozen, and those of the run before sampled, by a process that ends; else pyarrow and pandas stay."""
    program = FIRST_TRAININGS.format(home=str(tmp_path / "home"))
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=240)

    assert json.loads(ended.stdout.splitlines()[-1]) == [
        "running",
        "failed",  # there are no weights behind this base
        ["data.parquet", "earlier.parquet", "spec.json"],
        [],
    ]
