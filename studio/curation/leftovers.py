"""What a crash left behind: batches that nobody will publish, tasks that nobody runs, uploads that nobody imports."""

from storage import batches, changes, settling, tasks, versions
from storage.clock import now
from storage.processes import alive
from storage.store import Store
from studio.curation import uploads

# An edit is published, and a queued task taken, long before that.
_STARTING_SECONDS = 60


def sweep(store: Store) -> None:
    """Mend it all; safe at any time, because what a living process works on is left alone."""
    sweep_batches(store)
    versions.sweep(store)
    sweep_tasks(store)
    uploads.sweep(store.home)


def sweep_batches(store: Store) -> int:
    """Give up open batches whose process is gone and remove what they wrote; returns how many.

    What was published and not yet copied into the rows is settled.
    """
    old = now() - _STARTING_SECONDS
    lost = []
    for batch in batches.open_batches(store):
        being_made = "pid" not in batch.detail and batch.created_at > old  # an edit, of milliseconds
        if not being_made and not alive(batch.detail.get("pid"), batch.detail.get("pid_started")):
            lost.append(batch.number)
    dropped = batches.sweep(store, lost) if lost else 0
    changes.clear(store)
    for dataset_id in settling.unsettled(store):
        settling.settle(store, dataset_id)
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
