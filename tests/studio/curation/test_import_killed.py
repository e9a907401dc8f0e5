"""kill -9 of an import at random moments: the store is sound, and the rows are there as a whole or not at all."""

import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from bench.chat_rows import write_rows
from storage import search, search_file
from storage.home import Home
from storage.store import Store
from studio.curation import leftovers
from studio.curation.importing import import_files
from studio.curation.listing import list_all
from studio.curation.reports import ImportReport

pytestmark = pytest.mark.heavy

ROWS = 12_000
PROGRAM = """
import sys
from pathlib import Path
from storage.home import Home
from storage.store import Store
from studio.curation.importing import import_files
import_files(Store.open(Home(Path(sys.argv[1]))), [Path(sys.argv[2])], "rows")
"""


@pytest.mark.parametrize("points", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_an_import_killed_at_any_moment_is_whole_or_absent(points: int, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    word = write_rows(file, ROWS)[0]
    holding = sum(1 for line in file.read_text().splitlines() if re.search(rf"\b{word}\b", line))
    chance = random.Random(points)
    between = 0
    for number in range(points):
        store = Store.open(Home(tmp_path / f"home-{number}"))

        # Every second kill comes while rows are written for certain; the others fall anywhere, the end included.
        _import_and_kill(store, file, after=chance.randrange(1, ROWS // 2 if number % 2 == 0 else ROWS * 5 // 4))

        whole = _seen(store) == ROWS
        between += _hidden(store) > 0
        assert whole or _seen(store) == 0
        _assert_sound(store)
        leftovers.sweep(store)
        assert (_seen(store), _hidden(store), _hits(store, word)) == ((ROWS, 0, holding) if whole else (0, 0, 0))
        again = import_files(store, [file], "rows")
        assert isinstance(again, ImportReport)
        assert (again.imported, again.duplicates) == ((0, ROWS) if whole else (ROWS, 0))
        assert (_seen(store), _hits(store, word)) == (ROWS, holding)
        _assert_sound(store)
        store.close()
    assert between >= points / 2, "fewer than half of the kills hit the import between its first and its last write"


def _import_and_kill(store: Store, file: Path, after: int) -> None:
    """Import in a process of its own and kill it once so many rows are written; if there are fewer, a little later."""
    command = [sys.executable, "-c", PROGRAM, str(store.home.path), str(file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        while child.poll() is None and _written(store) < min(after, ROWS):
            time.sleep(0.001)
        time.sleep(max(0, after - ROWS) / ROWS)  # the words are being written then, or the import is published
        child.kill()
        assert child.wait(60) in (-signal.SIGKILL, 0)


def _written(store: Store) -> int:
    return int(store.value("select coalesce(sum(places), 0) from segments"))


def _seen(store: Store) -> int:
    """Rows that everybody sees."""
    return sum(item.rows for item in list_all(store).datasets)


def _hidden(store: Store) -> int:
    """Rows in the database that nobody sees."""
    return int(
        store.value(
            "select count(*) from examples e join segments s on s.number = e.id >> 32 where s.state != 'visible'"
        )
    )


def _hits(store: Store, word: str) -> int:
    """How many rows the text index finds, seen or not."""
    return len(list(search.matching(store, f"{word} ", 0, 1 << 62)))


def _assert_sound(store: Store) -> None:
    """Both files are in order, as SQLite and FTS5 see it."""
    with closing(sqlite3.connect(store.home.database)) as conn:
        assert conn.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert conn.execute("pragma foreign_key_check").fetchall() == []
    with closing(search_file.connect(store.home.search)) as conn:
        assert conn.execute("pragma integrity_check").fetchall() == [("ok",)]
        conn.execute("insert into words (words) values ('integrity-check')")
