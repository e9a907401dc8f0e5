"""Rows a second of an import, against the least that SQLite can do and against a tool that people use.

    python -m bench.import [--rows 1000000] [--turns 1] [--small]

Ours is `ratchet import`: every row recognised, validated, hashed, duplicates left out, written in transactions of at
most a thousand rows between which others vote, and found by search when the command ends. The baselines read the same
file: `bench/baselines/sqlite_import.py` (bare sqlite3 and FTS5), and `sqlite-utils insert` with `enable-fts`. All are
processes of their own, run in turns; the best turn of each counts. Goals: 0.7 of the bare one's rows a second, ahead
of sqlite-utils, under 500 MB.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench.chat_rows import write_rows

ROWS = 1_000_000
TURNS = 1
GOAL_OF_BARE = 0.7
GOAL_MEGABYTES = 500
BARE = Path(__file__).with_name("baselines") / "sqlite_import.py"


# The commands that import a file into a folder.
Way = Callable[[Path, Path], list[list[str]]]


class Import(NamedTuple):
    """One import: rows a second of the whole process, the processor's time for it, and the most memory it held."""

    rows_per_second: float
    cpu_seconds: float
    megabytes: float


def run(rows: int = ROWS, turns: int = TURNS) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    ways: dict[str, Callable[[Path, Path], list[list[str]]]] = {
        "bare": bare,
        "ours": ours,
        "sqlite-utils": sqlite_utils,
    }
    taken: dict[str, list[Import]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        words = write_rows(file, rows)
        for turn in range(turns):
            for name, way in ways.items():
                place = Path(folder) / f"{name}-{turn}"
                place.mkdir()
                taken[name].append(measured(way(file, place), rows))
                if name == "ours":
                    searched(place, words[0], rows)
    best = {
        name: Import(
            max(one.rows_per_second for one in found),
            min(one.cpu_seconds for one in found),
            max(one.megabytes for one in found),
        )
        for name, found in taken.items()
    }
    mine = best["ours"]
    ratios = [
        {"against": "bare sqlite3 and FTS5, rows/s",
         "value": round(mine.rows_per_second / best["bare"].rows_per_second, 3), "goal": GOAL_OF_BARE,
         "better": "higher"},
        {"against": "sqlite-utils insert, rows/s",
         "value": round(mine.rows_per_second / best["sqlite-utils"].rows_per_second, 3), "goal": 1.0,
         "better": "higher"},
        {"against": "goal, megabytes", "value": mine.megabytes, "goal": GOAL_MEGABYTES, "better": "lower"},
    ]  # fmt: skip
    return {
        "name": "import",
        "rows": rows,
        "ours": mine._asdict(),
        "baselines": {name: found._asdict() for name, found in best.items() if name != "ours"},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": ratios[0]["value"] >= GOAL_OF_BARE and ratios[1]["value"] > 1 and mine.megabytes <= GOAL_MEGABYTES,
    }


def ours(file: Path, place: Path) -> list[list[str]]:
    """`ratchet import` into a home that exists."""
    ratchet = [sys.executable, "-m", "studio"]
    home = ["--home", str(place / "home"), "--json"]
    subprocess.run([*ratchet, "datasets", *home], check=True, stdout=subprocess.DEVNULL)
    return [[*ratchet, "import", str(file), "--dataset", "rows", *home]]


def bare(file: Path, place: Path) -> list[list[str]]:
    """Bare sqlite3."""
    return [[sys.executable, str(BARE), str(file), str(place / "bare.db")]]


def sqlite_utils(file: Path, place: Path) -> list[list[str]]:
    """The command line of sqlite-utils."""
    tool, database = str(Path(sys.executable).with_name("sqlite-utils")), str(place / "utils.db")
    return [
        [tool, "insert", database, "rows", str(file), "--nl"],
        [tool, "enable-fts", database, "rows", "messages", "--fts5"],
    ]


def measured(commands: list[list[str]], rows: int) -> Import:
    """Run commands one after the other; raises RuntimeError where one fails."""
    begun = time.perf_counter()
    most, cpu = 0, 0.0
    for command in commands:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}.")
        most, cpu = max(most, usage.ru_maxrss), cpu + usage.ru_utime + usage.ru_stime
    return Import(round(rows / (time.perf_counter() - begun)), round(cpu, 2), round(most / 1000, 1))


def searched(place: Path, word: str, rows: int) -> None:
    """See that all rows are there and that search finds some; raises RuntimeError where not."""
    from storage.home import Home
    from storage.store import Store
    from studio.curation.listing import show

    store = Store.open(Home(place / "home"))
    there, found = show(store, "rows").total, show(store, "rows", search=word).total
    store.close()
    if there != rows or not found:
        raise RuntimeError(f"{there:,} of {rows:,} rows are there, and a search for a common word finds {found:,}.")


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description="Rows a second of an import, beside its baselines.")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of the file (default {ROWS:,})")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"turns of each (default {TURNS})")
    parser.add_argument("--small", action="store_true", help="a trial run of seconds")
    given = parser.parse_args()
    print(json.dumps(run(2_000, 1) if given.small else run(given.rows, given.turns), indent=1))


if __name__ == "__main__":
    main()
