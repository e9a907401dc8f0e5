"""Work that the studio wishes for in a file and waits for: one process, one JSON object on the last line of stdout.

The studio holds no torch, so what needs a model for some seconds runs as `python -m trainers.<what> WISH.json`. What
stands against it is said as `{"error": sentence}`, so that it reaches the person who asked.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from storage.errors import RatchetError


def run_wish(module: str, argv: Sequence[str] | None, work: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """Do what the file named on the command line wishes for; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) != 1:
        print(f"usage: python -m {module} WISH.json", file=sys.stderr)
        return 2
    try:
        found = work(json.loads(Path(words[0]).read_text(encoding="utf-8")))
    except (RatchetError, OSError, ValueError, KeyError, RuntimeError) as error:
        print(json.dumps({"error": str(error)}))
        return 1
    print(json.dumps(found))
    return 0
