"""What a run wrote to fixed prompts while it trained, so that one reads how it changes."""

from pathlib import Path
from typing import Any

from storage.runs import read_events

_MOST = 400  # samples shown; of a longer run the first ones and the newest


def samples(folder: Path) -> list[dict[str, Any]]:
    """The samples of a run in order: step (None: of the finished model), prompt, text, and `before` where it is known.

    A resumed run looks again: of each step and prompt the last text counts.
    """
    found: dict[tuple[Any, str], dict[str, Any]] = {}
    for event in read_events(folder).events:
        if event.get("kind") == "sample" and event.get("text") is not None:
            shown: dict[str, Any] = {"step": None}
            shown |= {name: event[name] for name in ("step", "prompt", "text", "before") if name in event}
            found[event.get("step"), str(event.get("prompt"))] = shown
    every = list(found.values())
    return every if len(every) <= _MOST else [*every[: _MOST // 4], *every[-3 * _MOST // 4 :]]
