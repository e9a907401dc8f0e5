"""The text index: which examples hold which words. A file of its own beside the database, made from it.

FTS5 over all examples of a project; the row of the index is the example's key, so a dataset is a few ranges of rows.
It lives in `search.db`, because an import writes it in transactions of seconds, and votes must never wait for those:
nothing that is written to `ratchet.db` takes a lock there. It is derived data: what is missing is filled in by
`storage/indexing.py`, and the whole file may be deleted.

Settings, each by measurement (50,000 chat rows of 600 characters; queries at 1,000,000 rows):
contentless, `columnsize=0` (the table of sizes, a quarter of the time, serves only ranking by relevance);
`detail=full` (`none` takes a quarter less and half the space, and knows no quoted phrases);
no prefix index (one for two letters would take half as long again): the last word is taken as a beginning from three
letters on, where a common one costs under 20 ms, and as a whole word below that, where it would cost 40 to 280 ms;
a hash of 16 MB and 20,000 rows a statement, which makes one segment of them (12 µs a row; 20 µs with a thousand rows a
statement, or with the hash of 1 MB that FTS5 begins with); merging as FTS5 does it by itself.
"""

import sqlite3
from pathlib import Path

# Raised with the schema or with what is indexed; a file of another version is filled anew.
VERSION = 2
SCHEMA = """
create virtual table if not exists words using fts5(
    said, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2'
);
insert into words (words, rank) values ('hashsize', 16777216);
-- Of each segment: the words of how many places, from the first on, were written here.
create table if not exists written (segment integer primary key, places integer not null);
-- Rows whose words are not those that they came with: of which revision they are, null where they were removed.
create table if not exists rewritten (example_id integer primary key, revision_id integer);
-- What is left to do: scrub.
create table if not exists chores (name text primary key) without rowid;
"""
_BUSY_SECONDS = 60


def connect(path: Path, patience: float = _BUSY_SECONDS) -> sqlite3.Connection:
    """Open the index, and make it where it is absent or of another version; autocommit.

    `patience`: seconds to wait for another writer before sqlite3.OperationalError. A file that is broken is put aside
    as `search.db.broken`, for all in it can be filled in again.
    """
    try:
        return _open(path, patience)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.replace(path.with_name(path.name + ".broken"))
        return _open(path, patience)


def _open(path: Path, patience: float) -> sqlite3.Connection:
    """A connection to the index, made where it is absent."""
    conn = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    conn.execute("pragma journal_mode = wal")
    # A power cut may cost the last transactions, which are filled in again; it cannot break the file.
    conn.execute("pragma synchronous = normal")
    conn.execute("pragma secure_delete = off")
    if version_of(conn) != VERSION:
        _make(conn)
    return conn


def version_of(conn: sqlite3.Connection) -> int:
    """Which version of the index a file holds; 0 for a new one."""
    return int(conn.execute("pragma user_version").fetchone()[0])


def _make(conn: sqlite3.Connection) -> None:
    """An empty index; of two that come at once the second finds it made."""
    conn.execute("begin immediate")
    if version_of(conn) != VERSION:
        for table in ("words", "written", "rewritten", "chores"):
            conn.execute(f"drop table if exists {table}")
        for statement in SCHEMA.split(";\n"):
            conn.execute(statement)
        conn.execute(f"pragma user_version = {VERSION}")
    conn.execute("commit")
