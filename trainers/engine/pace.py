"""Which rows compute in a turn of the lane, where rows of several priorities are being written at once.

Level 0: somebody waits for it. Level 1: the next comparison, made ahead. Level 2: bulk. Rows of one level share
their steps. The best level computes in every turn; each worse one may take a twentieth of the time that the next
better one takes, so that it is hardly felt and never starves. What a step has cost is measured and paid back before
the next one, so this holds for prompts and tokens, on every machine and with any number of rows.

Tokens a second of one core, one row of a 90M model in bfloat16 that somebody waits for, beside six rows of bulk: 38
alone, 26 in one batch with them (while they write 154), 32 where they take a tenth (while they write 20).
"""

from collections.abc import Iterable

SHARE = 0.05
"""Of the better level's time."""

LEVELS = 3


def level_of(priority: int) -> int:
    """The level of a priority: whatever is not urgent and not next is bulk."""
    return min(max(priority, 0), LEVELS - 1)


class Pace:
    """What each level owes to the next better one, in seconds."""

    def __init__(self, share: float = SHARE) -> None:
        self._share = share
        self._owed: dict[int, float] = {}  # of every level that is at work; the best one owes nothing

    def due(self, levels: Iterable[int]) -> list[int]:
        """The levels that compute now, best first, of those that have work."""
        ordered = sorted(set(levels))
        self._owed = {level: self._owed.get(level, 0.0) for level in ordered[1:]}
        return [level for level in ordered if self._owed.get(level, 0.0) <= 0]

    def spent(self, level: int, seconds: float) -> None:
        """Note how long a level has computed: its own debt, and what the next worse one gets back."""
        if level in self._owed:
            self._owed[level] += seconds
        worse = min((other for other in self._owed if other > level), default=None)
        if worse is not None:  # nobody saves up more than one payment
            paid = seconds * self._share
            self._owed[worse] = max(-paid, self._owed[worse] - paid)
