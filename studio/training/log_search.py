"""Lines of a run's whole log that hold some words; its end alone is shown without a search."""

import re
from pathlib import Path
from typing import Any, NamedTuple

_MOST = 200  # lines shown: the newest
_WIDEST = 400  # characters of a line shown
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Found(NamedTuple):
    """The newest lines that hold the words, with their numbers from 1, and how many there are in all."""

    lines: list[dict[str, Any]]
    total: int


def search_log(folder: Path, words: str) -> Found:
    """The lines of `train.log` that hold `words`, whatever the case; none where nothing is sought."""
    path = folder / "train.log"
    sought = words.strip().lower()
    if not sought or not path.exists():
        return Found([], 0)
    found = []
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for number, raw in enumerate(file, 1):
            line = _TERMINAL_CODES.sub("", raw).rstrip().rpartition("\r")[2]
            if sought in line.lower():
                found.append({"line": number, "text": line[:_WIDEST]})
    return Found(found[-_MOST:], len(found))
