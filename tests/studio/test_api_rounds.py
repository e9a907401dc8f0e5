"""The JSON routes of second thoughts about rounds: the gate's limit, who learnt from bad votes, a replay."""

import fcntl
import time
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import exclusions, tasks
from storage.comparisons import get_study
from storage.home import Home
from storage.store import Store
from studio import task as running
from studio.api import rounds
from studio.api.errors import add_error_answers
from studio.rounds import ledger
from studio.settings import Settings
from studio.studio import Studio
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import first_day, prompts_of, run_to_the_end, vote

NOISY = {"kind": "annotator", "study": "first-look", "value": "noisy"}


@pytest.fixture
def web(store: Store, home: Home) -> Iterator[TestClient]:
    """The routes over a first round that learnt from the votes of two people. No worker trains what is queued."""
    study = first_day(store)
    for person, choice, word in (("me", "b", "mine"), ("noisy", "a", "noise")):
        for asked in prompts_of("train", 10, word):
            vote(store, study, asked, choice, person)
    studio = Studio(settings=Settings.from_env({}, home=home.path))
    run_to_the_end(store, launch(store, studio.settings, Request("dpo", "starter", study="first-look", name="loud")))
    ledger.catch_up(store)
    app = FastAPI()
    add_error_answers(app)
    app.include_router(rounds.router(studio))
    with home.worker_lock.open("w") as lock, TestClient(app) as client:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield client


def test_the_limit_of_forgetting_is_told_changed_and_refused(web: TestClient) -> None:
    assert web.get("/api/rounds").json()["limits"] == {"forgetting": 0.5}

    changed = web.patch("/api/rounds/gate", json={"forgetting": 0.1}).json()

    assert changed == {"limits": {"forgetting": 0.1}, "before": {"forgetting": 0.5}}
    (check,) = [
        one for one in web.get("/api/rounds").json()["rounds"][0]["gate"]["checks"] if one["name"] == "forgetting"
    ]
    assert (check["state"], "limit 0.1" in check["sentence"]) == ("fails", True)
    refused = web.patch("/api/rounds/gate", json={"forgetting": -1})
    assert (refused.status_code, refused.json()["error"]["sentence"]) == (
        422, "The limit of forgetting is a loss per token from 0 to 100, not -1.",
    )  # fmt: skip
    assert web.get("/api/rounds").json()["limits"] == {"forgetting": 0.1}


def test_who_learnt_from_bad_votes_is_told_and_the_line_is_queued_without_them(web: TestClient, store: Store) -> None:
    told = web.get("/api/rounds/touched", params=NOISY).json()
    plan = web.post("/api/rounds/retrain", json={**NOISY, "dry_run": True}).json()

    how = 'learnt from the votes of the annotator "noisy" in first-look'
    assert told["touched"] == [{"model": "loud", "how": how, "retired": False}]
    assert web.get("/api/rounds/touched", params={**NOISY, "value": "me2"}).json()["touched"] == []
    assert (plan["start"], plan["jobs"]) == ("starter", [])
    assert exclusions.standing(store, get_study(store, "first-look").id) == []
    done = web.post("/api/rounds/retrain", json={**NOISY, "reason": "Votes at random."}).json()
    assert (done["start"], len(done["jobs"])) == ("starter", 1)
    assert len(exclusions.standing(store, get_study(store, "first-look").id)) == 1


@pytest.mark.parametrize(
    ("asked", "status"), [({}, 422), ({**NOISY, "kind": "mood"}, 422), ({**NOISY, "study": "x"}, 404)]
)
def test_what_cannot_be_asked_is_said(web: TestClient, asked: dict[str, str], status: int) -> None:
    assert web.get("/api/rounds/touched", params=asked).status_code == status


def test_a_replay_is_a_task_of_which_one_runs_at_a_time(web: TestClient, store: Store) -> None:
    store.execute("update jobs set status = 'failed'")  # what cannot be replayed needs no torch to be refused

    begun = web.post("/api/rounds/1/replay", json={})
    task = tasks.get_task(store, begun.json()["task"])
    while task.status in ("queued", "running"):
        time.sleep(0.05)
        task = tasks.get_task(store, task.id)

    assert (task.status, task.error and task.error["sentence"]) == (
        "failed", "The training of round 1 is failed; only one that ended well can be replayed.",
    )  # fmt: skip
    tasks.add_task(store, "replay", {"round": 1})
    assert running.busy(store, "replay")
    assert web.post("/api/rounds/1/replay", json={}).status_code == 409
    assert web.post("/api/rounds/9/replay", json={}).status_code == 404
