"""What every training method does to the starter model: before, after, and whether that is what the method is for.

    python -m bench.effects [NAME ...]     # all of them, or those whose name begins with one of the words
    python -m bench.effects --small        # the first one

Each effect is a real run of the product's own script on the starter model; tests/trainers/effects holds them, and the
tests assert on the same numbers. `ratchet bench effects --json` recomputes the whole table of bench/README.md.
"""

import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Effect = Callable[[Path], dict[str, Any]]


def effects() -> dict[str, Effect]:
    """Every effect by name, in the order of the files."""
    found: dict[str, Effect] = {}
    for path in sorted((ROOT / "tests" / "trainers" / "effects").glob("[a-z]*.py")):
        module = importlib.import_module(f"tests.trainers.effects.{path.stem}")
        found |= getattr(module, "EFFECTS", {})
    return found


def run(words: Sequence[str] = ()) -> dict[str, Any]:
    """Measure; the shape of every bench."""
    if list(words) == ["--small"]:
        words = list(effects())[:1]
    wanted = {name: one for name, one in effects().items() if not words or name.startswith(tuple(words))}
    if not wanted:
        sys.exit(f"No effect begins with {' or '.join(words)}; there are {', '.join(effects())}.")
    table = [_measured(name, one) for name, one in wanted.items()]
    ratios = [
        {"against": f"{line['name']}: {line['measure']}", "value": line["after"], "goal": line["before"],
         "better": line["better"]}
        for line in table
    ]  # fmt: skip
    return {
        "name": "effects",
        "commit": _commit(),
        "ours": {line["name"]: line["after"] for line in table},
        "baselines": {"before": {line["name"]: line["before"] for line in table}},
        "effects": table,
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": all(line["met"] for line in table),
    }


def _measured(name: str, effect: Effect) -> dict[str, Any]:
    """One effect in a folder of its own; what went wrong is a line of the table, so that the others still run."""
    print(f"{name} …", file=sys.stderr, flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = effect(Path(folder) / "run")  # some want to make it themselves
        except (AssertionError, RuntimeError, OSError, ValueError) as error:
            said = str(error).strip().splitlines()
            found = {"measure": "failed", "before": None, "after": None, "better": "higher", "met": False,
                     "error": said[-1] if said else type(error).__name__}  # fmt: skip
    line = {"name": name, **found, "seconds": round(time.monotonic() - begun, 1)}
    print(
        f"  {line['measure']}: {line['before']} -> {line['after']} ({line['seconds']} s)", file=sys.stderr, flush=True
    )
    return line


def _commit() -> str | None:
    """The commit that was measured, where this is a checkout."""
    said = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return said.stdout.strip() or None


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
