"""Which contents a dataset holds, by hash: what an import asks for every row."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from storage import segments
from storage.settling import overlay, pane
from storage.store import Store

if TYPE_CHECKING:
    import numpy as np

# Hashes in a set before they become an array; most imports never get so far.
_RECENT = 65_536


class Known:
    """The hashes that a dataset holds now, read once and then kept in memory: eight bytes of each.

    An index over random hashes would have to be written anew on most of its pages with every thousand rows. The first
    hashes are a set; beyond that they are sorted arrays, each twice as long as the next at least, so that a million
    hashes take 8 MB and not 80. Two of a million rows share eight bytes once in thirty million imports.
    """

    def __init__(self, store: Store, dataset_id: str) -> None:
        self._recent: set[int] = set()
        self._sorted: list[np.ndarray[Any, Any]] = []
        for beginning in _stored(store, dataset_id):
            self._add(beginning)

    def add_new(self, hashes: Sequence[bytes]) -> list[bool]:
        """Which of these are new, one by one; from now on all of them are known."""
        beginnings = [int.from_bytes(sha256[:8], "big") for sha256 in hashes]
        new = []
        for beginning, known in zip(beginnings, self._in_sorted(beginnings), strict=True):
            new.append(not known and beginning not in self._recent)
            if new[-1]:
                self._recent.add(beginning)
        if len(self._recent) >= _RECENT:
            self._sort()
        return new

    def _add(self, beginning: int) -> None:
        self._recent.add(beginning)
        if len(self._recent) >= _RECENT:
            self._sort()

    def _in_sorted(self, beginnings: list[int]) -> list[bool]:
        """Which of these stand in the sorted arrays."""
        if not self._sorted:
            return [False] * len(beginnings)
        import numpy as np

        asked = np.array(beginnings, dtype=np.uint64)
        known = np.zeros(len(asked), dtype=bool)
        for held in self._sorted:
            places = np.minimum(np.searchsorted(held, asked), len(held) - 1)
            known |= held[places] == asked
        return list(known.tolist())

    def _sort(self) -> None:
        """Turn the recent hashes into an array, and run arrays of like length together."""
        import numpy as np

        last = np.sort(np.fromiter(self._recent, dtype=np.uint64, count=len(self._recent)))
        self._recent = set()
        while self._sorted and len(self._sorted[-1]) < 2 * len(last):
            last = np.sort(np.concatenate([self._sorted.pop(), last]))
        self._sorted.append(last)


def known_hashes(store: Store, dataset_id: str, hashes: Sequence[str]) -> set[str]:
    """Which of these content hashes an example of the dataset has now; reads all rows, so ask once for many."""
    distinct = list(dict.fromkeys(hashes))
    new = Known(store, dataset_id).add_new([bytes.fromhex(sha256) for sha256 in distinct])
    return {sha256 for sha256, is_new in zip(distinct, new, strict=True) if not is_new}


def _stored(store: Store, dataset_id: str) -> Iterator[int]:
    """The beginnings of the hashes of what stands in a dataset, the trash left out."""
    through = pane(store, dataset_id)
    if through is None:
        status, held, join = "e.status", "null", ""
    else:
        side = through.side
        status, held, join = f"coalesce(c.{side}_status, e.status)", f"c.{side}_features ->> 0", overlay(through)
    for span in segments.ranges(store, dataset_id):
        cursor = store.db.conn.execute(
            f"select substr(e.sha256, 1, 8), {held} from examples e {join} where e.id between ? and ? "
            f"and {status} not in ('deleted', 'absent', 'erased')",
            [span.low, span.high],
        )
        for beginning, text in cursor:
            yield int(text[:16], 16) if text else int.from_bytes(beginning, "big")
