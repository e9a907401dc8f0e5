"""Searches over options and their trials; a trial is an ordinary job, this is what the search knows of it."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage.clock import new_id, now
from storage.errors import Conflict, NotFound
from storage.models import checked_name
from storage.rows import Row
from storage.store import Store

SEARCH_ENDED = ("done", "stopped", "failed")


@dataclass(frozen=True)
class Search(Row):
    """A search: `state` is running, stopping, done, stopped or failed; `seconds`: its budget of time, if any.

    `request`: the training as it was asked for, without what is searched; `space`: text (storage/specs/search.py).
    """

    id: str
    name: str
    method: str
    request: dict[str, Any]
    space: str
    sampler: str
    trials: int
    seconds: float | None
    objectives: list[str]
    state: str
    error: dict[str, Any] | None
    created_at: float
    finished_at: float | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"request", "objectives", "error"})


@dataclass(frozen=True)
class Trial(Row):
    """A trial: `state` is running, done, pruned (its losses were behind the others'), failed or stopped.

    `result`: `values` by goal, and `reported`, the held-out losses while it ran.
    """

    job_id: str
    search_id: str
    number: int
    options: dict[str, Any]
    result: dict[str, Any] | None
    state: str

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"options", "result"})

    @property
    def values(self) -> dict[str, float]:
        """What was measured, by goal."""
        return dict((self.result or {}).get("values") or {})

    @property
    def reported(self) -> list[float]:
        """Held-out losses in the order in which they were measured."""
        return list((self.result or {}).get("reported") or [])


class NewSearch(NamedTuple):
    """What a search is made from; see `Search`."""

    name: str
    method: str
    request: dict[str, Any]
    space: str
    sampler: str
    trials: int
    seconds: float | None
    objectives: list[str]


def add_search(store: Store, new: NewSearch) -> Search:
    """Note a search to be done; raises Conflict where its name is taken."""
    checked_name(new.name)
    row = {**new._asdict(), "id": new_id(), "state": "running", "created_at": now()}
    row |= {"request": json.dumps(new.request), "objectives": json.dumps(new.objectives)}
    with store.write():
        if store.value("select 1 from searches where name = ?", [new.name]):
            raise Conflict(f'A search named "{new.name}" exists already; choose another name.')
        store.insert("searches", row)
    return get_search(store, row["id"])


def get_search(store: Store, reference: str) -> Search:
    """A search by id or name; raises NotFound."""
    row = store.one("select * from searches where id = ? or name = ?", [reference, reference])
    if row is None:
        raise NotFound(f'There is no search "{reference}"; `ratchet searches` lists them.')
    return Search.from_row(row)


def list_searches(store: Store, unfinished: bool = False) -> list[Search]:
    """Searches, newest first; only those that have not ended if asked for."""
    where = "where state in ('running', 'stopping')" if unfinished else ""
    return [Search.from_row(row) for row in store.rows(f"select * from searches {where} order by created_at desc, id")]


def end_search(store: Store, search_id: str, state: str, error: dict[str, Any] | None = None) -> None:
    """Record how a search ended; one that has ended is left as it is."""
    store.execute(
        "update searches set state = ?, error = ?, finished_at = ? where id = ? and state in ('running', 'stopping')",
        [state, json.dumps(error) if error else None, now(), search_id],
    )


def ask_to_end(store: Store, search_id: str) -> None:
    """Ask a running search to stop; raises Conflict where it has ended."""
    if not store.execute("update searches set state = 'stopping' where id = ? and state = 'running'", [search_id]):
        search = get_search(store, search_id)
        if search.state != "stopping":
            raise Conflict(f'The search "{search.name}" has ended already: it is {search.state}.')


def add_trial(store: Store, job_id: str, search_id: str, number: int, options: dict[str, Any]) -> None:
    """Note a trial whose job is queued; noting it twice changes nothing."""
    store.execute(
        "insert or ignore into trials (job_id, search_id, number, options, state) values (?, ?, ?, ?, 'running')",
        [job_id, search_id, number, json.dumps(options)],
    )


def end_trial(store: Store, job_id: str, state: str, result: dict[str, Any]) -> None:
    """Record what came out of a trial."""
    store.execute(
        "update trials set state = ?, result = ? where job_id = ? and state = 'running'",
        [state, json.dumps(result), job_id],
    )


def list_trials(store: Store, search_id: str) -> list[Trial]:
    """The trials of a search by number."""
    rows = store.rows("select * from trials where search_id = ? order by number", [search_id])
    return [Trial.from_row(row) for row in rows]
