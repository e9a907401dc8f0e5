"""What a crash left behind: batches that nobody will publish, tasks that nobody runs, uploads that nobody imports."""

from storage import batches, tasks, versions
from storage.clock import now
from storage.processes import alive
from storage.store import Store
from studio.curation import export_tasks, tidying, uploads

# An edit is published, and a queued task taken, long before that.
_STARTING_SECONDS = 60
_CUT_OFF = {
    "answer": "Answering was cut off (its process ended); what has been answered is kept. Go on with it.",
    "import": "The import was cut off (its process ended); nothing of it was imported. Import the file again.",
    "export": "The export was cut off (its process ended); no file is left of it. Export again.",
    "hub-push": "The export was cut off (its process ended); nothing was sent to the Hub. Export again.",
}


def sweep(store: Store, at_once: bool = True) -> None:
    """Mend it all; safe at any time, because what a living process works on is left alone.

    `at_once` False leaves what would take long (`tidying`) for later, where there is much of it.
    """
    sweep_batches(store)
    if at_once or tidying.amount(store) <= tidying.AT_ONCE:
        tidying.tidy(store)
    versions.sweep(store)
    sweep_tasks(store)
    uploads.sweep(store.home)
    export_tasks.sweep(store.home)


def sweep_batches(store: Store) -> int:
    """Give up open batches whose process is gone; returns how many. What they wrote is removed by `tidying`."""
    old = now() - _STARTING_SECONDS
    lost = []
    for batch in batches.open_batches(store):
        being_made = "pid" not in batch.detail and batch.created_at > old  # an edit, of milliseconds
        if not being_made and not alive(batch.detail.get("pid"), batch.detail.get("pid_started")):
            lost.append(batch.number)
    return batches.sweep(store, lost) if lost else 0


def sweep_tasks(store: Store) -> int:
    """Say of tasks whose process is gone that they failed, and remove their uploads; returns how many."""
    lost = [
        task
        for task in tasks.list_tasks(store, limit=1000)
        if (task.status == "running" and not alive(task.pid, task.pid_started))
        or (task.status == "queued" and tasks.age(task) > _STARTING_SECONDS)
    ]
    for task in lost:
        sentence = _CUT_OFF.get(task.kind, "This was cut off (its process ended); do it again.")
        tasks.end(store, task.id, "failed", error={"kind": "interrupted", "sentence": sentence})
        for upload_id in task.payload.get("uploads", ()):
            uploads.remove(store.home, upload_id)
    return len(lost)
