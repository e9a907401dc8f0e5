"""Writes the rows of one import: hidden while it goes on, shown by one commit of one row, or taken back.

Two hands work side by side. The caller's thread inserts into `ratchet.db` in transactions of at most a thousand rows
and reads on between them, so that voters find the lock free most of the time. The words go to the text index in a
thread of their own (`storage.indexing.Indexer`), which holds no lock of `ratchet.db` at all.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import getpid
from types import TracebackType
from typing import Any, NamedTuple, Self

from storage import batches, datasets, examples, search, segments
from storage.contents import Prepared
from storage.hashes import Known
from storage.indexing import Indexer
from storage.processes import identify
from storage.rows import Batch, Dataset
from storage.store import CHECKPOINT_PAGES, Store

# Rows of one transaction at most.
CHUNK = 1000
# Rows of an import that was stopped go while the person waits, up to so many; beyond, `tidying` removes them.
_REMOVED_AT_ONCE = 5_000


class Row(NamedTuple):
    """An example ready for the store, and the words that search finds it by."""

    prepared: Prepared
    words: str


class ImportWriter:
    """One import's rows on their way into a dataset; nothing of it is seen before `publish`.

    Used as a context: leaving it without having published takes everything back.
    """

    def __init__(self, store: Store, dataset: Dataset, author: str, file: str) -> None:
        me = identify(getpid())
        detail = {"pid": getpid(), "pid_started": me.started if me else None, "file": file}
        self.store = store
        self.known = Known(store, dataset.id)
        self.batch: Batch = batches.open_batch(store, dataset.id, "import", author, detail)
        self.segment = segments.open_segment(store, dataset.id, self.batch.number, author)
        self._indexer = Indexer(store.home, self.segment.number)
        self._published = False
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._published:
            return
        self._indexer.abandon()
        batches.give_up(self.store, self.batch)
        if self._written <= _REMOVED_AT_ONCE:
            batches.clear(self.store)

    def are_new(self, rows: Sequence[Row]) -> list[bool]:
        """Whether neither the dataset nor this import holds a row yet, one by one; from now on it does."""
        return self.known.add_new([row.prepared.features.sha256 for row in rows])

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows, a thousand a transaction."""
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            examples.add_rows(self.store, self.segment, [row.prepared for row in part])
            self._indexer.add([row.words for row in part])
            self._written += len(part)

    def publish(self, name: str, detail: dict[str, Any]) -> None:
        """Let the rows be seen, and found by search, and their dataset where it is new, in one commit."""
        self._indexer.close()
        self.store.db.conn.execute("pragma synchronous = full")
        with self.store.write():
            datasets.reveal_dataset(self.store, self.batch.dataset_id, name)
            batches.publish(self.store, self.batch, detail)
        self._published = True
        search.catch_up(self.store)  # edits meanwhile, which did not wait for the index


@contextmanager
def unhurried(store: Store) -> Iterator[None]:
    """Commits that do not wait for the disk: rows that nobody sees may be lost in a power cut.

    The commit that publishes them waits again, and with it for everything that stands before it in the log.
    """
    connection = store.db.conn
    connection.execute("pragma synchronous = normal")
    # The importer copies its own pages from the log to the file, before a voter's commit would have to.
    connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES * 2 // 3}")
    try:
        yield
    finally:
        connection.execute("pragma synchronous = full")
        connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
