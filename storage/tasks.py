"""Tasks: work without a model that outlasts a click, with progress and cancel."""

import json
from typing import Any

from storage.clock import new_id, now
from storage.errors import NotFound
from storage.rows_training import Task
from storage.store import Store


def add_task(store: Store, kind: str, payload: dict[str, Any]) -> Task:
    """Note a task to be done by a process of its own."""
    task_id = new_id()
    store.insert(
        "tasks",
        {"id": task_id, "kind": kind, "payload": json.dumps(payload), "status": "queued", "message": "",
         "created_at": now()},
    )  # fmt: skip
    return get_task(store, task_id)


def get_task(store: Store, task_id: str) -> Task:
    """A task by id; raises NotFound."""
    row = store.one("select * from tasks where id = ?", [task_id])
    if row is None:
        raise NotFound(f'There is no task "{task_id}".')
    return Task.from_row(row)


def list_tasks(store: Store, kind: str | None = None, limit: int = 20) -> list[Task]:
    """Tasks, newest first; of one kind if given."""
    rows = store.rows(
        "select * from tasks where :kind is null or kind = :kind order by id desc limit :limit",
        {"kind": kind, "limit": limit},
    )
    return [Task.from_row(row) for row in rows]


def age(task: Task) -> float:
    """Seconds since a task was added."""
    return now() - task.created_at


def begin(store: Store, task_id: str, pid: int, pid_started: float) -> bool:
    """Take a queued task for this process; False where another one has it."""
    return (
        store.execute(
            "update tasks set status = 'running', pid = ?, pid_started = ? where id = ? and status = 'queued'",
            [pid, pid_started, task_id],
        )
        == 1
    )


def advance(store: Store, task_id: str, progress: float, message: str = "") -> bool:
    """Record progress (0 to 1); True where somebody asked for a cancel."""
    store.execute("update tasks set progress = ?, message = ? where id = ?", [progress, message, task_id])
    return bool(store.value("select cancel_requested from tasks where id = ?", [task_id]))


def cancel(store: Store, task_id: str) -> None:
    """Ask for a cancel; a queued task ends at once."""
    store.execute("update tasks set cancel_requested = 1 where id = ?", [task_id])
    store.execute(
        "update tasks set status = 'stopped', finished_at = ? where id = ? and status = 'queued'", [now(), task_id]
    )


def end(
    store: Store,
    task_id: str,
    status: str,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """Record how a task ended: done, failed or stopped."""
    store.execute(
        "update tasks set status = ?, result = ?, error = ?, finished_at = ?, "
        "progress = case when ? = 'done' then 1.0 else progress end where id = ?",
        [status, None if result is None else json.dumps(result), None if error is None else json.dumps(error),
         now(), status, task_id],
    )  # fmt: skip
