"""The process of a search: proposes options, starts a trial as an ordinary job, follows it, goes on until it is done.

    python -m studio.task ID --home DIR        # a task of kind "search"

Killed at any moment it goes on where it stood: a trial's job has an id that follows from search and number, so that
starting it again finds it; everything else is read from the store.
"""

import contextlib
import hashlib
import os
import time
from dataclasses import replace
from typing import Any, NamedTuple

from storage import jobs, searches, tasks
from storage.clock import now
from storage.errors import Conflict, RatchetError, Stopped
from storage.rows_training import JOB_ENDED, Job, Task
from storage.runs import read_events
from storage.searches import Search, Trial
from storage.specs.registry import method_named
from storage.specs.search import parse_space
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.planning import plan
from studio.training.proposing import Proposer
from studio.training.request import Request
from studio.training.searching import best_of, held, pareto, unfinished_job

_POLL_SECONDS = 0.3
_SILENT_SECONDS = 15.0  # a worker beats every second; without a beat for this long another is started
_BUG = {"kind": "bug", "sentence": "This failed inside the studio; logs/tasks.log says why.", "fix": ""}
_FAILURES = 3  # so many failed trials before any good one end the search


class Running(NamedTuple):
    """A search at work: what it is, what proposes, and what its jobs are asked for with."""

    search: Search
    proposer: Proposer
    request: Request
    settings: Settings


def run_search(store: Store, task: Task) -> dict[str, Any]:
    """Do a search to its end; raises Stopped where somebody asked for that."""
    search = searches.get_search(store, task.payload["search"])
    with held(store.home, search.id) as mine:
        if not mine:
            return {"search": search.id, "state": "another process is at it"}
        try:
            state = _search(store, task, search)
        except RatchetError as error:
            _ended(store, search, "failed", {"kind": error.kind, "sentence": str(error), "fix": ""})
            raise
        except Exception:
            _ended(store, search, "failed", _BUG)
            raise
    if state == "stopped":
        raise Stopped(f'The search "{search.name}" was stopped.')
    return {"search": search.id, "state": state}


def _search(store: Store, task: Task, search: Search) -> str:
    """Trial after trial; returns the state that it ended in."""
    running = _taken_up(store, search)
    while True:
        past = searches.list_trials(store, search.id)
        left = past[-1] if past and past[-1].state == "running" else None
        if left is None and (ending := _ending(store, task, search, past)):
            return _ended(store, search, *ending)
        if not _follow(store, task, running, left or _start(store, running, len(past) + 1)):
            return _ended(store, search, "stopped", None)


def _taken_up(store: Store, search: Search) -> Running:
    """The search with all that it has learnt so far."""
    request = Request.from_json(search.request)
    thought = plan(store, replace(request, name=f"{search.name}-{len(searches.list_trials(store, search.id)) + 1}"))
    ranges = parse_space(method_named(search.method), search.space)
    past = searches.list_trials(store, search.id)
    seed = int(request.options.get("seed", 0) or 0)
    proposer = Proposer(search.sampler, ranges, search.objectives, search.trials, seed, thought.options, past)
    return Running(search, proposer, request, Settings.from_env(os.environ, home=store.home.path))


def _ending(store: Store, task: Task, search: Search, past: list[Trial]) -> tuple[str, dict[str, Any] | None] | None:
    """The state to end in and why, where no further trial is to be started."""
    if searches.get_search(store, search.id).state == "stopping" or _told(store, task, search, past):
        return "stopped", None
    good = [trial for trial in past if trial.state in ("done", "pruned")]
    if len(past) >= _FAILURES and not good:
        return "failed", _why_failed(store, past[-1])
    spent = now() - search.created_at
    if len(past) >= search.trials or (search.seconds is not None and spent >= search.seconds and past):
        return ("done", None) if good else ("failed", _why_failed(store, past[-1]))
    return None


def _told(store: Store, task: Task, search: Search, past: list[Trial]) -> bool:
    """Say how far it is; True where the task is to be cancelled."""
    done = sum(trial.state != "running" for trial in past)
    return tasks.advance(store, task.id, min(1.0, done / search.trials), f"{done} of {search.trials} trials")


def _why_failed(store: Store, trial: Trial) -> dict[str, Any]:
    job = jobs.get_job(store, trial.job_id)
    said = (trial.result or {}).get("sentence") or (job.error or {}).get("sentence") or f"it is {job.status}"
    return {"kind": "trials", "sentence": f"No trial came to an end; job {job.number} says: {said}",
            "fix": (job.error or {}).get("fix") or "Train once by hand until it works, then search."}  # fmt: skip


def _ended(store: Store, search: Search, state: str, error: dict[str, Any] | None) -> str:
    """Stop what runs, retire the models of trials that others beat, record the end."""
    left = unfinished_job(store, search.id)
    if left:
        _stop(store, left)
    for trial in searches.list_trials(store, search.id):
        searches.end_trial(store, trial.job_id, "stopped", {})  # only one that runs is changed
    _retire(store, search)
    searches.end_search(store, search.id, state, error)
    return state


def _stop(store: Store, job_id: str) -> None:
    """Stop a job at once; one that has just ended needs nothing."""
    with contextlib.suppress(Conflict):
        jobs.request_stop(store, job_id, "now")


def _retire(store: Store, search: Search) -> None:
    """Models that nobody would choose leave the lists; their files stay with their jobs."""
    trials = searches.list_trials(store, search.id)
    best = best_of(trials, search.objectives)
    kept = pareto(trials) | ({best.job_id} if best else set())
    for trial in trials:
        if trial.job_id not in kept:
            store.execute(
                "update models set retired_at = ? where job_id = ? and retired_at is null", [now(), trial.job_id]
            )


def _start(store: Store, running: Running, number: int) -> Trial:
    """Queue the next trial, or find it where it was queued before a crash."""
    from studio.clients.processes import start_worker

    search = running.search
    options = running.proposer.ask()
    asked = replace(
        running.request, name=f"{search.name}-{number}", options={**running.request.options, **options},
        start_id=_job_id(search, number),
    )  # fmt: skip
    job = launch(store, running.settings, asked, search_id=search.id)
    searches.add_trial(store, job.id, search.id, number, options)
    start_worker(store.home)
    return searches.list_trials(store, search.id)[-1]


def _job_id(search: Search, number: int) -> str:
    """The id of a trial's job: the same whenever the same trial is started again."""
    return hashlib.sha256(f"{search.id}/{number}".encode()).hexdigest()[:32]


def _follow(store: Store, task: Task, running: Running, trial: Trial) -> bool:
    """Watch a trial to its end and record what came out; False where the search is to stop."""
    follower = _Losses(store, trial.job_id)
    pruned = False
    asked_at = 0.0
    while True:
        job = jobs.get_job(store, trial.job_id)
        losses = follower.read()
        if job.status in JOB_ENDED:
            break
        if _is_stopping(store, task, running.search):
            return False
        if not pruned and (running.proposer.hopeless(losses) or _out_of_time(store, running.search)):
            _stop(store, job.id)
            pruned = True
        asked_at = _see_to_worker(store, job, asked_at)
        time.sleep(_POLL_SECONDS)
    _record(store, running, trial, jobs.get_job(store, trial.job_id), losses)
    return True


def _is_stopping(store: Store, task: Task, search: Search) -> bool:
    if tasks.get_task(store, task.id).cancel_requested:
        return True
    return searches.get_search(store, search.id).state == "stopping"


def _out_of_time(store: Store, search: Search) -> bool:
    """Whether the budget of time is spent and a trial has ended, so that stopping this one leaves a result."""
    if search.seconds is None or now() - search.created_at < search.seconds:
        return False
    return any(trial.state == "done" for trial in searches.list_trials(store, search.id))


def _see_to_worker(store: Store, job: Job, asked_at: float) -> float:
    """Start a worker where none has been seen for a while; returns when one was asked for last."""
    from studio.clients.processes import start_worker

    if now() - max(asked_at, job.beat_at or 0.0) > _SILENT_SECONDS:
        start_worker(store.home)  # does nothing where one runs
        return now()
    return asked_at


def _record(store: Store, running: Running, trial: Trial, job: Job, losses: list[float]) -> None:
    """Note what came out of a trial and tell whoever proposes."""
    result: dict[str, Any] = {"reported": losses, "values": values_of(job)}
    state = "failed"
    if job.status == "done" and all(goal in result["values"] for goal in running.search.objectives):
        state = "done"
    elif job.status == "done":
        lacking = [goal for goal in running.search.objectives if goal not in result["values"]]
        result["sentence"] = f"the run did not measure {' and '.join(lacking)}"
    elif job.status == "stopped" and job.stop_requested == "now" and losses:
        state = "pruned"
    searches.end_trial(store, trial.job_id, state, result)
    ended = next(one for one in searches.list_trials(store, running.search.id) if one.job_id == trial.job_id)
    running.proposer.tell(ended)


def values_of(job: Job) -> dict[str, float]:
    """What a finished job's evaluation says, by goal; what was not measured is absent."""
    found: dict[str, float] = {}
    evaluation = job.evaluation or {}
    measured = (evaluation.get("held_out") or {}).get("loss")
    held_out = job.metrics.get("held_out_best") if measured is None else measured
    forgetting = (evaluation.get("forgetting") or {}).get("base_answers") or {}
    if held_out is not None:
        found["held_out_loss"] = float(held_out)
    if forgetting.get("after") is not None and forgetting.get("before") is not None:
        found["forgetting"] = round(float(forgetting["after"]) - float(forgetting["before"]), 6)
    if job.status == "done" and job.started_at and job.finished_at:
        found["seconds"] = round(job.finished_at - job.started_at, 2)
    return found


class _Losses:
    """Held-out losses of a run as it writes them."""

    def __init__(self, store: Store, job_id: str) -> None:
        self._folder = store.home.run(job_id)
        self._offset = 0
        self._found: list[float] = []

    def read(self) -> list[float]:
        """All losses so far."""
        page = read_events(self._folder, self._offset)
        self._offset = page.offset
        for event in page.events:
            if event["kind"] == "metric" and isinstance(event.get("held_out_loss"), int | float):
                self._found.append(float(event["held_out_loss"]))
        return list(self._found)
