"""A search's life: real processes of it over a real store; whoever plays the worker ends jobs with a measured loss."""

import fcntl
import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from storage import jobs, models, searches, tasks
from storage.errors import BadInput, Conflict
from storage.home import Home
from storage.rows_training import Job
from storage.runs import append_event
from storage.searches import Search, Trial
from storage.store import Store
from studio.curation.editing import add
from studio.rounds import ledger
from studio.task import running_tasks
from studio.training.request import Request
from studio.training.searching import (
    Wish,
    begin_search,
    best_of,
    list_reports,
    pareto,
    ranges_of,
    report_search,
    revive,
    stop_search,
)
from tests.studio.training.project import conversation, first_day, run_to_the_end

FACTS = Request("sft", "starter", dataset="facts", options={"max_steps": 3})
SPACE = "learning_rate=1e-5..1e-2,epochs=1..8"
PATIENCE = 120  # seconds; a bound for a broken search, not a measurement


@pytest.fixture
def project(store: Store, home: Home) -> Iterator[Store]:
    """A home on its first day. Its worker's lock is held: the test ends the jobs."""
    first_day(store, rows=60)
    with home.worker_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield store


def _loss(options: dict[str, float]) -> float:
    return round((math.log10(options["learning_rate"]) + 3) ** 2 + (options["epochs"] - 4) ** 2 / 10, 6)


def _finish(store: Store, job: Job) -> None:
    """End a job as a worker does, with what its evaluation would have found."""
    options = job.request["options"]
    evaluation = {"held_out": {"loss": _loss(options)},
                  "forgetting": {"base_answers": {"before": 1.0, "after": 1.0 + options["learning_rate"]}}}  # fmt: skip
    store.execute("update jobs set evaluation = ? where id = ?", [json.dumps(evaluation), job.id])
    run_to_the_end(store, job)


def _play_worker(
    store: Store, search: Search, end: Callable[[Store, Job], None] = _finish,
    before: Callable[[Job, int], None] = lambda _job, _number: None,
) -> dict[str, object]:  # fmt: skip
    """End the jobs of a search as they come, until it has ended; its report."""
    deadline = time.monotonic() + PATIENCE
    seen: list[str] = []
    while searches.get_search(store, search.id).state in ("running", "stopping"):
        assert time.monotonic() < deadline, (store.home.logs / "tasks.log").read_text()
        waiting = [job for job in jobs.list_jobs(store, "queued") if job.search_id == search.id]
        if waiting:
            if waiting[0].id not in seen:
                seen.append(waiting[0].id)
                before(waiting[0], len(seen))
            end(store, waiting[0])
        time.sleep(0.02)
    return report_search(store, search.id)


def _process_of(store: Store) -> int:
    """The process that is at the search now."""
    deadline = time.monotonic() + PATIENCE
    while True:
        running = [task.pid for task in running_tasks(store) if task.kind == "search" and task.pid]
        if running:
            return running[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.heavy
def test_a_search_makes_ordinary_jobs_and_tells_the_best(project: Store) -> None:
    search = begin_search(project, FACTS, Wish(trials=8, space=SPACE, name="tries"))
    report = _play_worker(project, search)

    trials = report["trials"]
    assert isinstance(trials, list)
    assert (report["state"], report["error"], len(trials)) == ("done", None, 8)
    losses = [trial["values"]["held_out_loss"] for trial in trials]
    assert losses == [_loss(trial["options"]) for trial in trials]
    best = report["best"]
    assert isinstance(best, dict)
    assert best["values"]["held_out_loss"] == min(losses) < report["median"]
    assert best["command"].startswith("ratchet train sft --base starter --dataset facts --set max_steps=3 --set ")
    assert f"--set learning_rate={best['options']['learning_rate']}" in best["command"]
    # Ordinary jobs with models of their own; those that others beat left the lists, and no round was opened.
    done = jobs.list_jobs(project, "done")
    assert sorted(job.name for job in done) == [f"tries-{number}" for number in range(1, 9)]
    front = {trial["model"] for trial in trials if trial["pareto"]}
    assert {model.name for model in models.list_models(project)} == {"starter"} | front
    assert ledger.catch_up(project) == []
    assert [item["done"] for item in list_reports(project)] == [8]


@pytest.mark.heavy
def test_a_search_killed_again_and_again_ends_as_one_that_was_left_alone(project: Store) -> None:
    alone = _play_worker(project, begin_search(project, FACTS, Wish(trials=6, space=SPACE, name="alone")))

    def kill(_job: Job, number: int) -> None:
        """While its third and fifth trial wait, and once more as soon as another process is at it."""
        if number in (3, 5):
            for _ in range(number // 2):
                os.kill(_process_of(project), signal.SIGKILL)
                _wait_until(lambda: bool(revive(project)))

    search = begin_search(project, FACTS, Wish(trials=6, space=SPACE, name="killed"))
    killed = _play_worker(project, search, before=kill)

    assert killed["state"] == alone["state"] == "done"
    assert [_essence(trial) for trial in killed["trials"]] == [_essence(trial) for trial in alone["trials"]]
    assert len(jobs.list_jobs(project)) == 12


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _essence(trial: dict[str, object]) -> tuple[object, object, object]:
    values = trial["values"]
    assert isinstance(values, dict)
    return trial["number"], trial["options"], values["held_out_loss"]


@pytest.mark.heavy
def test_a_search_that_is_stopped_stops_its_trial(project: Store) -> None:
    search = begin_search(project, FACTS, Wish(trials=50, space=SPACE))

    def end(store: Store, job: Job) -> None:
        if job.name.endswith("-2"):
            stop_search(store, search.id)
            _wait_until(lambda: jobs.get_job(store, job.id).status == "stopped")
        else:
            _finish(store, job)

    report = _play_worker(project, search, end)

    assert (report["state"], [trial["state"] for trial in report["trials"]]) == ("stopped", ["done", "stopped"])
    assert report["best"]["number"] == 1
    with pytest.raises(Conflict, match="has ended already: it is stopped"):
        stop_search(project, search.id)


@pytest.mark.heavy
def test_a_dataset_that_changes_meanwhile_is_told(project: Store) -> None:
    search = begin_search(project, FACTS, Wish(trials=2, space=SPACE))

    def end(store: Store, job: Job) -> None:
        assert report_search(store, search.id)["warning"] is None or job.name.endswith("-2")
        if job.name.endswith("-1"):
            add(store, "facts", conversation("a new question", "a new answer"))
        _finish(store, job)

    report = _play_worker(project, search, end)

    assert report["state"] == "done"
    assert str(report["warning"]).startswith("The dataset was changed while this search ran: from trial 2 on")


@pytest.mark.heavy
def test_a_trial_whose_losses_are_behind_is_given_up(project: Store) -> None:
    search = begin_search(project, FACTS, Wish(trials=5, space=SPACE))

    def end(store: Store, job: Job) -> None:
        number = int(job.name.rpartition("-")[2])
        for step, loss in enumerate([2.0, 1.0] if number != 4 else [9.0, 9.0], 1):
            append_event(store.home.run(job.id), "metric", step=step, held_out_loss=loss)
        if number == 4:
            _wait_until(lambda: jobs.get_job(store, job.id).status == "stopped")
        else:
            _finish(store, job)

    report = _play_worker(project, search, end)

    assert [trial["state"] for trial in report["trials"]] == ["done", "done", "done", "pruned", "done"]
    assert report["trials"][3]["reported"] == [9.0, 9.0]
    assert report["trials"][3]["values"] == {"held_out_loss": None, "forgetting": None, "seconds": None}


@pytest.mark.heavy
def test_three_trials_that_fail_end_a_search_with_their_sentence(project: Store) -> None:
    search = begin_search(project, FACTS, Wish(trials=9, space=SPACE))

    def end(store: Store, job: Job) -> None:
        jobs.claim(store)
        jobs.finish(store, job.id, "failed", error={"kind": "x", "sentence": "The disk is full.", "fix": "Free some."})

    report = _play_worker(project, search, end)

    assert (report["state"], len(report["trials"]), report["best"]) == ("failed", 3, None)
    assert report["error"]["sentence"] == "No trial came to an end; job 3 says: The disk is full."
    assert report["error"]["fix"] == "Free some."


@pytest.mark.parametrize(
    ("request_", "wish", "sentence"),
    [
        (FACTS, Wish(trials=1), "A search makes between 2 and 1000 trials, not 1."),
        (FACTS, Wish(seconds=0.0), "The budget of a search is more than 0 seconds, not 0."),
        (FACTS, Wish(sampler="magic"), 'There is no sampler "magic"; choose tpe, cmaes, nsga2.'),
        (replace(FACTS, options={"epochs": 2}), Wish(space="epochs=1..2"), 'Option "epochs" is both set and searched'),
        (replace(FACTS, dataset=None), Wish(), "Choose what SFT learns from"),
        (FACTS, Wish(sampler="cmaes", space="epochs=1..2"), "CMA-ES needs two options or more"),
        (replace(FACTS, options={"held_out": 0}), Wish(), "Trials are compared on rows that they do not train on"),
    ],
)
def test_what_cannot_be_searched_is_refused_and_leaves_nothing(
    request_: Request, wish: Wish, sentence: str, project: Store
) -> None:
    with pytest.raises(BadInput) as refused:
        begin_search(project, request_, wish)

    assert str(refused.value).startswith(sentence)
    assert (searches.list_searches(project), tasks.list_tasks(project, "search")) == ([], [])


def test_an_option_that_is_set_is_not_searched(project: Store) -> None:
    from studio.training.planning import plan

    thought = plan(project, replace(FACTS, options={"lora_r": 4}))

    assert [one.name for one in ranges_of(thought, "")] == ["learning_rate", "epochs"]


def test_the_front_holds_what_nothing_beats_in_all_goals() -> None:
    def trial(number: int, state: str = "done", **values: float) -> Trial:
        return Trial(f"job-{number}", "s", number, {}, {"values": values}, state)

    trials = [
        trial(1, held_out_loss=1.0, forgetting=0.5, seconds=10.0),
        trial(2, held_out_loss=2.0, forgetting=0.1, seconds=10.0),
        trial(3, held_out_loss=2.0, forgetting=0.6, seconds=12.0),  # beaten by the first in all
        trial(4, held_out_loss=1.0, forgetting=0.5, seconds=10.0),  # as good as the first
        trial(5, state="pruned", held_out_loss=0.1),
    ]

    assert pareto(trials) == {"job-1", "job-2", "job-4"}
    best = best_of(trials, ["held_out_loss"])
    assert best is not None and best.number == 1
    assert best_of([], ["held_out_loss"]) is None
