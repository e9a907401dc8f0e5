"""The JSON routes of the queue: order, holding back, plans of several phases."""

import fcntl
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.home import Home
from storage.store import Store
from studio.api import queue as queue_routes
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.training.project import first_day

PHASES = [
    {"method": "sft", "base": "starter", "dataset": "facts", "name": "one"},
    {"method": "sft", "base": "one", "dataset": "facts", "name": "two"},
]


@pytest.fixture
def web(store: Store, home: Home) -> Iterator[TestClient]:
    """The routes of a home on its first day. Its worker's lock is held, so that nothing is trained."""
    first_day(store)
    app = FastAPI()
    add_error_answers(app)
    app.include_router(queue_routes.router(Studio(settings=Settings.from_env({}, home=home.path))))
    with home.worker_lock.open("w") as lock, TestClient(app) as client:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield client


def test_an_empty_queue(web: TestClient) -> None:
    assert web.get("/api/queue").json() == {"slots": [{"device": "any", "job": None}], "waiting": []}


def test_phases_are_queued_and_put_in_another_order(web: TestClient) -> None:
    planned = web.post("/api/plans", json={"phases": PHASES}).json()
    one, two = planned["jobs"]

    held = web.post(f"/api/queue/{one}/hold").json()["waiting"]
    moved = web.post(f"/api/queue/{two}/move", json={"before": one}).json()["waiting"]
    idle = web.post(f"/api/queue/{one}/when-idle", json={"when_idle": True}).json()["waiting"]
    released = web.post(f"/api/queue/{one}/release").json()["waiting"]

    assert [(line["name"], line["held"], line["plan"]) for line in held] == [
        ("one", True, planned["plan"]), ("two", False, planned["plan"]),
    ]  # fmt: skip
    assert [(line["name"], line["position"]) for line in moved] == [("two", 1), ("one", 2)]
    assert [line["when_idle"] for line in idle] == [False, True]
    assert released[1]["reason"] == "It begins when nobody has worked here for some minutes."


def test_a_plan_that_cannot_be_is_a_sentence_and_no_job(web: TestClient) -> None:
    answer = web.post("/api/plans", json={"phases": [PHASES[0], {**PHASES[1], "dataset": "nothing"}]})

    assert answer.status_code == 422
    assert answer.json()["error"]["sentence"].startswith('Phase 2: There is no dataset "nothing"')
    assert web.get("/api/queue").json()["waiting"] == []


def test_an_unknown_job_is_not_found(web: TestClient) -> None:
    assert web.post("/api/queue/nobody/hold").status_code == 404
