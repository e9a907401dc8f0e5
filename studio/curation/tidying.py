"""What is slow and can wait, done beside the pages: rows that nobody will see, words not indexed, erased ones.

All of it is invisible: hidden rows are hidden, an unsettled change is looked through, and search looks at what is
missing later. So it may wait, be cut off, and go on another time.
"""

from typing import Any

from storage import batches, changes, indexing, search, settling, tasks
from storage.rows_training import Task
from storage.store import Store

# So many rows are mended while somebody waits for the first page.
AT_ONCE = 5_000


def amount(store: Store) -> int:
    """How many rows there are to remove or to index, roughly."""
    dropped = store.value("select coalesce(sum(places), 0) from segments where state = 'dropped'")
    pending = store.value(
        "select count(*) from (select 1 from changes c join batches b on b.number = c.batch "
        "where b.settled != 1 and b.state != 'open' limit ?)",
        [AT_ONCE + 1],
    )
    scrub = AT_ONCE + 1 if search.scrub_due(store) else 0
    return int(dropped) + int(pending) + indexing.missing(store) + scrub


def tidy(store: Store, progress: indexing.Progress | None = None) -> int:
    """Do it all; returns how many rows search was missing."""
    batches.clear(store)
    changes.clear(store)
    for dataset_id in settling.unsettled(store):
        settling.settle(store, dataset_id)
    filled = indexing.fill(store, progress)
    search.catch_up(store, limit=None)
    if search.scrub_due(store):
        search.scrub(store)
    return filled


def run_tidy(store: Store, task: Task) -> dict[str, Any]:
    """Tidy as a task of its own."""
    return {"indexed": tidy(store, lambda fraction, sentence: tasks.advance(store, task.id, fraction, sentence))}
