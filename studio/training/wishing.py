"""What needs a model for some seconds, done by a process of its own: the studio itself holds no torch."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from storage.errors import BadInput

_LOW_PRIORITY = 10


def granted(module: str, wish: Mapping[str, Any], log: Path) -> dict[str, Any]:
    """Run `python -m MODULE WISH.json` and wait; what `last_word` found."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wish.json"
        path.write_text(json.dumps(wish), encoding="utf-8")
        return last_word(module, [path], log)


def last_word(module: str, arguments: Sequence[Path], log: Path) -> dict[str, Any]:
    """Run `python -m MODULE ARGUMENTS` and wait; its last line is the result. Raises BadInput with what it refused.

    `log` takes what it says on the way.
    """
    with log.open("ab") as errors:
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            preexec_fn=_lower_priority,
        )
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    try:
        found: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        found = {"error": f"{module} ended without a word (exit code {done.returncode}); {log} may say why."}
    if "error" in found:
        raise BadInput(str(found["error"]))
    return found


def _lower_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, _LOW_PRIORITY)
