"""A job is claimed once, followed, stopped and finished, and its history is kept."""

import subprocess
import sys

import pytest

from storage import jobs, models
from storage.clock import new_id
from storage.errors import Conflict, NotFound
from storage.home import Home
from storage.rows_training import Job
from storage.store import Store

_CLAIM_ALL = """
import sys
from pathlib import Path
from storage import jobs
from storage.home import Home
from storage.store import Store
store = Store.open(Home(Path(sys.argv[1])))
while job := jobs.claim(store):
    print(job.id)
"""


def _enqueue(store: Store) -> Job:
    if not models.list_models(store):
        models.add_model(store, "starter", "base")
    base = models.get_model(store, "starter")
    return jobs.enqueue(store, jobs.NewJob(new_id(), "round-1", "sft", base.id, {"options": {}}), {"p1", "p2"})


def test_jobs_are_claimed_oldest_first_and_once(store: Store) -> None:
    queued = [_enqueue(store).id for _ in range(3)]

    claimed = [job.id for job in (jobs.claim(store), jobs.claim(store), jobs.claim(store)) if job]

    assert claimed == queued
    assert jobs.claim(store) is None
    assert [job.status for job in jobs.list_jobs(store)] == ["running"] * 3


def test_four_processes_claim_each_of_a_hundred_jobs_once(store: Store, home: Home) -> None:
    queued = {_enqueue(store).id for _ in range(100)}
    claimers = [
        subprocess.Popen([sys.executable, "-c", _CLAIM_ALL, str(home.path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    claimed = [line for claimer in claimers for line in claimer.communicate()[0].split()]

    assert sorted(claimed) == sorted(queued)


def test_a_queued_job_stops_at_once_and_a_running_one_is_asked(store: Store) -> None:
    queued, running = _enqueue(store), None
    running = jobs.claim(store)
    other = _enqueue(store)
    assert running is not None
    assert running.id == queued.id

    assert jobs.request_stop(store, other.id, "now").status == "stopped"
    asked = jobs.request_stop(store, running.id, "save")

    assert (asked.status, asked.stop_requested) == ("running", "save")


def test_an_ended_job_cannot_be_stopped(store: Store) -> None:
    job = _enqueue(store)
    jobs.claim(store)
    jobs.finish(store, job.id, "failed", error={"kind": "loss", "sentence": "The loss is not a number.", "fix": ""})

    with pytest.raises(Conflict, match="Job 1 has ended already: it is failed"):
        jobs.request_stop(store, job.id, "now")


def test_a_finished_job_keeps_its_outcome_when_a_second_worker_finishes_it_again(store: Store) -> None:
    job = _enqueue(store)
    jobs.claim(store)
    base = models.get_model(store, "starter")
    jobs.finish(store, job.id, "done", model_id=base.id)

    again = jobs.finish(store, job.id, "failed", error={"kind": "lost", "sentence": "?", "fix": ""})

    assert (again.status, again.model_id, again.error) == ("done", base.id, None)


def test_a_job_is_found_by_id_and_by_number(store: Store) -> None:
    job = _enqueue(store)

    assert jobs.get_job(store, "1") == jobs.get_job(store, job.id) == job
    with pytest.raises(NotFound, match='There is no job "7"; `ratchet jobs` lists them'):
        jobs.get_job(store, "7")


def test_progress_is_followed(store: Store) -> None:
    job = _enqueue(store)
    jobs.claim(store)
    jobs.follow(store, job.id, step=3, total_steps=10, eta_seconds=7.5, metrics={"loss": 1.25}, phase="training")

    now = jobs.get_job(store, job.id)

    assert (now.step, now.total_steps, now.eta_seconds, now.metrics, now.phase) == (
        3,
        10,
        7.5,
        {"loss": 1.25},
        "training",
    )
    noted = store.rows("select prompt_sha256 from trained_prompts where job_id = ?", [job.id])
    assert {row["prompt_sha256"] for row in noted} == {"p1", "p2"}


def test_a_stopped_job_is_queued_again_and_a_done_one_is_not(store: Store) -> None:
    job = _enqueue(store)
    jobs.claim(store)
    jobs.request_stop(store, job.id, "save")
    jobs.finish(store, job.id, "stopped")

    again = jobs.resume(store, job.id)
    claimed = jobs.claim(store)
    jobs.finish(store, job.id, "done")

    assert (again.status, again.stop_requested, again.finished_at) == ("queued", None, None)
    assert claimed is not None
    assert claimed.id == job.id
    with pytest.raises(Conflict, match="Job 1 is done; only a job that has failed or was stopped can be resumed"):
        jobs.resume(store, job.id)
