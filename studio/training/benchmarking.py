"""Public benchmarks by EleutherAI's lm-evaluation-harness, which is an optional extra.

Gao et al. 2024, https://github.com/EleutherAI/lm-evaluation-harness. It runs as a process of its own; it fetches its
tasks from the Hub, and remote code is not run.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from storage.errors import BadInput, Refused
from storage.models import base_of, get_model
from storage.rows_training import Model
from storage.store import Store


def benchmark(store: Store, reference: str, tasks: Sequence[str], limit: int | None = None) -> dict[str, Any]:
    """Run tasks on a model; `model, tasks{name: {metric: value}}`. `limit`: examples a task.

    Raises Refused where the harness is not installed or the model cannot be loaded here, BadInput where it fails.
    """
    model = get_model(store, reference)
    if model.kind not in ("base", "adapter"):
        raise Refused(f'"{model.name}" is of kind {model.kind}; benchmarks run on bases and adapters of this machine.')
    if not tasks:
        raise BadInput("Name at least one task, such as `--tasks arc_easy`.")
    if find_spec("lm_eval") is None:
        raise Refused("Benchmarks need the Python package lm-eval; run `pip install 'ratchet[lm-eval]'` and try again.")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command(store, model, tasks, limit, Path(folder)), capture_output=True, text=True)
        found = sorted(Path(folder).rglob("results*.json"))
        if done.returncode or not found:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise BadInput(f"The benchmark failed: {last}")
        return {"model": model.name, "tasks": json.loads(found[-1].read_text(encoding="utf-8"))["results"]}


def command(store: Store, model: Model, tasks: Sequence[str], limit: int | None, out: Path) -> list[str]:
    """The harness's command line."""
    base = base_of(store, model)
    parts = [f"pretrained={base.path}", "trust_remote_code=False"]
    if model.kind == "adapter":
        parts.append(f"peft={model.path}")
    argv = [sys.executable, "-m", "lm_eval", "--model", "hf", "--model_args", ",".join(parts)]
    argv += ["--tasks", ",".join(tasks), "--output_path", str(out)]
    return argv if limit is None else [*argv, "--limit", str(limit)]
