"""Rows that measure and never train: the run's own held-out part, or the rows that were given for it.

Which rows are held out is decided by the hash of what is asked in them, not by chance: all rows on one prompt fall into
the same part, two runs on the same data hold out the same rows, and so do the rounds of a loop. A split by seed would
train in round 2 on what measured round 1.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.prompts import content_sha256
from storage.specs.holding import held_out_rows

Row = dict[str, Any]

_SALT = "held out"
_ASKED = ("prompt", "text", "messages")
"""Columns that say what a row is about, the first one there counts."""


class Parts(NamedTuple):
    """Rows of the run as they were frozen. `own`: whether the held ones were taken from its data."""

    learnt: list[Row]
    held: list[Row]
    own: bool


def split(run: Any) -> Parts:
    """The rows of a run in two parts, either of its data or of `eval.parquet` where there is one; says which."""
    from storage.runs import thaw_rows

    rows = thaw_rows(run.data)
    given: Path = run.folder / "eval.parquet"
    if given.is_file():
        held = thaw_rows(given)
        run.say(f"{_counted(len(held))} of another dataset measure what is learnt.", held_out=len(held))
        return Parts(rows, held, False)
    parts = parted(rows, held_out_rows(len(rows), run.options))
    if parts.held:
        run.say(
            f"{_counted(len(parts.held))} of {len(rows)} are held out: they measure what is learnt and never train.",
            held_out=len(parts.held),
        )
    return parts


def parted(rows: Sequence[Row], count: int) -> Parts:
    """About `count` rows held out, whole groups of those that ask the same; never all of them."""
    groups: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        groups.setdefault(subject_of(row), []).append(at)
    held: set[int] = set()
    for subject in sorted(groups, key=lambda one: content_sha256([_SALT, one])):
        if len(held) >= count:
            break
        if len(held) + len(groups[subject]) <= max(count, 1) * 2 and len(held) + len(groups[subject]) < len(rows):
            held.update(groups[subject])
    learnt = [row for at, row in enumerate(rows) if at not in held]
    return Parts(learnt, [rows[at] for at in sorted(held)], True)


def subject_of(row: Mapping[str, Any]) -> str:
    """The hash of what a row asks: its prompt, its text, or its conversation up to the first answer."""
    name = next((name for name in _ASKED if row.get(name) is not None), None)
    if name is None:
        return content_sha256(row.get("id"))
    value = row[name]
    if name == "messages":
        value = _asked(value)
    return content_sha256(value)


def _asked(value: Any) -> Any:
    """The messages before the first answer; a row that is broken is refused later, by who reads it."""
    try:
        messages = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if not isinstance(messages, list):
        return value
    asked = []
    for message in messages:
        if not isinstance(message, dict) or message.get("role") == "assistant":
            break
        asked.append(message)
    return asked or messages


def _counted(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
