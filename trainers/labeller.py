"""Labels texts with a classifier, in a process of its own.

    python -m trainers.labeller FOLDER    # request.json and rows.jsonl in, labels.jsonl out

Rows are `{"id", "text"}`; labels `{"id", "label", "score"}`: the likeliest label with its probability, or no label and
a number. Exit code 0 done, 1 failed (error.json says why).
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from storage.errors import BadInput
from storage.home import read_json
from storage.runs import write_error
from storage.specs.run import Helper, RunSpec
from trainers.failures import explain
from trainers.process import environment


def label(folder: Path) -> int:
    """Label every row of the folder; returns how many."""
    request = read_json(folder / "request.json")
    if request is None:
        raise BadInput(f"{folder / 'request.json'} is missing or not readable.")
    helper = Helper(**request["model"])
    spec = RunSpec(job="", method="classify", name=helper.name, base_path=helper.base_path,
                   adapter_path=request.get("reads_through"), threads=int(request.get("threads", 2)))  # fmt: skip
    os.environ.update(environment(spec.threads, offline=Path(spec.base_path).exists()))
    from trainers.features import load_reader, read
    from trainers.heads import judge, load_head

    if helper.adapter_path is None:
        raise BadInput(f"{helper.name} has no head that labels.")
    head, settings = load_head(Path(helper.adapter_path))
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    features = read(
        load_reader(spec), [row["text"] for row in rows], int(settings["max_length"]), str(settings["pooling"])
    )
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as out:
        for row, verdict in zip(rows, judge(head, features), strict=True):
            out.write(json.dumps({"id": row["id"], **verdict._asdict()}) + "\n")
    return len(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Label the folder named on the command line."""
    (name,) = sys.argv[1:] if argv is None else argv
    folder = Path(name)
    try:
        label(folder)
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a sentence
        write_error(folder, *explain(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
