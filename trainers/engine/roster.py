"""The rows of a lane: who waits, who has its prompt read, who is being written, and who makes room for whom.

Where all places are taken, a waiting row of better priority parks the worst of those that have one: it keeps its
tokens, its generator and its text, loses its part of the cache, and waits with its old place in the order; when it
comes back, its prompt and what it had said are read again. Rows that are asked exactly are never parked, because
reading again rounds differently from writing.
"""

from collections.abc import Callable, Sequence
from typing import Any

from trainers.engine.batch import Batch, Kind
from trainers.engine.entry import Entry
from trainers.engine.pace import level_of
from trainers.engine.row import Row


class Roster:
    """Rows by what they do. Changes to `waiting` happen under the lane's lock, all others on its thread alone."""

    def __init__(self, places: int, new_cache: Callable[[], Any], kind_of: Callable[[Row], Kind]) -> None:
        self.entering: list[Entry] = []
        self.batches: list[Batch] = []
        self.waiting: list[Row] = []
        self._places = places
        self._new_cache = new_cache
        self._kind_of = kind_of

    def __len__(self) -> int:
        return len(self.all())

    def all(self) -> list[Row]:
        """Every row."""
        return [*self.waiting, *self.at_work()]

    def at_work(self) -> list[Row]:
        """The rows that have a place."""
        return [*(entry.row for entry in self.entering), *(row for batch in self.batches for row in batch.rows)]

    def levels(self) -> list[int]:
        """The levels of those that have a place."""
        return [*(level_of(entry.row.priority) for entry in self.entering), *(one.kind.level for one in self.batches)]

    def add(self, row: Row) -> None:
        """Queue a row: lower priority numbers first, then in order of arrival."""
        self.waiting = sorted([*self.waiting, row], key=lambda waiting: waiting.turn)

    def let_in(self) -> None:
        """Give places to those that wait, in their order, as far as there are any or somebody can be parked."""
        while self.waiting and self._make_room(self.waiting[0]):
            row, *self.waiting = self.waiting
            self.entering = [*self.entering, Entry(row, self._new_cache())]

    def drop_cancelled(self) -> None:
        """End the rows that nobody waits for any more and that are in no batch."""
        for row in [*self.waiting, *(entry.row for entry in self.entering)]:
            if row.cancelled:
                row.finish("cancelled")
        self._forget_ended()

    def fail(self, rows: Sequence[Row], error: Any) -> None:
        """End rows by an error."""
        for row in rows:
            row.fail(error)
        self._forget_ended()

    def join(self, entry: Entry) -> None:
        """Let a row whose prompt is read into its batch."""
        self.entering = [other for other in self.entering if other is not entry]
        if entry.row.over:
            return
        kind = self._kind_of(entry.row)
        batch = next((batch for batch in self.batches if batch.kind == kind), None) or Batch(kind)
        batch.join(entry.row, entry.cache)
        if batch not in self.batches:
            self.batches = [*self.batches, batch]

    def drop_empty(self) -> None:
        """Forget batches without rows."""
        self.batches = [batch for batch in self.batches if batch.rows]

    def clear(self) -> None:
        """Forget everybody: the lane has ended."""
        self.waiting, self.entering, self.batches = [], [], []

    def _forget_ended(self) -> None:
        self.waiting = [row for row in self.waiting if not row.over]
        self.entering = [entry for entry in self.entering if not entry.row.over]

    def _make_room(self, row: Row) -> bool:
        if len(self.at_work()) < self._places:
            return True
        others = [other for other in self.at_work() if other.priority > row.priority and not other.exact]
        if not others:
            return False
        self._park(max(others, key=lambda other: other.turn))
        return True

    def _park(self, row: Row) -> None:
        self.entering = [entry for entry in self.entering if entry.row is not row]
        for batch in self.batches:
            batch.park(row)
        self.drop_empty()
        self.add(row)
