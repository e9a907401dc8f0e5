"""What is slow to mend waits for a task of its own, and nobody sees the difference meanwhile."""

from storage import batches, datasets, examples, indexing, search, segments, tasks
from storage.contents import prepared
from storage.store import Store
from studio import task
from studio.curation import leftovers, tidying
from studio.curation.importing import import_files
from studio.curation.listing import list_all
from tests.studio.curation.files import Write

MANY = tidying.AT_ONCE + 1000
# A process that cannot be: its number is beyond the largest.
GONE = {"pid": 1 << 30, "pid_started": 0.0}


def _abandon(store: Store, rows: int) -> None:
    """An import whose process was killed before it was published."""
    dataset = datasets.begin_dataset(store, "text")
    batch = batches.open_batch(store, dataset.id, "import", "ann", GONE)
    segment = segments.open_segment(store, dataset.id, batch.number, "ann")
    indexer = indexing.Indexer(store.home, segment.number)
    for start in range(0, rows, 1000):
        texts = [f"oak {number}" for number in range(start, start + 1000)]
        examples.add_rows(store, segment, [prepared({"text": text}) for text in texts])
        indexer.add(texts)
    indexer.close()


def _hits(store: Store) -> int:
    return len(list(search.matching(store, "oak ", 0, 1 << 62)))


def _tidied(store: Store) -> None:
    """What the background task does."""
    waiting = tasks.add_task(store, "tidy", {})
    assert task.run(store, waiting.id) == 0
    assert tasks.get_task(store, waiting.id).status == "done"


def test_few_rows_of_a_killed_import_go_at_once(store: Store) -> None:
    _abandon(store, 1000)

    leftovers.sweep(store, at_once=False)

    assert (store.value("select count(*) from examples"), _hits(store), tidying.amount(store)) == (0, 0, 0)


def test_many_rows_of_a_killed_import_are_given_up_at_once_and_removed_by_a_task(store: Store) -> None:
    _abandon(store, MANY)

    leftovers.sweep(store, at_once=False)

    assert [batch.state for batch in batches.open_batches(store)] == []
    assert (list_all(store).datasets, store.value("select count(*) from examples")) == ([], MANY)
    assert tidying.amount(store) >= MANY
    _tidied(store)
    assert (store.value("select count(*) from examples"), _hits(store), tidying.amount(store)) == (0, 0, 0)
    assert store.value("select count(*) from revisions") == 0


def test_an_index_that_was_lost_is_filled_by_a_task(store: Store, write: Write) -> None:
    import_files(store, [write("a.jsonl", [{"text": f"oak {number}"} for number in range(MANY)])], "rows")
    store.home.search.unlink()

    leftovers.sweep(store, at_once=False)

    assert tidying.amount(store) == MANY
    _tidied(store)
    assert (_hits(store), tidying.amount(store)) == (MANY, 0)
