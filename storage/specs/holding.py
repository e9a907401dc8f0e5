"""How many rows a run keeps aside: they measure what was learnt and never train."""

from collections.abc import Mapping
from typing import Any

FEWEST_ROWS = 50
"""Below this every row is needed for learning, and what a handful of rows would measure is chance."""
MOST_HELD = 1_000
"""More measure no better: the loss's standard error falls with the root of their number."""


def held_out_rows(rows: int, options: Any) -> int:
    """How many of `rows` are held out; `options`: a method's, as dataclass or dict, whose `held_out` is the share."""
    told = options.get("held_out", 0.0) if isinstance(options, Mapping) else getattr(options, "held_out", 0.0)
    if rows < FEWEST_ROWS or float(told) <= 0:
        return 0
    return max(1, min(MOST_HELD, round(rows * float(told))))
