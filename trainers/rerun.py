"""A run once more from its frozen inputs, and whether it ends alike.

    python -m trainers.rerun RUNFOLDER SCRATCH      # the result as one JSON object on the last line of stdout

The inputs are copied, never the results, and first held against their hashes: what has changed since would make the
comparison worthless. On a processor with the same libraries and threads a run is expected to end with the same bytes.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import BadInput, RatchetError, Refused
from storage.home import read_json
from storage.runs import frozen_sha256, read_events
from storage.specs.registry import method_named
from storage.specs.run import RunSpec
from storage.weights import hash_files, safetensors_files
from trainers.process import DONE, environment

# What a run writes; everything else in its folder is what it was given.
_MADE = ("checkpoints", "adapter", "model", "events.jsonl", "train.log", "error.json", "evaluation.json",
         "process.json", "run.lock", "probe.json")  # fmt: skip
# Figures of the clock and of the machine, which no run repeats.
_OF_THE_CLOCK = ("seconds", "per_second", "memory", "runtime", "_t", "eta", "pace")


class Ended(NamedTuple):
    """What a run left: the hash of its weights, its metrics by step, what was measured at its end."""

    sha256: str | None
    metrics: dict[int, dict[str, float]]
    evaluation: dict[str, Any] | None


def rerun(folder: Path, scratch: Path) -> dict[str, Any]:
    """Run again and compare; raises Refused where the inputs are gone or have changed, BadInput where it fails."""
    spec = RunSpec.read(folder)
    before = ended(folder)
    if before.sha256 is None:
        raise Refused(f"The run in {folder.name} has no weights to compare with: it has not ended well.")
    _check_inputs(folder, spec)
    _copy_inputs(folder, scratch)
    replace(spec, libraries=_now(spec.libraries)).write(scratch)
    began = time.monotonic()
    _run(spec, scratch)
    after = ended(scratch)
    differences = _differences(before.metrics, after.metrics)
    return {
        "identical": before.sha256 == after.sha256,
        "sha256": before.sha256,
        "replayed_sha256": after.sha256,
        "steps": len(before.metrics),
        "figures_same": before.metrics == after.metrics and _same(before.evaluation, after.evaluation),
        "largest_differences": differences,
        "libraries": {
            name: [was, now] for name, was in spec.libraries.items() if (now := _version(name)) != was
        },
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def ended(folder: Path) -> Ended:
    """What a run's folder says of its end."""
    made = next((folder / name for name in ("adapter", "model") if (folder / name).is_dir()), None)
    metrics: dict[int, dict[str, float]] = {}
    for event in read_events(folder).events:
        if event.get("kind") == "metric" and isinstance(event.get("step"), int):
            told = {name: value for name, value in event.items() if _counts(name, value)}
            metrics[event["step"]] = metrics.get(event["step"], {}) | told
    sha256 = hash_files(safetensors_files(made)) if made else None
    return Ended(sha256, metrics, read_json(folder / "evaluation.json"))


def _counts(name: str, value: Any) -> bool:
    """Whether a figure follows from the inputs."""
    return isinstance(value, int | float) and name not in ("t", "step") and not any(
        word in name for word in _OF_THE_CLOCK
    )  # fmt: skip


def _check_inputs(folder: Path, spec: RunSpec) -> None:
    """Refuse where data, base or the adapter before are no longer what they were."""
    data = folder / "data.parquet"
    if not data.is_file() or (spec.data_sha256 and frozen_sha256(data) != spec.data_sha256):
        raise Refused("The frozen rows of this run are gone or have changed, so it cannot be replayed.")
    base = Path(spec.base_path)
    if not base.is_dir():
        raise Refused(f"The base in {base} is gone; put it back, then replay.")
    if spec.base_sha256 and hash_files(safetensors_files(base)) != spec.base_sha256:
        raise Refused(f"The base in {base} has other weights than when this run was made.")
    if spec.adapter_path and not Path(spec.adapter_path).is_dir():
        raise Refused(f"The adapter that this run went on from is gone ({spec.adapter_path}).")


def _copy_inputs(folder: Path, scratch: Path) -> None:
    if scratch.exists() and any(scratch.iterdir()):
        raise BadInput(f"{scratch} is not empty; name a folder that does not exist.")
    shutil.copytree(folder, scratch, ignore=shutil.ignore_patterns(*_MADE), dirs_exist_ok=True)


def _run(spec: RunSpec, scratch: Path) -> None:
    """The method's own script, as the worker starts it."""
    argv = [sys.executable, "-m", f"trainers.{method_named(spec.method).module}", str(scratch), "--attempt", "replay"]
    with (scratch / "train.log").open("ab") as log:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(spec.threads), check=False
        )
    if done.returncode != DONE:
        said = (read_json(scratch / "error.json") or {}).get("sentence") or f"it ended with {done.returncode}"
        raise BadInput(f"The replay failed: {said}")


def _environment(threads: int) -> dict[str, str]:
    return {**os.environ, **environment(threads, offline=False)}


def _differences(before: Mapping[int, Mapping[str, float]], after: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    """By metric, the largest difference at any step."""
    largest: dict[str, float] = {}
    for step, told in before.items():
        for name, value in told.items():
            other = after.get(step, {}).get(name)
            apart = abs(value - other) if other is not None else float("inf")
            largest[name] = max(largest.get(name, 0.0), apart)
    return {name: None if apart == float("inf") else apart for name, apart in sorted(largest.items())}


def _same(before: Any, after: Any) -> bool:
    """Whether two evaluations say the same, times of the clock apart."""
    return bool(_timeless(before) == _timeless(after))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if not any(word in name for word in _OF_THE_CLOCK)}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


def _now(libraries: Mapping[str, str]) -> dict[str, str]:
    return {name: said for name in libraries if (said := _version(name))}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def main(argv: Sequence[str] | None = None) -> int:
    """Replay the run of one folder in another; the last line of stdout is the result or `{"error": sentence}`."""
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) != 2:
        print("usage: python -m trainers.rerun RUNFOLDER SCRATCH", file=sys.stderr)
        return 2
    try:
        found = rerun(Path(words[0]).resolve(), Path(words[1]).resolve())
    except (RatchetError, OSError, ValueError) as error:
        print(json.dumps({"error": str(error)}))
        return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
