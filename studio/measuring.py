"""The project's own measurements, run from its checkout: each is `python -m bench.<name>`, which prints one object.

An installed package has no `bench/`: whoever wants to compare needs the sources, with which the baselines come.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storage.errors import BadInput, NotFound, NotReady

_ROOT = Path(__file__).resolve().parent.parent


def benches(root: Path = _ROOT) -> list[str]:
    """Names of the measurements: modules of `bench/` that run by themselves; raises NotFound where there are none."""
    found = sorted(
        path.stem
        for path in (root / "bench").glob("*.py")
        if "def run(" in (text := path.read_text(encoding="utf-8")) and "__main__" in text
    )
    if not found:
        raise NotFound("Measurements are run from a checkout of the project; this one was installed without bench/.")
    return found


def measure(name: str, words: Sequence[str] = (), root: Path = _ROOT) -> dict[str, Any]:
    """Run one measurement with its own flags and return what it found; its progress goes to standard error.

    Raises BadInput for an unknown name, NotReady where it broke off.
    """
    known = benches(root)
    if name not in known:
        raise BadInput(f'There is no measurement "{name}"; there are {", ".join(known)}.')
    argv = [sys.executable, "-m", f"bench.{name}", *words]
    ended = subprocess.run(argv, cwd=root, stdout=subprocess.PIPE, text=True)
    lines = ended.stdout.strip()
    try:
        found: dict[str, Any] = json.loads(lines)
    except json.JSONDecodeError:
        raise NotReady(
            f"The measurement {name} broke off with exit code {ended.returncode}; what it said stands above."
        ) from None
    return found
