"""Which contents a dataset holds, by hash: what an import asks for every row."""

from collections.abc import Iterator, Sequence

from storage import segments
from storage.settling import overlay, pane
from storage.store import Store


class Known:
    """The hashes that a dataset holds now, read once and then kept in memory: eight bytes of each.

    An index over random hashes would have to be written anew on most of its pages with every thousand rows.
    """

    def __init__(self, store: Store, dataset_id: str) -> None:
        self._known = set(_stored(store, dataset_id))

    def __contains__(self, sha256: bytes) -> bool:
        return int.from_bytes(sha256[:8], "big") in self._known

    def add(self, sha256: bytes) -> None:
        """Note a hash."""
        self._known.add(int.from_bytes(sha256[:8], "big"))


def known_hashes(store: Store, dataset_id: str, hashes: Sequence[str]) -> set[str]:
    """Which of these content hashes an example of the dataset has now; reads all rows, so ask once for many."""
    known = Known(store, dataset_id)
    return {sha256 for sha256 in hashes if bytes.fromhex(sha256) in known}


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
