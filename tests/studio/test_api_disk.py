"""The JSON routes of the disk, and of models that leave."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.home import Home
from storage.store import Store
from storage.tasks import list_tasks
from studio.api import disk as disk_routes
from studio.api import jobs as job_routes
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import first_day, run_to_the_end


@pytest.fixture
def web(store: Store, home: Home) -> Iterator[TestClient]:
    """The routes of a home with one finished run, in the order in which the studio includes them."""
    first_day(store)
    settings = Settings.from_env({}, home=home.path)
    job = launch(store, settings, Request("sft", "starter", dataset="facts", name="one"))
    (home.run(job.id) / "checkpoints" / "checkpoint-3").mkdir(parents=True)
    (home.run(job.id) / "checkpoints" / "checkpoint-3" / "optimizer.pt").write_bytes(bytes(5000))
    run_to_the_end(store, job)
    app = FastAPI()
    add_error_answers(app)
    for routes in (disk_routes, job_routes):
        app.include_router(routes.router(Studio(settings=settings)))
    with TestClient(app) as client:
        yield client


def test_the_disk_is_told_and_freed(web: TestClient) -> None:
    before = web.get("/api/jobs/disk").json()
    (run,) = before["runs"]
    freed = web.post("/api/jobs/disk/clean", json={"jobs": [run["job"]]}).json()
    after = web.get("/api/jobs/disk").json()

    assert (run["name"], run["number"], run["freeable"], before["freeable"]) == ("one", 1, 5000, 5000)
    assert (freed["freed"], freed["removed"]) == (5000, [f"runs/{run['job']}/checkpoints"])
    assert (after["freeable"], after["total"]) == (0, before["total"] - 5000)
    assert {model["name"] for model in after["models"]} == {"starter", "one"}


def test_a_job_that_is_not_there_frees_nothing(web: TestClient) -> None:
    answer = web.post("/api/jobs/disk/clean", json={"jobs": ["99"]})

    assert (answer.status_code, answer.json()["error"]["sentence"][:25]) == (404, 'There is no job "99"; `ra')
    assert web.get("/api/jobs/disk").json()["freeable"] == 5000


def test_what_cannot_leave_is_refused_before_a_task_is_made(web: TestClient, store: Store) -> None:
    answer = web.post("/api/models/starter/export", json={"as": "adapter"})

    assert answer.status_code == 422
    assert "is a whole model and no adapter" in str(answer.json())
    assert list_tasks(store) == []
