"""A round run again from its frozen inputs: are the weights and the figures the same?

A process of its own does it (`trainers.rerun`), because the studio holds no torch, in a folder that is removed
afterwards: a replay makes no model and no job.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from storage import rounds
from storage.clock import new_id
from storage.errors import BadInput, Refused
from storage.jobs import get_job
from storage.rows_training import Task
from storage.store import Store


def replay(store: Store, number: int) -> dict[str, Any]:
    """Run a round's training again and compare.

    Returns `round, job, model` and what `trainers.rerun` found: `identical`, `sha256`, `replayed_sha256`, `steps`,
    `figures_same`, `largest_differences`, `libraries` that have changed, `seconds`. Raises NotFound, Refused where
    there is nothing to replay, BadInput where the replay fails.
    """
    turn = rounds.get_round(store, number)
    if turn.job_id is None:
        raise Refused(f"Round {number} has no training yet, so there is nothing to replay.")
    job = get_job(store, turn.job_id)
    if job.status != "done":
        raise Refused(f"The training of round {number} is {job.status}; only one that ended well can be replayed.")
    scratch = store.home.runs / f".replay-{new_id()}"
    try:
        found = _in_process(store.home.run(job.id), scratch, store.home.logs / "tasks.log")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {"round": number, "job": job.number, "model": job.name, **found}


def run_task(store: Store, task: Task) -> dict[str, Any]:
    """The task "replay"."""
    return replay(store, int(task.payload["round"]))


def _in_process(folder: Path, scratch: Path, log: Path) -> dict[str, Any]:
    """Run `trainers.rerun`; its last line is the result."""
    with log.open("ab") as errors:
        done = subprocess.run(
            [sys.executable, "-m", "trainers.rerun", str(folder), str(scratch)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    try:
        found: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        found = {"error": f"The replay ended without a word (exit code {done.returncode}); {log} may say why."}
    if "error" in found:
        raise BadInput(str(found["error"]))
    return found
