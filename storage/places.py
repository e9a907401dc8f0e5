"""All rows of a dataset by place: how many there are, which stands where, without walking along them.

Rows of a range have the places 1, 2, 3 …; those that are not seen (trash, taken back, erased) are known by the index of
statuses, so a rank is a place less the few of them that stand before it.
"""

from collections.abc import Sequence

from storage.segments import Range
from storage.store import Store

GONE = ("deleted", "absent", "erased")
_GONE = "select count(*) from examples where status = ? and id between ? and ?"
_LIVE = "('draft', 'approved', 'rejected')"


def count(store: Store, spans: Sequence[Range]) -> int:
    """How many rows are seen."""
    return sum(_live(store, span, span.high) for span in spans)


def _live(store: Store, span: Range, high: int) -> int:
    """How many rows of a range are seen up to a key."""
    return high - span.low + 1 - _gone(store, span.low, high)


def rank(store: Store, spans: Sequence[Range], key: int, inclusive: bool = False) -> int:
    """How many rows that are seen stand before a key, or up to it."""
    before = 0
    for span in spans:
        if span.low <= key <= span.high:
            return before + _live(store, span, key if inclusive else key - 1)
        before += _live(store, span, span.high)
    return before


def keys(store: Store, spans: Sequence[Range], first: int, wanted: int) -> list[int]:
    """The keys of the rows from the one with so many before it."""
    found: list[int] = []
    for span in spans:
        live = _live(store, span, span.high)
        if first >= live:
            first -= live
            continue
        sql = f"select id from examples where id between ? and ? and status in {_LIVE} order by id limit ?"
        begin = _nth(store, span, first)
        found += [row[0] for row in store.db.conn.execute(sql, [begin, span.high, wanted - len(found)])]
        first = 0
        if len(found) >= wanted:
            break
    return found


def _nth(store: Store, span: Range, first: int) -> int:
    """The key of the row of a range before which `first` are seen: its place, moved on by all that are gone before."""
    low, key = span.low, span.low + first
    while (gone := _gone(store, low, key)) > 0:
        low, key = key + 1, key + gone
    return key


def _gone(store: Store, low: int, high: int) -> int:
    """How many rows between two keys are not seen."""
    return sum(int(store.value(_GONE, [status, low, high])) for status in GONE)
