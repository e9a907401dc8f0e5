"""Searches over a method's options: begun, looked at, stopped, and taken up again after a crash.

A search is a row and a task of its own (`python -m studio.task`, see `studio.training.trials`), its trials are ordinary
jobs. All that it knows lies in the store, so its process can be killed at any moment: `revive` starts another.
"""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storage import jobs, searches
from storage.errors import BadInput, NotFound
from storage.home import Home
from storage.models import get_model
from storage.rows_training import JOB_ENDED
from storage.searches import NewSearch, Search, Trial
from storage.specs.holding import FEWEST_ROWS, held_out_rows
from storage.specs.options import parse_options
from storage.specs.search import (
    FEWEST,
    MOST,
    OBJECTIVES,
    Range,
    checked_goals,
    checked_ranges,
    parse_space,
    usual_space,
    write_space,
)
from storage.store import Store
from studio.training.curves import finite
from studio.training.planning import Plan, plan
from studio.training.request import Request, command_line

USUAL_TRIALS = 20


@dataclass(frozen=True)
class Wish:
    """How to search. `space`: text, empty for the usual one; `seconds`: budget of time; `goals`: what to make small."""

    trials: int = USUAL_TRIALS
    sampler: str = "tpe"
    space: str = ""
    seconds: float | None = None
    goals: tuple[str, ...] = ()
    name: str | None = None


def begin_search(store: Store, request: Request, wish: Wish) -> Search:
    """Note a search and start its process; raises BadInput or what `plan` refuses."""
    goals = checked_goals(wish.sampler, wish.goals)
    _check_budget(wish)
    name = wish.name or _free_name(store, request.method)
    thought = plan(store, replace(request, name=f"{name}-1"))
    if thought.refusals:
        raise BadInput(thought.refusals[0])
    ranges = ranges_of(thought, wish.space)
    checked_ranges(wish.sampler, ranges)
    fixed = measured(thought, request, ranges)
    new = NewSearch(
        name, request.method, fixed.to_json(), write_space(ranges), wish.sampler, wish.trials, wish.seconds, list(goals)
    )
    search = searches.add_search(store, new)
    start_process(store, search)
    return search


def ranges_of(thought: Plan, space: str) -> tuple[Range, ...]:
    """What is searched: what the text says, or the usual options around what is advised."""
    assert thought.method is not None, "a plan without refusals has a method"
    if space.strip():
        return parse_space(thought.method, space)
    ranges = usual_space(thought.method, {**(thought.advice.options if thought.advice else {}), **thought.options})
    return tuple(one for one in ranges if one.name not in thought.request.options)


def measured(thought: Plan, request: Request, ranges: Sequence[Range]) -> Request:
    """The training that every trial does, which must measure itself on the same rows as all others.

    Raises BadInput where an option is both set and searched, or where nothing would be held out.
    """
    both = [one.name for one in ranges if one.name in request.options]
    if both:
        raise BadInput(f'Option "{both[0]}" is both set and searched over; take it out of one of them.')
    assert thought.method is not None and thought.survey is not None, "a plan without refusals has both"
    options: Any = parse_options(thought.method.options, thought.options)
    if not request.eval and not held_out_rows(thought.survey.rows, options):
        raise BadInput(
            f"Trials are compared on rows that they do not train on, and of {thought.survey.rows} rows none would be "
            f"held out; name a dataset to measure on (--eval), or search on {FEWEST_ROWS} rows or more."
        )
    return replace(request, name=None, start_id=None)


def _check_budget(wish: Wish) -> None:
    if not FEWEST <= wish.trials <= MOST:
        raise BadInput(f"A search makes between {FEWEST} and {MOST} trials, not {wish.trials}.")
    if wish.seconds is not None and not wish.seconds > 0:
        raise BadInput(f"The budget of a search is more than 0 seconds, not {wish.seconds:g}.")


def _free_name(store: Store, method: str) -> str:
    taken = {search.name for search in searches.list_searches(store)}
    number = 1
    while f"search-{method}-{number}" in taken:
        number += 1
    return f"search-{method}-{number}"


def start_process(store: Store, search: Search) -> None:
    """Start a process that goes on with a search; one that finds another at it ends at once."""
    from studio import task

    task.start(store, "search", {"search": search.id})


def revive(store: Store) -> list[Search]:
    """Start a process for every unfinished search that has none, as after a crash; returns them."""
    left = [
        search
        for search in searches.list_searches(store, unfinished=True)
        if not _held(_lock_of(store.home, search.id)) and not _waiting(store, search)
    ]
    for search in left:
        start_process(store, search)
    return left


def _waiting(store: Store, search: Search) -> bool:
    """Whether a process for it has just been started and has not come so far as to hold the lock."""
    return bool(
        store.value(
            "select 1 from tasks where kind = 'search' and status = 'queued' and created_at > unixepoch() - 60 "
            "and json_extract(payload, '$.search') = ?",
            [search.id],
        )
    )


@contextmanager
def held(home: Home, search_id: str) -> Iterator[bool]:
    """Hold a search for this process; yields False where another one has it. The system frees it at any death."""
    with _lock_of(home, search_id).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _lock_of(home: Home, search_id: str) -> Path:
    return home.logs / f"search-{search_id}.lock"


def _held(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def stop_search(store: Store, reference: str) -> Search:
    """Ask a search to stop; its running trial is stopped too. Raises Conflict where it has ended."""
    search = searches.get_search(store, reference)
    searches.ask_to_end(store, search.id)
    revive(store)  # the process that stops it may be gone
    return searches.get_search(store, search.id)


def report_search(store: Store, reference: str) -> dict[str, Any]:
    """A search as the page shows it, after seeing to it that a process is at it."""
    revive(store)
    search = searches.get_search(store, reference)
    trials = searches.list_trials(store, search.id)
    front = pareto(trials)
    best = best_of(trials, search.objectives)
    return {
        "id": search.id,
        "name": search.name,
        "method": search.method,
        "state": search.state,
        "sampler": search.sampler,
        "space": search.space,
        "budget": {"trials": search.trials, "seconds": search.seconds},
        "objectives": search.objectives,
        "goals": dict(OBJECTIVES),
        "error": search.error,
        "warning": _changed_meanwhile(store, trials),
        "created_at": search.created_at,
        "finished_at": search.finished_at,
        "trials": [_shown(store, trial, trial.job_id in front) for trial in trials],
        "best": _shown(store, best, best.job_id in front, search) if best else None,
        "median": _median([trial.values[search.objectives[0]] for trial in _done(trials, search.objectives[:1])]),
    }


def _changed_meanwhile(store: Store, trials: Sequence[Trial]) -> str | None:
    """What to know where the dataset was edited while the search ran: its trials are not held against the same rows."""
    versions = [jobs.get_job(store, trial.job_id).version_id for trial in trials]
    later = [trial.number for trial, version in zip(trials, versions, strict=True) if version != versions[0]]
    if not later:
        return None
    return (
        f"The dataset was changed while this search ran: from trial {later[0]} on, trials learn from other rows, so "
        "that losses can differ by that as well."
    )


def list_reports(store: Store) -> list[dict[str, Any]]:
    """Every search in short, newest first."""
    revive(store)
    found = []
    for search in searches.list_searches(store):
        trials = searches.list_trials(store, search.id)
        best = best_of(trials, search.objectives)
        found.append(
            {
                "id": search.id, "name": search.name, "method": search.method, "state": search.state,
                "sampler": search.sampler, "done": sum(trial.state != "running" for trial in trials),
                "budget": {"trials": search.trials, "seconds": search.seconds},
                "best": finite(best.values[search.objectives[0]]) if best else None,
                "created_at": search.created_at, "finished_at": search.finished_at,
            }
        )  # fmt: skip
    return found


def _shown(store: Store, trial: Trial, on_front: bool, search: Search | None = None) -> dict[str, Any]:
    """A trial as the page shows it; the best one with the line that trains like it."""
    job = jobs.get_job(store, trial.job_id)
    values = {goal: finite(trial.values.get(goal)) for goal in OBJECTIVES}
    shown = {"job": job.id, "number": trial.number, "options": trial.options, "state": trial.state,
             "status": job.status, "model": _model_name(store, job.model_id), "values": values,
             "reported": [finite(loss) for loss in trial.reported], "pareto": on_front}  # fmt: skip
    if search is not None:
        asked = Request.from_json(search.request)
        shown["command"] = command_line(replace(asked, options={**asked.options, **trial.options}))
    return shown


def _model_name(store: Store, model_id: str | None) -> str | None:
    try:
        return get_model(store, model_id).name if model_id else None
    except NotFound:
        return None


def best_of(trials: Sequence[Trial], goals: Sequence[str]) -> Trial | None:
    """The finished trial with the smallest value of the first goal; the earlier one where two are equal."""
    return min(_done(trials, goals[:1]), key=lambda trial: (trial.values[goals[0]], trial.number), default=None)


def pareto(trials: Sequence[Trial]) -> set[str]:
    """Jobs of the finished trials that no other one beats in one goal without losing in another.

    Goals that some trial has no value of are left out of it.
    """
    done = [trial for trial in trials if trial.state == "done" and trial.values]
    goals = [goal for goal in OBJECTIVES if all(goal in trial.values for trial in done)]
    return {one.job_id for one in done if not any(_beats(other.values, one.values, goals) for other in done)}


def _beats(one: Mapping[str, float], other: Mapping[str, float], goals: Sequence[str]) -> bool:
    return all(one[goal] <= other[goal] for goal in goals) and any(one[goal] < other[goal] for goal in goals)


def _done(trials: Sequence[Trial], goals: Sequence[str]) -> list[Trial]:
    return [trial for trial in trials if trial.state == "done" and all(goal in trial.values for goal in goals)]


def _median(values: Sequence[float]) -> float | None:
    """The middle value; of an even number the lower one of the two in the middle, which is a trial's own."""
    return sorted(values)[(len(values) - 1) // 2] if values else None


def unfinished_job(store: Store, search_id: str) -> str | None:
    """The job of a search that has not ended, if any."""
    marks = ", ".join("?" for _ in JOB_ENDED)
    found = store.value(
        f"select id from jobs where search_id = ? and status not in ({marks}) order by number", [search_id, *JOB_ENDED]
    )
    return str(found) if found else None
