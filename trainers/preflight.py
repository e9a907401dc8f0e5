"""What a training would be like, told before it starts: rows, tokens, what is wrong, memory and time.

    python -m trainers.preflight FOLDER     # spec.json and data.parquet in, result.json out

The rows go through the tokenizer as they would in the run; then the run's own script takes two steps on the longest
of them (`trainers.probe_steps`). What would make the run fail becomes a refusal with its fix; only what goes wrong in
the preflight itself is an error (error.json). It ends by itself where nobody asks for its result any more.
"""

import argparse
import fcntl
import json
import math
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from storage.clock import now
from storage.errors import RatchetError
from storage.home import write_json
from storage.processes import identify
from storage.runs import freeze_rows, thaw_rows, write_error
from storage.specs.holding import held_out_rows
from storage.specs.method import Method
from storage.specs.options import parse_options
from storage.specs.registry import method_named
from storage.specs.run import RunSpec
from trainers.counting import Check, Counts, checks, count, examples, in_texts, overlap, refusals, warnings
from trainers.failures import RunFailed, explain
from trainers.inspection import Inspected, inspect
from trainers.probe_steps import GIB, STEPS, Measured, measure
from trainers.process import TAKEN, environment, taken

_WITH_ANSWERS = ("conversations", "texts", "pairs", "thumbs")
_MOST_PROBED = 64  # rows of the probe; more than two steps never read more
_POLL_SECONDS = 0.2
_UNWATCHED_SECONDS = 60.0  # who closed the page does not wait any more

# Measured peak to range: the allocator and the evaluation after the run take more than two steps do.
_MEMORY_ABOVE = 1.25
_TIME_BELOW, _TIME_ABOVE = 0.8, 1.5


class Read(NamedTuple):
    """The rows of a run as its model will see them."""

    inspected: Inspected
    counts: Counts
    overlap: int
    checks: list[Check]
    examples: list[dict[str, Any]]


def preflight(folder: Path) -> dict[str, Any]:
    """Everything that can be told about the run in a folder; raises where the preflight itself cannot go on."""
    process = identify(os.getpid())
    began = process.started if process else now()
    spec = RunSpec.read(folder)
    os.environ.update(environment(spec.threads, offline=Path(spec.base_path).exists()))
    method = method_named(spec.method)
    options: Any = parse_options(method.options, {"seed": spec.seed, **spec.options})
    rows = thaw_rows(folder / "data.parquet")
    try:
        read = _read(folder, spec, method, options, rows)
    except RatchetError as error:
        return _refused(spec, str(error))
    said = refusals(read.counts, options.max_length)
    noted = warnings(read.counts, options.max_length, read.overlap)
    if len(rows) < spec.rows:
        noted.append(f"{len(rows):,} of {spec.rows:,} rows were looked at; tokens are reckoned for all.")
    measured, obstacle = (None, None) if said else _measured(folder, spec, options, read, rows, began)
    said += [obstacle] if obstacle else []
    # Counts in them are of the few rows that were tried; those of all rows are told already.
    noted += [sentence for sentence in (measured.warnings if measured else []) if not sentence[0].isdigit()]
    return _told(spec, options, read, measured, said, noted)


def _read(folder: Path, spec: RunSpec, method: Method, options: Any, rows: list[dict[str, Any]]) -> Read:
    """Send the rows through the tokenizer."""
    from transformers import AutoConfig, AutoTokenizer

    local = Path(spec.base_path).exists()
    tokenizer = AutoTokenizer.from_pretrained(spec.base_path, trust_remote_code=False, local_files_only=local)
    config = AutoConfig.from_pretrained(spec.base_path, trust_remote_code=False, local_files_only=local)
    inspected = inspect(tokenizer, method.shape, rows, options)
    measuring = folder / "eval.parquet"
    common = overlap(inspected, inspect(tokenizer, method.shape, thaw_rows(measuring), options)) if (
        measuring.exists()
    ) else 0  # fmt: skip
    vocabulary = getattr(config.get_text_config(), "vocab_size", None) or math.inf
    answers = method.shape in _WITH_ANSWERS
    looked = checks(tokenizer, inspected.pieces, options.max_length, vocabulary, answers)
    looked.append(in_texts(tokenizer, rows))
    counts = count(inspected, options.max_length)
    return Read(inspected, counts, common, looked, examples(tokenizer, inspected.pieces, options.max_length))


def _measured(
    folder: Path, spec: RunSpec, options: Any, read: Read, rows: list[dict[str, Any]], began: float
) -> tuple[Measured | None, str | None]:
    """Take the steps, or say why the run would fail at its first ones."""
    scratch = folder / "probe"
    scratch.mkdir(exist_ok=True)
    chosen = longest_rows(rows, read.inspected, min(_MOST_PROBED, STEPS * options.batch_size))
    frozen = freeze_rows(scratch / "data.parquet", chosen)
    for extra in spec.extras:
        freeze_rows(scratch / f"{extra}.parquet", thaw_rows(folder / f"{extra}.parquet")[:_MOST_PROBED])
    known = vars(options)
    quiet = {"max_steps": STEPS, "held_out": 0.0, "report_to": "none"}
    values = {**spec.options, **{name: value for name, value in quiet.items() if name in known}}
    replace(spec, options=values, rows=frozen.rows, data_sha256=frozen.sha256).write(scratch)
    try:
        return measure(scratch, began), None
    except Exception as error:  # noqa: BLE001 - the edge: what would end the run becomes a refusal
        traceback.print_exc()
        failure = explain(error)
        fix = "" if isinstance(error, RatchetError) and not isinstance(error, RunFailed) else f" {failure.fix}"
        return None, f"{failure.sentence}{fix}"


def longest_rows(rows: Sequence[dict[str, Any]], inspected: Inspected, wanted: int) -> list[dict[str, Any]]:
    """The rows with the most tokens; where rows are labelled, half of them from every label alike."""
    length: dict[str, int] = {}
    for piece in inspected.pieces:
        length[piece.row] = max(length.get(piece.row, 0), len(piece.ids))
    ordered = sorted(rows, key=lambda row: -length.get(str(row.get("id")), 0))
    sides: dict[str, set[str]] = {}
    for piece in inspected.pieces:
        sides.setdefault(piece.row, set()).add(piece.side)
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in ordered:
        of_row = sides.get(str(row.get("id")), set())
        if len(of_row) == 1:  # a pair has both of its sides; a judged or labelled row has one
            kinds.setdefault(min(of_row), []).append(row)
    each = max(1, wanted // (2 * len(kinds))) if kinds else 0
    first = [row for of_kind in kinds.values() for row in of_kind[:each]] if len(kinds) > 1 else []
    held = {id(row) for row in first}
    return [*first, *(row for row in ordered if id(row) not in held)][: max(wanted, len(first), 1)]


def _told(
    spec: RunSpec, options: Any, read: Read, measured: Measured | None, said: list[str], noted: list[str]
) -> dict[str, Any]:
    """The result with its keys (DESIGN section 4.2)."""
    counts = read.counts
    whole = spec.rows / max(1, counts.rows) if spec.rows > counts.rows else 1.0
    looked = [check._asdict() for check in read.checks]
    noted = [*noted, *(check["sentence"] for check in looked if not check["ok"])]
    if measured:
        looked += _first_step(measured, method_named(spec.method).compares)
    memory = _memory(measured) if measured else None
    fits = memory["high"] * GIB <= measured.free if memory and measured else None
    if fits is False and measured and memory:
        noted.append(
            f"It needs {memory['low']:g} to {memory['high']:g} GB and {measured.free / GIB:.1f} GB are free now: "
            "answering will wait while it trains, or choose the preset low memory."
        )
    return {
        "rows": spec.rows,
        "tokens": round(counts.tokens * whole),
        "trained_tokens": round(counts.trained * whole),
        "masked_share": round(1 - counts.trained / counts.tokens, 4) if counts.tokens else 0.0,
        "truncated": counts.truncated,
        "identical_pairs": counts.identical,
        "duplicates": counts.duplicates,
        "overlap": read.overlap,
        "nothing_learnt": len(counts.deaf),
        "longest": counts.longest,
        "memory_gb": memory,
        "seconds": _seconds(spec, options, read, measured) if measured else None,
        "free_gb": round(measured.free / GIB, 2) if measured else None,
        "device": measured.device if measured else None,
        "fits_beside_engine": fits,
        "examples": read.examples,
        "checks": looked,
        "refusals": said,
        "warnings": noted,
    }


def _first_step(measured: Measured, compares: bool) -> list[dict[str, Any]]:
    """What the first step showed. `compares`: the method's script has held policy and reference against each other."""
    loss = measured.metrics.get("loss")
    if loss is None or not math.isfinite(loss):
        return []
    found = [{"name": "first-loss", "ok": True, "sentence": f"The first loss is {loss:.4f}."}]
    if compares and "rewards/margins" in measured.metrics:
        equal = abs(loss - math.log(2)) < 1e-3
        known = f"The first loss is {loss:.4f}{', which is ln 2' if equal else ''}: policy and reference are equal."
        found.append({"name": "reference", "ok": True, "sentence": known})
    return found


def _memory(measured: Measured) -> dict[str, float]:
    low = measured.peak / GIB
    return {"low": round(low, 2), "high": round(low * _MEMORY_ABOVE, 2)}


def _seconds(spec: RunSpec, options: Any, read: Read, measured: Measured) -> dict[str, float]:
    """From the longest rows' step to a usual one: low by the mean length, high as if all rows were long."""
    steps = _steps(spec, options)
    lengths = sorted((min(len(piece.ids), options.max_length) for piece in read.inspected.pieces), reverse=True)
    probed = lengths[: max(1, min(_MOST_PROBED, options.batch_size))]
    share = (sum(lengths) / len(lengths)) / max(1.0, sum(probed) / len(probed)) if lengths else 1.0
    before = measured.starting + measured.each * spec.rows
    low = _TIME_BELOW * (before + measured.seconds * steps * share)
    high = _TIME_ABOVE * (before + measured.seconds * steps)
    return {"low": round(low, 1), "high": round(high, 1)}


def _steps(spec: RunSpec, options: Any) -> int:
    """Optimiser steps of the whole run; several answers to a prompt are as many rows of a step."""
    if options.max_steps:
        return int(options.max_steps)
    learnt = spec.rows - (0 if "eval" in spec.extras else held_out_rows(spec.rows, options))
    per_epoch = math.ceil(learnt * int(getattr(options, "answers", 1)) / options.batch_size)
    steps: int = math.ceil(per_epoch * options.epochs)
    return max(1, steps)


def _refused(spec: RunSpec, sentence: str) -> dict[str, Any]:
    """A result that says nothing but why: a row or the base cannot be read."""
    nothing = dict.fromkeys(
        ("tokens", "trained_tokens", "truncated", "identical_pairs", "duplicates", "overlap", "nothing_learnt"), 0
    )
    unknown = dict.fromkeys(("memory_gb", "seconds", "free_gb", "device", "fits_beside_engine"))
    return {"rows": spec.rows, "masked_share": 0.0, **nothing, **unknown, "examples": [], "checks": [],
            "refusals": [sentence], "warnings": []}  # fmt: skip


def wanted(folder: Path) -> bool:
    """Whether somebody still waits for the result: whoever asks touches `wanted`; without it, it runs by hand."""
    path = folder / "wanted"
    return not path.exists() or now() - path.stat().st_mtime < _UNWATCHED_SECONDS


@contextmanager
def turn(folder: Path) -> Iterator[bool]:
    """Wait until no other preflight of this home measures; yields False where nobody waits for this one any more."""
    with (folder.parent / "lock").open("a") as lock:
        while wanted(folder):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_POLL_SECONDS)
                continue
            yield True
            return
        yield False


def main(argv: Sequence[str] | None = None) -> int:
    """Look at the run in the folder named on the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m trainers.preflight", description="Look at a run before it starts.")
    parser.add_argument("folder", type=Path, help="folder with spec.json and data.parquet")
    folder: Path = parser.parse_args(argv).folder.resolve()
    with taken(folder, "preflight") as mine, turn(folder) as our_turn:
        if not mine or not our_turn:
            return TAKEN
        try:
            result = preflight(folder)
        except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a sentence
            traceback.print_exc()
            failure = explain(error)
            write_error(folder, failure.kind, failure.sentence, failure.fix)
            return 1
        json.dumps(result, allow_nan=False)  # a number that JSON cannot carry is a bug; better here than in a page
        write_json(folder / "result.json", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
