"""What the reference has said, kept row by row: it never changes, so it is asked once and not in every epoch.

It is asked when a row first comes, not before the training: the first step is not kept waiting, and a run of one epoch
asks nothing twice. Held-out rows are kept too, for the next look at them. A checkpoint takes along what is known, so
that a resumed run goes on with the very same numbers: asked again in another batch they would differ in the last bits.
"""

from collections.abc import Sequence
from pathlib import Path

from storage.home import read_json, write_json

_FILE = "reference.json"


class KeptReference:
    """Log-probabilities of the answers of a row, by the row's number: as many for each row as the method asks for."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, ...]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, rows: Sequence[int]) -> list[tuple[float, ...]] | None:
        """What is known of these rows; None where one of them is new."""
        found = [self._known.get(row) for row in rows]
        return [one for one in found if one is not None] if None not in found else None

    def keep(self, rows: Sequence[int], said: Sequence[tuple[float, ...]]) -> None:
        """Remember; what is known of a row stays as it was first said."""
        for row, values in zip(rows, said, strict=True):
            self._known.setdefault(row, values)

    def save(self, checkpoint: Path) -> None:
        """Write it into a checkpoint's folder."""
        write_json(checkpoint / _FILE, {"rows": {str(row): values for row, values in self._known.items()}})

    def load(self, checkpoint: Path) -> None:
        """Take up what a checkpoint knows, if it knows anything."""
        found = read_json(checkpoint / _FILE) or {}
        for row, values in found.get("rows", {}).items():
            self._known[int(row)] = tuple(float(value) for value in values)
