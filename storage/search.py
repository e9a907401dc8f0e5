"""The text index as others use it: asking it as a person types, and keeping it in step with changes.

A change notes in `search_due` (in its own transaction) which rows it touched and which text search holds of them;
`catch_up` brings the index in step and strikes them off. The index notes in the same transaction what it holds, so
every step may be done twice, and a kill between the two files heals with the next change.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from storage import search_file
from storage.contents import words_of
from storage.store import Store

SHIFT = 32
INSERT = "insert into words (rowid, said) values (?, ?)"
# The index keeps no texts: to take words out it must be told them.
DELETE = "insert into words (words, rowid, said) values ('delete', ?, ?)"
NOTE_REWRITTEN = """insert into rewritten (example_id, revision_id) values (?, ?)
on conflict (example_id) do update set revision_id = excluded.revision_id"""

_CHUNK = 1000
# Seconds that a change waits for an import to let the index go; what is not done then is done with the next change.
_PATIENCE = 0.1
# Changes that one call of `catch_up` makes good while somebody waits; the newest rows come first.
_AT_ONCE = 2_000
# Bytes of the index that are written anew while somebody waits: about a second.
_SCRUBBED_AT_ONCE = 50_000_000
_SHORTEST_BEGINNING = 3
# Scripts that put no space between words: each sign is a word, and a run of them a phrase.
_UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
_PIECES = re.compile(r'"([^"]*)(?:"|$)|([^\s"]+)')


def spaced(text: str) -> str:
    """A text as it is indexed: scripts without spaces sign by sign, no NUL, which would end it."""
    if text.isascii():
        return text.replace("\0", " ")
    return _UNSPACED.sub(r" \1 ", text).replace("\0", " ")


def match(search: str) -> str:
    """What FTS5 is asked for a search as a person typed it; "" where it holds nothing to search for.

    All words must occur, in any order; "words in quotes" side by side; the last word may be a beginning. Every word
    is quoted, so that no sign has a meaning of its own.
    """
    asked = [
        (spaced(quoted or bare).strip(), bool(bare))
        for quoted, bare in _PIECES.findall(search)
        if any(sign.isalnum() for sign in quoted or bare)
    ]
    phrases = [f'"{text}"' for text, _ in asked]
    if asked and asked[-1][1] and _may_go_on(asked[-1][0], search):
        phrases[-1] += "*"
    return " ".join(phrases)


def _may_go_on(phrase: str, search: str) -> bool:
    """Whether the last word may be the beginning of a longer one: still being typed, and not too short for that."""
    last = re.findall(r"\w+", phrase)[-1]
    return search[-1].isalnum() and len(last) >= _SHORTEST_BEGINNING


@contextmanager
def reading(store: Store) -> Iterator[sqlite3.Connection]:
    """A connection that only reads: the table `words` of the index (rowid = key) beside all tables of the database.

    For one query over both. It begins no transaction, so it never takes the lock that votes need.
    """
    conn = search_file.connect(store.home.search)
    try:
        conn.execute("attach database ? as truth", [str(store.home.database)])
        conn.execute("pragma query_only = on")
        yield conn
    finally:
        conn.close()


def matching(store: Store, search: str, low: int, high: int) -> Iterator[int]:
    """The keys of examples from `low` to `high` that a search finds, in order, one after the other."""
    with reading(store) as conn:
        rows = conn.execute(
            "select rowid from words where words match ? and rowid between ? and ? order by rowid",
            [match(search), low, high],
        )
        for row in rows:
            yield row[0]


def catch_up(store: Store, patience: float = _PATIENCE, limit: int | None = _AT_ONCE) -> bool:
    """Index the rows that changed since, so many at most; False where another writer has the index: then later."""
    done = 0
    try:
        with closing(search_file.connect(store.home.search, patience)) as conn:
            while (limit is None or done < limit) and (due := _due(store)):
                with writing(conn):
                    for row in due:
                        _rewrite(store, conn, row)
                _strike_off(store, due)
                done += len(due)
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True


def _due(store: Store) -> list[dict[str, Any]]:
    """Rows whose words changed, with the text that counts now; None where the row is gone."""
    return store.rows(
        "select d.example_id, d.indexed_revision, e.revision_id, r.content from search_due d "
        "left join examples e on e.id = d.example_id left join revisions r on r.id = e.revision_id "
        "order by d.example_id desc limit ?",
        [_CHUNK],
    )


def _rewrite(store: Store, conn: sqlite3.Connection, row: dict[str, Any]) -> None:
    """Bring the words of one row to its text."""
    key, wanted = row["example_id"], row["revision_id"]
    held = _held(conn, key, row["indexed_revision"])
    if held == wanted:
        return
    _remove(store, conn, key, held)
    if wanted is not None:
        conn.execute(INSERT, [key, words_in(row["content"])])
    conn.execute(NOTE_REWRITTEN, [key, wanted])


def _held(conn: sqlite3.Connection, key: int, original: int | None) -> int | None:
    """Which revision's words the index holds for a row; `original`: that which it came with."""
    noted = conn.execute("select revision_id from rewritten where example_id = ?", [key]).fetchone()
    if noted:
        return None if noted[0] is None else int(noted[0])
    return original if key & 0xFFFFFFFF <= places_written(conn, key >> SHIFT) else None


def places_written(conn: sqlite3.Connection, segment: int) -> int:
    """How many places of a segment, from the first on, the index holds."""
    found = conn.execute("select places from written where segment = ?", [segment]).fetchone()
    return int(found[0]) if found else 0


def _remove(store: Store, conn: sqlite3.Connection, key: int, revision: int | None) -> None:
    """Take the words of a revision out: FTS5 must be told them, for it keeps no texts."""
    content = store.value("select content from revisions where id = ?", [revision]) if revision is not None else None
    if content is not None:
        conn.execute(DELETE, [key, words_in(content)])


def _strike_off(store: Store, due: Sequence[dict[str, Any]]) -> None:
    """Take rows off the list, unless they changed again meanwhile."""
    done = json.dumps([[row["example_id"], row["revision_id"]] for row in due])
    with store.write():
        store.execute(
            "delete from search_due where example_id in ("
            "  select json_extract(d.value, '$[0]') from json_each(?) d "
            "  left join examples e on e.id = json_extract(d.value, '$[0]') "
            "  where e.revision_id is json_extract(d.value, '$[1]'))",
            [done],
        )


def forget(store: Store, keys: Sequence[int]) -> None:
    """Take rows out of the index before their texts are erased; `scrub` follows at once where the file is small."""
    with closing(search_file.connect(store.home.search)) as conn, writing(conn):
        for key in keys:
            due = store.one("select indexed_revision as held from search_due where example_id = ?", [key])
            now = store.value("select revision_id from examples where id = ?", [key])
            _remove(store, conn, key, _held(conn, key, due["held"] if due else now))
            conn.execute(NOTE_REWRITTEN, [key, None])
        conn.execute("insert or ignore into chores (name) values ('scrub')")
    if store.home.search.stat().st_size < _SCRUBBED_AT_ONCE:
        scrub(store)


def scrub(store: Store) -> None:
    """Make sure that words which were taken out stand nowhere in the file; it is written anew as a whole for that."""
    with closing(search_file.connect(store.home.search)) as conn:
        conn.execute("insert into words (words) values ('optimize')")
        conn.execute("delete from chores where name = 'scrub'")
        conn.execute("vacuum")
        conn.execute("pragma wal_checkpoint(truncate)")


def scrub_due(store: Store) -> bool:
    """Whether words were taken out of a large file, and `scrub` was left for later."""
    with closing(search_file.connect(store.home.search)) as conn:
        return conn.execute("select 1 from chores where name = 'scrub'").fetchone() is not None


def words_in(content: str) -> str:
    """What is indexed of a stored content."""
    return spaced(words_of(json.loads(content)))


@contextmanager
def writing(conn: sqlite3.Connection) -> Iterator[None]:
    """A write transaction of the index."""
    conn.execute("begin immediate")
    try:
        yield
    except BaseException:
        conn.rollback()
        raise
    conn.execute("commit")
