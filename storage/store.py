"""The store: one SQLite file, opened once a thread, written in short transactions.

SQL lives beside this file by noun (`storage/examples.py`, `storage/votes.py` …) as plain functions that take
the store first.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from storage.clock import now
from storage.errors import NotReady
from storage.home import Home
from storage.migrations import build
from storage.sqlite import Database

Params = Sequence[Any] | Mapping[str, Any]

# The log grows to so many pages (12 MB) before who commits then copies it into the file.
CHECKPOINT_PAGES = 3000
# A writer waits this long for another one's short transaction before it gives up.
_BUSY_SECONDS = 20


class Store:
    """A home's database. Share the object between threads: each gets its own connection."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._local = threading.local()

    @classmethod
    def open(cls, home: Home) -> Self:
        """Open a home: make its folders, back the database up if its schema is older, bring it up to date."""
        home.make()
        store = cls(home)
        try:
            store.migrate()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            said = (
                f"The file {home.database} is no sound database ({error}); put a copy from {home.backups} in its place."
            )
            raise NotReady(said) from error
        return store

    @property
    def db(self) -> Database:
        """This thread's connection."""
        existing: Database | None = getattr(self._local, "db", None)
        if existing is None:
            existing = self._local.db = _connect(self.home.database)
        return existing

    def close(self) -> None:
        """Close this thread's connection."""
        existing: Database | None = getattr(self._local, "db", None)
        if existing is not None:
            existing.conn.close()
            self._local.db = None

    @contextmanager
    def write(self) -> Iterator[Database]:
        """A short write transaction; nested calls join the outer one.

        IMMEDIATE takes the write lock at once, so that two writers wait for each other instead of failing
        half-way when a read turns into a write.
        """
        db = self.db
        if db.conn.in_transaction:
            yield db
            return
        db.conn.execute("begin immediate")
        try:
            yield db
        except BaseException:
            db.conn.rollback()
            raise
        db.conn.commit()

    @property
    def writing(self) -> bool:
        """Whether this thread stands inside a write transaction, perhaps one that others wait for."""
        return bool(self.db.conn.in_transaction)

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """The store as it is at one moment, for reading, through a connection of its own; writers go on meanwhile."""
        moment = type(self)(self.home)
        moment.db.conn.execute("begin")
        moment.value("select 1 from meta")  # a snapshot begins with the first read
        try:
            yield moment
        finally:
            moment.db.conn.rollback()
            moment.close()

    def rows(self, sql: str, params: Params = ()) -> list[dict[str, Any]]:
        """All rows that a query returns, as dicts; works for `… returning` as well."""
        cursor = self.db.conn.execute(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, sql: str, params: Params = ()) -> dict[str, Any] | None:
        """The first row, or None."""
        found = self.rows(sql, params)
        return found[0] if found else None

    def value(self, sql: str, params: Params = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.db.conn.execute(sql, params).fetchone()
        return row[0] if row else None

    def execute(self, sql: str, params: Params = ()) -> int:
        """Run one statement and say how many rows it changed."""
        return int(self.db.conn.execute(sql, params).rowcount)

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert one row; JSON columns must be encoded already."""
        columns = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        self.db.conn.execute(f"insert into {table} ({columns}) values ({marks})", list(row.values()))

    def migrate(self) -> None:
        """Apply pending migrations, after a copy of the database where there is something to lose."""
        migrations = build()
        if not migrations.pending(self.db):
            return
        if self.db["datasets"].exists():
            self.back_up()
        try:
            migrations.apply(self.db)
        except sqlite3.OperationalError as error:
            raise NotReady(
                f"The database {self.home.database} could not be brought up to date ({error}); "
                "stop other Ratchet processes of this home and start again."
            ) from error

    def back_up(self) -> Path:
        """Copy the database, consistent although others write, to `backups/`; returns the copy's path."""
        target = self.home.backups / f"ratchet-{int(now() * 1000)}.db"
        copy = sqlite3.connect(target)
        try:
            self.db.conn.backup(copy)
        finally:
            copy.close()
        target.chmod(0o600)
        return target


def _connect(path: Path) -> Database:
    """A connection in autocommit mode: transactions begin where `Store.write` says and nowhere else."""
    conn = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    conn.execute("pragma journal_mode = wal")
    # FULL: a vote that was acknowledged survives a power cut, not only a killed process.
    conn.execute("pragma synchronous = full")
    # Copying the log into the file waits for the disk; an import does it sooner, so that voters need not.
    conn.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
    conn.execute("pragma foreign_keys = on")
    return Database(conn)
