"""Writes the text index (storage/search.py): beside an import, after a change, and what a crash left out.

What was written is noted in the index itself, in the same transaction: how many places of each segment, and which
single rows hold the words of another revision. So every step may be done twice, and nothing has to be believed.
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import orjson

from storage import search
from storage.home import Home
from storage.search_file import connect
from storage.store import Store

_CHUNK = 1000
# Rows, and characters, of one transaction of an import and of its one statement. FTS5 writes a segment of its own at
# the end of each statement of several rows, and merges them: a thousand rows a statement take twice the time.
_TOGETHER = 20_000
_TOGETHER_CHARS = 16_000_000
# One statement for many rows: it runs without Python's lock, so that reading the file goes on meanwhile.
_INSERT_MANY = "insert into words (rowid, said) select ? + key, value from json_each(?)"
_NOTE_WRITTEN = """insert into written (segment, places) values (?, ?)
on conflict (segment) do update set places = excluded.places"""

_LOG = logging.getLogger(__name__)

Progress = Callable[[float, str], bool | None]


class Indexer:
    """Writes the words of one import in a thread of its own, place after place from the first on.

    An error stops the index and not the import: the places that are missing are filled in later.
    """

    def __init__(self, home: Home, segment: int) -> None:
        self.failure: sqlite3.Error | None = None
        self._home = home
        self._segment = segment
        self._done = 0
        self._ended = False
        self._chunks: queue.Queue[Sequence[str] | None] = queue.Queue(maxsize=4)
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name="words", daemon=True)
        self._thread.start()

    def add(self, words: Sequence[str]) -> None:
        """The words of the next places, as `search.spaced` gives them; waits while too many are not written yet."""
        self._chunks.put(words)

    def close(self) -> None:
        """Wait until all is written and committed."""
        self._chunks.put(None)
        self._thread.join()

    def abandon(self) -> None:
        """Write no more; what was committed is removed with its segment."""
        self._abandoned.set()
        self.close()

    def _run(self) -> None:
        try:
            with closing(connect(self._home.search)) as conn:
                conn.execute("pragma cache_size = -32000")
                self._write(conn)
        except sqlite3.Error as error:
            self.failure = error
            _LOG.warning("search.db could not be written (%s); words that are missing are indexed later", error)
        finally:
            while not self._ended:  # or the import would wait for ever
                self._next()

    def _next(self) -> Sequence[str]:
        """The next words; none at the end."""
        words = self._chunks.get()
        self._ended = words is None
        return words or ()

    def _write(self, conn: sqlite3.Connection) -> None:
        waiting: list[str] = []
        chars = 0
        while not self._ended:
            words = self._next()
            waiting += words
            chars += sum(map(len, words))
            if len(waiting) >= _TOGETHER or chars >= _TOGETHER_CHARS or (waiting and self._ended):
                self._commit(conn, waiting)
                waiting, chars = [], 0

    def _commit(self, conn: sqlite3.Connection, words: list[str]) -> None:
        if self._abandoned.is_set():
            return
        with search.writing(conn):
            first = (self._segment << search.SHIFT) + self._done + 1
            conn.execute(_INSERT_MANY, [first, orjson.dumps(words).decode()])
            self._done += len(words)
            conn.execute(_NOTE_WRITTEN, [self._segment, self._done])


def missing(store: Store) -> int:
    """How many rows are not in the index as they are now; what `fill` and `search.catch_up` would write."""
    gaps = 0
    with closing(connect(store.home.search)) as conn:
        for segment in _segments(store):
            base = segment["number"] << search.SHIFT
            low, high = base + search.places_written(conn, segment["number"]), base + segment["places"]
            if low < high:
                single = "select count(*) from rewritten where example_id > ? and example_id <= ?"
                gaps += high - low - int(conn.execute(single, [low, high]).fetchone()[0])
    return gaps + int(store.value("select count(*) from search_due"))


def fill(store: Store, progress: Progress | None = None) -> int:
    """Write the words of all places that are not in the index yet; returns how many rows that were."""
    filled = 0
    total = missing(store)
    with closing(connect(store.home.search)) as conn:
        for segment in _segments(store):
            while rows := _unwritten(store, conn, segment):
                with search.writing(conn):
                    filled += sum(_fill_row(conn, row) for row in rows)
                    conn.execute(_NOTE_WRITTEN, [segment["number"], rows[-1]["id"] & 0xFFFFFFFF])
                if progress and progress(min(1.0, filled / total), f"{filled:,} of {total:,} rows are searchable"):
                    return filled
    return filled


def _segments(store: Store) -> list[dict[str, Any]]:
    """The segments that are seen or may be seen again."""
    return store.rows("select number, places from segments where state in ('visible', 'hidden') order by number")


def _unwritten(store: Store, conn: sqlite3.Connection, segment: dict[str, Any]) -> list[dict[str, Any]]:
    """The next rows of a segment whose words are not written."""
    low = (segment["number"] << search.SHIFT) + search.places_written(conn, segment["number"])
    return store.rows(
        "select e.id, e.revision_id, r.content, e.change_id is not null or d.example_id is not null as changed "
        "from examples e left join revisions r on r.id = e.revision_id "
        "left join search_due d on d.example_id = e.id where e.id > ? and e.id <= ? order by e.id limit ?",
        [low, (segment["number"] << search.SHIFT) + segment["places"], _CHUNK],
    )


def _fill_row(conn: sqlite3.Connection, row: dict[str, Any]) -> bool:
    """Write the words of one row, unless it is there by itself already; whether it was not."""
    if conn.execute("select 1 from rewritten where example_id = ?", [row["id"]]).fetchone():
        return False
    if row["content"] is not None:
        conn.execute(search.INSERT, [row["id"], search.words_in(row["content"])])
    if row["changed"] or row["content"] is None:
        conn.execute(search.NOTE_REWRITTEN, [row["id"], None if row["content"] is None else row["revision_id"]])
    return True


def forget_dropped(store: Store) -> int:
    """Take the words of imports that will never be seen out, before their rows are removed; returns how many rows."""
    gone = 0
    with closing(connect(store.home.search)) as conn:
        for row in store.rows("select number from segments where state = 'dropped'"):
            gone += _forget_segment(store, conn, row["number"])
    return gone


def _forget_segment(store: Store, conn: sqlite3.Connection, segment: int) -> int:
    """From the last place written to the first, a thousand a transaction; what is noted as written stays true."""
    base = segment << search.SHIFT
    places = gone = search.places_written(conn, segment)
    while places:
        low = max(0, places - _CHUNK)
        rows = store.rows(
            "select e.id, r.content from examples e join revisions r on r.id = e.revision_id "
            "where e.id > ? and e.id <= ?",
            [base + low, base + places],
        )
        with search.writing(conn):
            conn.executemany(search.DELETE, [(row["id"], search.words_in(row["content"])) for row in rows])
            conn.execute(_NOTE_WRITTEN, [segment, low])
        gone += len(rows)
        places = low
    conn.execute("delete from written where segment = ?", [segment])
    return gone


def rebuild(store: Store, progress: Progress | None = None) -> int:
    """Make the index anew from the database; searches find less until it is done."""
    reset(store.home)
    filled = fill(store, progress)
    search.catch_up(store, limit=None)
    return filled


def reset(home: Home) -> None:
    """An empty index."""
    with closing(connect(home.search)) as conn, search.writing(conn):
        conn.execute("insert into words (words) values ('delete-all')")
        conn.execute("delete from written")
        conn.execute("delete from rewritten")
