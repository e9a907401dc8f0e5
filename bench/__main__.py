"""All measurements one after the other, each in a process of its own: `python -m bench`, or `make bench`.

    python -m bench [NAME ...] [--small] [--minutes 30] [--out bench/last.json]

What is measured goes into one file with the machine and the commit, written after each; a run of a few names keeps
what the file holds of the others. `python -m bench.table` prints the tables of it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.measuring import benches

ROOT = Path(__file__).resolve().parent.parent
LAST = ROOT / "bench" / "last.json"
# Short ones first, those that fill the disk late, the half hour at the end.
ORDER = (
    "start", "page", "first_token", "button", "reload", "loop", "vote", "burst", "leaderboard", "sidebyside", "train",
    "neardup", "import", "vote_during_import", "browse", "growth", "effects", "soak",
)  # fmt: skip
_MOST_SECONDS = 3 * 3600

Json = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is named, or everything; 1 where something broke off."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Run the project's measurements.")
    parser.add_argument("names", nargs="*", help="which (default: all)")
    parser.add_argument("--small", action="store_true", help="trial runs of seconds, to see that they work")
    parser.add_argument("--minutes", type=float, help="of the soak (default 30)")
    parser.add_argument("--out", type=Path, default=LAST)
    given = parser.parse_args(argv)
    unknown = set(given.names) - set(benches(ROOT))
    if unknown:
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}; there are {', '.join(planned())}")
    found = _opened(given.out)
    broken = []
    for name in [one for one in planned() if not given.names or one in given.names]:
        words = ["--small"] * given.small
        if name == "soak" and given.minutes:
            words += ["--minutes", str(given.minutes)]
        found["results"][name] = one = measured(name, words)
        if "error" in one:
            broken.append(name)
        found["machine"] = machine()
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(told(name, one), file=sys.stderr)
    return 1 if broken else 0


def planned() -> list[str]:
    """The measurements in the order in which they run."""
    there = benches(ROOT)
    last = ORDER[-1:]
    known = [name for name in ORDER[:-1] if name in there]
    return [*known, *(name for name in there if name not in ORDER), *(name for name in last if name in there)]


def measured(name: str, words: Sequence[str] = ()) -> Json:
    """One measurement with when, at which commit and how long; `error` in place of its figures where it broke off."""
    begun, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    try:
        ended = subprocess.run(
            [sys.executable, "-m", f"bench.{name}", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True,
            timeout=_MOST_SECONDS,
        )  # fmt: skip
        result = {"figures": json.loads(ended.stdout)}
    except subprocess.TimeoutExpired:
        result = {"error": f"It had not ended after {_MOST_SECONDS:,} seconds."}
    except json.JSONDecodeError:
        result = {"error": f"It broke off with exit code {ended.returncode}."}
    return {"at": at, "commit": commit(), "seconds": round(time.monotonic() - begun, 1), "words": list(words), **result}


def told(name: str, one: Json) -> str:
    """One line for who waits."""
    if "error" in one:
        return f"{name}: {one['error']}"
    figures = one["figures"]
    return f"{name}: {'met' if figures['met'] else 'not met'} in {one['seconds']:.0f} s, ratio {figures['ratio']}"


def machine() -> Json:
    """What the figures were measured on."""
    import psutil

    return {
        "system": platform.platform(terse=True),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gigabytes": round(psutil.virtual_memory().total / 1e9),
        "python": platform.python_version(),
    }


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit() -> str:
    """The commit that was measured, with a mark where files have been changed since."""
    words = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _opened(path: Path) -> Json:
    """What an earlier run left in the file."""
    if path.exists():
        kept: Json = json.loads(path.read_text(encoding="utf-8"))
        return kept
    return {"machine": machine(), "results": {}}


if __name__ == "__main__":
    sys.exit(main())
