"""How long a vote takes while a large file is imported, and how long without.

    python -m bench.vote_during_import [--rows 1000000] [--small]

One person votes ten times a second, by the function that the vote's route calls: the insert, and its commit to the
disk. The import runs in a process of its own at nice 19, as an import from the page does. The baseline is the same
voting in the same home before the import began. Goal: under 100 ms at the 95th percentile during the import.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench.chat_rows import write_rows

ROWS = 1_000_000
ALONE_SECONDS = 15
PAUSE_SECONDS = 0.1
GOAL_MS = 100.0
IMPORT = """
import os, sys
from pathlib import Path
from storage.home import Home
from storage.store import Store
from studio.curation.importing import import_files
os.nice(19)
import_files(Store.open(Home(Path(sys.argv[1]))), [Path(sys.argv[2])], "rows")
"""


class Times(NamedTuple):
    """Milliseconds from the call to the committed vote."""

    p50: float
    p95: float
    worst: float
    votes: int


def run(rows: int = ROWS, alone_seconds: float = ALONE_SECONDS) -> dict[str, Any]:
    """Measure alone, then during the import; the shape of every bench (`ratchet bench`)."""
    from storage.home import Home
    from storage.store import Store

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        write_rows(file, rows)
        store = Store.open(Home(Path(folder) / "home"))
        vote = voter(store)
        until = time.perf_counter() + alone_seconds
        alone = voted(vote, lambda: time.perf_counter() < until)
        begun = time.perf_counter()
        importer = subprocess.Popen([sys.executable, "-c", IMPORT, str(store.home.path), str(file)])
        during = voted(vote, lambda: importer.poll() is None)
        seconds = time.perf_counter() - begun
        if importer.returncode:
            raise RuntimeError(f"The import ended with {importer.returncode}.")
    ratios = [
        {"against": "goal, ms at p95", "value": during.p95, "goal": GOAL_MS, "better": "lower"},
        {"against": "voting alone, p95", "value": round(during.p95 / alone.p95, 2), "goal": None, "better": "lower"},
    ]
    return {
        "name": "vote_during_import",
        "rows": rows,
        "ours": {**during._asdict(), "import_seconds": round(seconds, 1)},
        "baselines": {"without an import": alone._asdict()},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": during.p95 <= GOAL_MS,
    }


def voted(vote: Callable[[], None], goes_on: Callable[[], bool]) -> Times:
    """Vote and pause by turns."""
    times = []
    while goes_on():
        begun = time.perf_counter()
        vote()
        times.append(1000 * (time.perf_counter() - begun))
        time.sleep(PAUSE_SECONDS)
    p95 = statistics.quantiles(times, n=20)[-1]
    return Times(round(statistics.median(times), 2), round(p95, 2), round(max(times), 2), len(times))


def voter(store: Any) -> Callable[[], None]:
    """A function that votes once, each time on another pair."""
    from storage.comparisons import NewComparison, add_comparison, create_study, get_comparison
    from storage.models import add_model
    from storage.prompts import as_messages
    from studio.feedback.ballots import Ballot
    from studio.feedback.showing import show
    from studio.feedback.voting import cast

    models = [add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name) for name in "ab"]
    study = create_study(store, "bench", models, None)
    prepared = []
    contestants = [(model.id, model.name) for model in models]
    for number in range(5000):
        new = NewComparison(as_messages(f"Question {number}?"), contestants, texts=[f"{number}. yes", f"{number}. no"])
        prepared.append(get_comparison(store, add_comparison(store, study, new).id))
    waiting = iter(prepared)

    def vote() -> None:
        whole = next(waiting)
        shown = show(study, whole, "ann")
        hashes = [answer.sha256 or "" for answer in shown.answers]
        cast(store, study, "ann", Ballot(f"vote-{whole.comparison.id}", whole.comparison.id, "left", hashes))

    return vote


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description="A vote's time during an import.")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of the file (default {ROWS:,})")
    parser.add_argument("--small", action="store_true", help="a trial run of seconds")
    given = parser.parse_args()
    print(json.dumps(run(5_000, 2.0) if given.small else run(given.rows), indent=1))


if __name__ == "__main__":
    main()
