"""Near duplicates among 100,000 rows: seconds, peak memory, and what is found of what was planted.

    python -m bench.neardup [--rows 100000] [--small]

The rows are made-up chat texts of about 680 characters (words by Zipf's law); one in twenty is a copy of an earlier one
with 1 to 12 of its 100 words changed. A planted pair counts where its true Jaccard index (runs of five characters) is
at least 0.8. Ours reads the rows out of a store, as `ratchet check` does, and verifies every candidate. The baselines
get the texts in memory and nothing else to do: datasketch's MinHashLSH as its manual shows it, on the same shingles
(a tenth of the rows, for its time; recall and precision by the same rule); and every pair compared (1,000 rows), which
is exact and shows what quadratic costs (`baselines/near_pairs.py`). Each runs in a process of its own, so that peak
memory is its own.
Goals: under 180 s and 2,000 MB for 100,000 rows on two cores.
"""

import argparse
import itertools
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROWS = 100_000
SMALL = 2_000
GOAL_SECONDS = 180.0
GOAL_MB = 2000.0
THRESHOLD = 0.8
_PAIRS = Path(__file__).parent / "baselines" / "near_pairs.py"
_SAMPLE = 10  # datasketch gets one row in ten
_EXACT = 1_000
_PLANTED_ONE_IN = 20


def corpus(count: int) -> tuple[list[str], list[tuple[int, int]]]:
    """Texts, and the planted pairs (source, copy) among them; always the same for a number of rows."""
    draw = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(8000)]
    weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(8000)))
    originals = count - count // _PLANTED_ONE_IN
    rows = [draw.choices(vocabulary, cum_weights=weights, k=100) for _ in range(originals)]
    pairs = []
    for number in range(originals, count):
        source = draw.randrange(originals)
        words = list(rows[source])
        for _ in range(draw.randint(1, 12)):
            words[draw.randrange(100)] = draw.choice(vocabulary)
        pairs.append((source, number))
        rows.append(words)
    return [" ".join(words) for words in rows], pairs


def run(rows: int = ROWS) -> dict[str, Any]:
    """Measure; the shape of every bench (`ratchet bench`)."""
    ours = _measured("ours", rows)
    datasketch = _measured("datasketch", rows // _SAMPLE) if _has_datasketch() else None
    exact = _measured("exact", min(_EXACT, rows))
    baselines = {"every pair compared": exact}
    ratios = [
        {"against": "goal, seconds", "value": ours["seconds"], "goal": GOAL_SECONDS, "better": "lower"},
        {"against": "goal, peak MB", "value": ours["peak_mb"], "goal": GOAL_MB, "better": "lower"},
    ]
    if datasketch is not None:
        baselines["datasketch MinHashLSH"] = datasketch
        ratios.append(
            {"against": "datasketch, rows a second of processor time",
             "value": round(ours["rows_per_cpu_second"] / datasketch["rows_per_cpu_second"], 2),
             "goal": 1.0, "better": "higher"}
        )  # fmt: skip
    return {
        "name": "neardup",
        "ours": ours,
        "baselines": baselines,
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": ours["seconds"] <= GOAL_SECONDS and ours["peak_mb"] <= GOAL_MB and ours["precision"] == 1.0,
    }


def _has_datasketch() -> bool:
    from importlib.util import find_spec

    return find_spec("datasketch") is not None


def _measured(what: str, rows: int) -> dict[str, Any]:
    """One contestant in a process of its own."""
    command = [sys.executable, "-m", "bench.neardup", "--only", what, str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _only(what: str, rows: int) -> dict[str, Any]:
    """Let one contestant find near duplicates; what it found is judged by the true index."""
    texts, planted = corpus(rows)
    with tempfile.TemporaryDirectory() as folder:
        told = _by_us(texts, Path(folder)) if what == "ours" else _by_script(what, texts, Path(folder))
    found = dict(told.pop("found"))
    seconds, busy = told["seconds"], told["cpu_seconds"]
    return {"rows": rows, "seconds": round(seconds, 1), "cpu_seconds": round(busy, 1),
            "rows_per_cpu_second": round(rows / busy), **_judged(texts, planted, found),
            "peak_mb": told["peak_mb"]}  # fmt: skip


def _by_us(texts: list[str], folder: Path) -> dict[str, Any]:
    """Ours in this process."""
    find = _ours(texts, folder)
    begun, busy = time.perf_counter(), time.process_time()
    found = list(find)
    seconds, busy = time.perf_counter() - begun, time.process_time() - busy
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return {"found": found, "seconds": seconds, "cpu_seconds": busy, "peak_mb": peak}


def _by_script(what: str, texts: list[str], folder: Path) -> dict[str, Any]:
    """A baseline."""
    file = folder / "texts.json"
    file.write_text(json.dumps(texts), encoding="utf-8")
    command = [sys.executable, str(_PAIRS), what, str(file), str(THRESHOLD)]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def _judged(texts: list[str], planted: list[tuple[int, int]], found: dict[int, int]) -> dict[str, Any]:
    """Recall over planted pairs that are alike; precision over all that was reported."""
    from studio.curation.checks.duplicates import jaccard, normal, shingles

    def alike(first: int, second: int) -> bool:
        return jaccard(shingles(normal(texts[first])), shingles(normal(texts[second]))) >= THRESHOLD

    true = [copy for source, copy in planted if alike(source, copy)]
    right = sum(alike(key, of) for key, of in found.items())
    return {
        "planted": len(true),
        "reported": len(found),
        "recall": round(sum(copy in found for copy in true) / max(len(true), 1), 4),
        "precision": round(right / max(len(found), 1), 4),
    }


def _ours(texts: list[str], folder: Path) -> Iterator[tuple[int, int]]:
    """The check as it runs: rows streamed from the store, candidates read back by id. Filling it is not timed."""
    from storage import batches, datasets, examples, findings
    from storage.examples import Draft
    from storage.home import Home
    from storage.store import Store
    from studio.curation.checks.duplicates import Item, near_duplicates
    from studio.curation.checks.passages import body

    store = Store.open(Home(folder / "home"))
    dataset = datasets.create_dataset(store, "bench", "text")
    batch = batches.open_batch(store, dataset.id, "import", "bench")
    for start in range(0, len(texts), 1000):
        examples.add_examples(store, batch, [Draft({"text": text}) for text in texts[start : start + 1000]])
    batches.publish(store, batch)
    first = next(findings.standing(store, dataset.id)).example

    def look() -> Iterator[tuple[int, int]]:
        items = (Item(row.example, body(row.content)) for row in findings.standing(store, dataset.id))
        for twin in near_duplicates(items, lambda key: body(findings.content_of(store, key))):
            yield twin.key - first, twin.of - first

    return look()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Near duplicates: time, memory, and how many are found.")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--small", action="store_true", help="a trial run of seconds")
    parser.add_argument("--only", nargs=2, metavar=("WHO", "ROWS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(_only(given.only[0], int(given.only[1]))))
    else:
        print(json.dumps(run(SMALL if given.small else given.rows), indent=1))
