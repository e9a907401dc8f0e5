"""Scores conversations with a reward model, in a process of its own.

    python -m trainers.scorer FOLDER    # request.json and rows.jsonl in, scores.jsonl out

Rows are `{"id", "messages"}`; scores `{"id", "score"}`, a batch at a time, so that what is done can be counted and kept
when the rest fails. Exit code 0 done, 1 failed (error.json says why).
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from storage.home import read_json
from storage.runs import write_error
from storage.specs.run import Helper, RunSpec
from trainers.failures import explain
from trainers.process import environment

_AT_ONCE = 64


def score(folder: Path) -> int:
    """Score every row of the folder; returns how many."""
    request = read_json(folder / "request.json")
    if request is None:
        raise BadInput(f"{folder / 'request.json'} is missing or not readable.")
    judge_of = Helper(**request["model"])
    spec = RunSpec(job="", method="reward", name=judge_of.name, base_path=judge_of.base_path,
                   threads=int(request.get("threads", 2)))  # fmt: skip
    os.environ.update(environment(spec.threads, offline=Path(spec.base_path).exists()))
    from trainers.judges import Judge

    judge = Judge.load(spec, Path(judge_of.adapter_path) if judge_of.adapter_path else None)
    done = 0
    with (folder / "rows.jsonl").open(encoding="utf-8") as rows, (folder / "scores.jsonl").open("w") as out:
        for batch in _batches(json.loads(line) for line in rows):
            given = judge.scores([row["messages"] for row in batch])
            for row, number in zip(batch, given, strict=True):
                out.write(json.dumps({"id": row["id"], "score": number}) + "\n")
            out.flush()
            done += len(batch)
    return done


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch


def main(argv: Sequence[str] | None = None) -> int:
    """Score the folder named on the command line."""
    (name,) = sys.argv[1:] if argv is None else argv
    folder = Path(name)
    try:
        score(folder)
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a sentence
        write_error(folder, *explain(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
