"""What a crash left behind: batches that nobody will publish, tasks that nobody runs, uploads that nobody imports."""

import json

from storage import tasks
from storage.clock import now
from storage.processes import alive
from storage.store import Store
from studio.curation import uploads

# An edit is published, and a queued task taken, long before that.
_STARTING_SECONDS = 60
_DROP = "update batches set state = 'dropped' where id = ? and state = 'open'"


def sweep(store: Store) -> None:
    """Mend it all; safe at any time, because what a living process works on is left alone."""
    sweep_batches(store)
    sweep_tasks(store)
    uploads.sweep(store.home)


def sweep_batches(store: Store) -> int:
    """Give up open batches whose process is gone; returns how many."""
    dropped = 0
    old = now() - _STARTING_SECONDS
    for row in store.rows("select id, detail, created_at from batches where state = 'open'"):
        detail = json.loads(row["detail"])
        being_made = "pid" not in detail and row["created_at"] > old  # an edit, of milliseconds
        if not being_made and not alive(detail.get("pid"), detail.get("pid_started")):
            dropped += store.execute(
                "update batches set state = 'dropped' where id = ? and state = 'open'", [row["id"]]
            )
    return dropped


def sweep_tasks(store: Store) -> int:
    """Say of tasks whose process is gone that they failed, and remove their uploads; returns how many."""
    lost = [
        task
        for task in tasks.list_tasks(store, limit=1000)
        if (task.status == "running" and not alive(task.pid, task.pid_started))
        or (task.status == "queued" and tasks.age(task) > _STARTING_SECONDS)
    ]
    for task in lost:
        sentence = "The import was cut off (its process ended); nothing of it was imported. Import the file again."
        tasks.end(store, task.id, "failed", error={"kind": "interrupted", "sentence": sentence})
        for upload_id in task.payload.get("uploads", ()):
            uploads.remove(store.home, upload_id)
    return len(lost)
