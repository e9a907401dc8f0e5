"""Asking the text index (storage/search_file.py): a search as a person types it, and which examples it finds."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from storage import search_file
from storage.store import Store

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


def _may_go_on(word: str, search: str) -> bool:
    """Whether the last word may be the beginning of a longer one: still being typed, and not too short for that."""
    return search[-1].isalnum() and (len(word) >= _SHORTEST_BEGINNING or not word.isascii())


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
