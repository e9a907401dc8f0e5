"""The JSON routes about jobs and rounds: what the form and the film are made of."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import jobs
from storage.clock import new_id
from storage.home import Home
from storage.specs.registry import METHODS
from storage.store import Store
from studio.api import jobs as job_routes
from studio.api import models as model_routes
from studio.api import rounds as round_routes
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.training.project import first_day, run_to_the_end, write_base

FACTS = {"method": "sft", "base": "starter", "dataset": "facts"}


@pytest.fixture
def web(store: Store, home: Home) -> Iterator[TestClient]:
    """The routes of a home on its first day. Its worker's lock is held, so that starting a job trains nothing."""
    first_day(store)
    studio = Studio(settings=Settings.from_env({}, home=home.path))
    app = FastAPI()
    add_error_answers(app)
    app.include_router(job_routes.router(studio))
    app.include_router(round_routes.router(studio))
    app.include_router(model_routes.router(studio))
    with home.worker_lock.open("w") as lock, TestClient(app) as client:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield client


def test_the_form_is_offered_methods_models_and_material(web: TestClient) -> None:
    offered = web.get("/api/jobs/choices").json()

    assert [method["name"] for method in offered["methods"]] == list(METHODS)
    assert [model["name"] for model in offered["models"]] == ["starter"]
    assert offered["datasets"] == [{"name": "facts", "kind": "sft", "rows": 5}]
    assert offered["studies"] == [{"name": "first-look", "votes": 0}]
    assert (offered["base"], offered["study"]) == ("starter", None)


def test_a_plan_answers_with_fields_that_say_what_is_advised(web: TestClient) -> None:
    plan = web.post("/api/jobs/plan", json={**FACTS, "options": {"epochs": 4}}).json()

    epochs = plan["fields"][0]
    assert (epochs["name"], epochs["value"], epochs["minimum"], epochs["basic"]) == ("epochs", 4, 0.01, True)
    assert epochs["advised"] != 4
    assert (plan["refusals"], plan["becomes"], plan["steps"]) == ([], "round-1-sft", 4)
    assert plan["command"] == "ratchet train sft --base starter --dataset facts --set epochs=4"


def test_a_plan_never_fails_it_refuses(web: TestClient) -> None:
    empty = web.post("/api/jobs/plan", json={})

    assert empty.status_code == 200
    assert len(empty.json()["refusals"]) >= 1


def test_a_start_answers_with_the_job_and_a_second_press_with_the_same(web: TestClient) -> None:
    asked = {**FACTS, "start_id": new_id()}

    first, second = web.post("/api/jobs", json=asked).json(), web.post("/api/jobs", json=asked).json()

    assert first["job"] == second["job"] == asked["start_id"]
    assert [job["job"] for job in web.get("/api/jobs").json()["jobs"]] == [asked["start_id"]]


def test_a_refused_start_is_a_sentence_and_no_job(web: TestClient) -> None:
    answer = web.post("/api/jobs", json={**FACTS, "dataset": "nothing"})

    assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "bad-input")
    assert answer.json()["error"]["sentence"] == 'There is no dataset "nothing"; there are: facts.'
    assert web.get("/api/jobs").json() == {"jobs": [], "unfinished": 0}


def test_a_run_is_read_curve_and_log(web: TestClient, store: Store) -> None:
    job = web.post("/api/jobs", json=FACTS).json()["job"]
    run_to_the_end(store, jobs.get_job(store, job))
    (store.home.run(job) / "train.log").write_text("saved\n")

    curve = web.get(f"/api/jobs/{job}/curves").json()

    assert curve["series"]["loss"] == [[1, 1.0], [2, 0.5], [3, 1 / 3]]
    assert web.get(f"/api/jobs/{job}/curves", params={"offset": curve["offset"]}).json()["series"] == {}
    assert web.get(f"/api/jobs/{job}/log").json() == {"log": "saved\n"}
    assert web.get(f"/api/jobs/{job}").json()["compare"] == "round-1"


def test_stopping_and_starting_again(web: TestClient, store: Store) -> None:
    job = web.post("/api/jobs", json=FACTS).json()["job"]

    assert web.post(f"/api/jobs/{job}/stop", json={}).json()["status"] == "stopped"
    again = web.post(f"/api/jobs/{job}/again", json={}).json()
    assert (again["status"], again["number"]) == ("queued", 2)
    assert web.post(f"/api/jobs/{job}/stop", json={"now": True}).status_code == 409


def test_a_failed_job_is_resumed_as_itself_and_one_that_waits_is_not(web: TestClient, store: Store) -> None:
    job = web.post("/api/jobs", json=FACTS).json()["job"]
    jobs.claim(store)
    jobs.finish(store, job, "failed", error={"kind": "killed", "sentence": "It was killed.", "fix": "Resume the job."})

    resumed = web.post(f"/api/jobs/{job}/resume").json()
    again = web.post(f"/api/jobs/{job}/resume")

    assert (resumed["job"], resumed["number"], resumed["status"], resumed["error"]) == (job, 1, "queued", None)
    assert (again.status_code, again.json()["error"]["sentence"]) == (
        409, "Job 1 is queued; only a job that has failed or was stopped can be resumed.",
    )  # fmt: skip
    assert [one.id for one in jobs.list_jobs(store)] == [job]


@pytest.mark.parametrize("path", ["", "/curves", "/log"])
def test_an_unknown_job_is_not_found(web: TestClient, path: str) -> None:
    assert web.get(f"/api/jobs/nobody{path}").status_code == 404


def test_the_film_comes_with_the_next_step_and_the_job_at_work(web: TestClient, store: Store) -> None:
    before = web.get("/api/rounds").json()
    web.post("/api/jobs", json=FACTS)
    jobs.claim(store)

    after = web.get("/api/rounds").json()

    assert (len(before["rounds"]), before["running"]) == (1, [])
    assert before["next"]["href"] == "/train?method=sft&base=starter&dataset=facts"
    assert [job["name"] for job in after["running"]] == ["round-1-sft"]
    assert after["next"]["title"] == "round-1-sft is training"


def test_a_model_is_added_and_stands_in_the_list(web: TestClient, tmp_path: Path) -> None:
    folder = write_base(tmp_path / "other-base")

    added = web.post("/api/models", json={"ref": str(folder), "name": ""})

    assert added.json() == {"name": "other-base", "kind": "base"}
    assert [model["name"] for model in web.get("/api/models").json()["models"]] == ["starter", "other-base"]


def test_an_endpoint_is_added_with_its_terms_and_its_key_stays_out(web: TestClient) -> None:
    said = {"ref": "http://127.0.0.1:9/v1#m", "name": "far", "key_env": "FAR_KEY", "dialect": "vllm", "at_once": 3,
            "timeout": 20, "price_in": 1, "price_out": 2.5, "serves": "starter"}  # fmt: skip

    added = web.post("/api/models", json=said)

    line = web.get("/api/models").json()["models"][-1]
    assert added.json() == {"name": "far", "kind": "endpoint"}
    assert {name: line[name] for name in said if name not in ("ref",)} == {
        name: value for name, value in said.items() if name != "ref"
    }
    assert line["usage"]["cost"] == 0


def test_an_endpoint_of_no_known_kind_is_a_sentence(web: TestClient) -> None:
    answer = web.post("/api/models", json={"ref": "http://127.0.0.1:9/v1#m", "dialect": "soap"})

    assert answer.status_code == 422
    assert answer.json()["error"]["sentence"].startswith('"soap" is no kind of endpoint')
    kinds = [one["name"] for one in web.get("/api/models/dialects").json()["dialects"]]
    assert kinds == ["openai", "vllm", "llama.cpp", "ollama", "tgi"]


def test_a_model_that_cannot_be_used_is_a_sentence(web: TestClient) -> None:
    answer = web.post("/api/models", json={"ref": "/no/such/folder"})

    assert answer.status_code == 404
    assert answer.json()["error"]["sentence"].startswith('"/no/such/folder" is neither a folder on this machine')
