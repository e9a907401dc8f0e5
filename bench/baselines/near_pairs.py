"""Near duplicates by datasketch's MinHashLSH, as its manual shows it, or by comparing every pair. No project code.

    python near_pairs.py datasketch|exact TEXTS.json THRESHOLD

The texts are a JSON list; they are alike by the Jaccard index of their runs of five characters. Prints one JSON object:
the pairs found (number of the later one, of the earlier one), seconds, processor seconds, and megabytes at the peak.
"""

import json
import resource
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path


def normal(text: str) -> str:
    """A text without case, width, blank space and closing signs."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(" .?!")


def shingles(text: str) -> frozenset[str]:
    """The runs of five characters."""
    return frozenset(text[start : start + 5] for start in range(len(text) - 4)) or frozenset([text])


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Shared over all."""
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


def datasketch(texts: list[str], threshold: float) -> Iterator[tuple[int, int]]:
    """The loop of datasketch's manual: query, then insert what is new."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=128)
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([run.encode() for run in shingles(normal(text))])
        like = index.query(sketch)
        if like:
            yield number, min(like)
        else:
            index.insert(number, sketch)


def exact(texts: list[str], threshold: float) -> Iterator[tuple[int, int]]:
    """Every text with every text before it."""
    sets = [shingles(normal(text)) for text in texts]
    for number, mine in enumerate(sets):
        for before in range(number):
            if jaccard(mine, sets[before]) >= threshold:
                yield number, before
                break


def main() -> None:
    """Find and tell."""
    texts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    find = {"datasketch": datasketch, "exact": exact}[sys.argv[1]]
    begun, busy = time.perf_counter(), time.process_time()
    found = list(find(texts, float(sys.argv[3])))
    seconds, busy = time.perf_counter() - begun, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"found": found, "seconds": seconds, "cpu_seconds": busy, "peak_mb": round(peak)}))


if __name__ == "__main__":
    main()
