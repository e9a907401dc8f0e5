"""The JSON routes about searches: what the page shows of one, from its beginning to its stop."""

import fcntl
import time
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.home import Home
from storage.store import Store
from studio.api import searches as search_routes
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.training.project import first_day

ASKED = {"method": "sft", "base": "starter", "dataset": "facts", "options": {"max_steps": 2}}


@pytest.fixture
def web(store: Store, home: Home) -> Iterator[TestClient]:
    """The routes of a home on its first day. Its worker's lock is held, so that no trial trains."""
    first_day(store, rows=60)
    app = FastAPI()
    add_error_answers(app)
    app.include_router(search_routes.router(Studio(settings=Settings.from_env({}, home=home.path))))
    with home.worker_lock.open("w") as lock, TestClient(app) as client:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield client


def test_the_form_is_told_what_would_be_searched(web: TestClient) -> None:
    usual = web.post("/api/searches/space", json=ASKED).json()
    own = web.post("/api/searches/space", json={**ASKED, "space": "learning_rate=1e-5..1e-3"}).json()

    assert usual["refusals"] == []
    assert [part.split("=")[0] for part in usual["space"].split(",")] == ["learning_rate", "epochs", "lora_r"]
    assert own["space"] == "learning_rate=1e-05..0.001"
    assert set(web.get("/api/searches").json()["samplers"]) == {"tpe", "cmaes", "nsga2"}


def test_what_cannot_be_searched_answers_with_a_sentence(web: TestClient) -> None:
    refused = web.post("/api/searches", json={**ASKED, "trials": 1})

    assert refused.status_code == 422
    assert "between 2 and 1000 trials" in refused.text
    assert web.get("/api/searches").json()["searches"] == []
    assert web.get("/api/searches/nothing").status_code == 404


@pytest.mark.heavy
def test_a_search_is_begun_shown_and_stopped(web: TestClient) -> None:
    asked = {**ASKED, "name": "tries", "trials": 4, "space": "learning_rate=1e-5..1e-3", "sampler": "nsga2"}
    begun = web.post("/api/searches", json=asked).json()
    shown = _until(web, lambda report: bool(report["trials"]))

    assert (begun["name"], begun["method"], begun["state"], begun["best"]) == ("tries", "sft", "running", None)
    assert begun["objectives"] == ["held_out_loss", "forgetting", "seconds"]
    trial = shown["trials"][0]
    assert (trial["number"], trial["state"], trial["status"], trial["pareto"]) == (1, "running", "queued", False)
    assert trial["values"] == {"held_out_loss": None, "forgetting": None, "seconds": None}
    assert web.post("/api/searches/tries/stop").json()["state"] == "stopping"
    assert _until(web, lambda report: report["state"] == "stopped")["trials"][0]["status"] == "stopped"
    assert web.post("/api/searches/tries/stop").status_code == 409


def _until(web: TestClient, true: object) -> dict:  # type: ignore[type-arg]
    deadline = time.monotonic() + 120
    while True:
        report = web.get("/api/searches/tries").json()
        if true(report):  # type: ignore[operator]
            return report
        assert time.monotonic() < deadline, report
        time.sleep(0.05)
