"""How many rows a run keeps aside: they measure what was learnt and never train."""

from typing import Any

FEWEST_ROWS = 50
"""Below this every row is needed for learning, and what a handful of rows would measure is chance."""
MOST_HELD = 1_000
"""More measure no better: the loss's standard error falls with the root of their number."""


def held_out_rows(rows: int, options: Any) -> int:
    """How many of `rows` are held out; `options.held_out` is the share."""
    share = float(getattr(options, "held_out", 0.0))
    if rows < FEWEST_ROWS or share <= 0:
        return 0
    return max(1, min(MOST_HELD, round(rows * share)))
