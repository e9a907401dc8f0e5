"""Disk full, out of memory, a poisoned row, numbers that are none: each run ends with its sentence and its way out."""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage import jobs
from storage.home import read_json
from storage.store import Store
from tests.trainers import building
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch

LIMIT = 48 * 1024
"""Bytes of the largest file: an adapter fits, the optimiser's state does not."""


def error_of(folder: Path) -> dict[str, Any]:
    error = read_json(folder / "error.json")
    assert error is not None, building.log_of(folder)
    return error


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


def test_a_full_disk_is_told_as_such_and_leaves_no_torn_checkpoint(tmp_path: Path, tiny_base: Path) -> None:
    folder = building.make_run(tmp_path / "full", "sft", tiny_base, options={"max_steps": 2, "lora_r": 64})
    with (folder / "train.log").open("ab") as log:
        code = subprocess.run(
            building.trainer(folder), stdout=log, stderr=log, timeout=building.TIMEOUT, preexec_fn=_small_files
        ).returncode

    assert code == 1
    assert error_of(folder) == {
        "kind": "disk-full",
        "sentence": "The disk is full, so the run could not save its work.",
        "fix": "Free some space (old runs and models of the home folder are a good start) and resume the job.",
        "retry": [{"label": "Go on from the last checkpoint", "options": {}}],
    }
    assert building.events(folder, "failed")[-1]["error"] == error_of(folder)
    assert building.events(folder, "done") == []
    assert list((folder / "checkpoints").glob("checkpoint-*")) == []


@pytest.mark.slow
def test_on_a_file_system_without_room_it_ends_alike_and_goes_on_when_there_is(tmp_path: Path, tiny_base: Path) -> None:
    """A real ENOSPC, on a tmpfs of a mount namespace of its own."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this system does not let us mount a small file system")
    folder = building.make_run(tmp_path / "full", "sft", tiny_base, options={"max_steps": 2, "lora_r": 64})
    back = tmp_path / "back"
    small = tmp_path / "small"
    small.mkdir()
    words = (
        f"mount -t tmpfs -o size=256k none {small} && cp -r {folder}/. {small} && "
        f"{sys.executable} -m trainers.sft {small} > {tmp_path}/log 2>&1; code=$?; cp -r {small} {back}; exit $code"
    )

    code = subprocess.run(["unshare", "-rm", "sh", "-c", words], timeout=building.TIMEOUT).returncode

    assert code == 1, (tmp_path / "log").read_text()
    assert error_of(back)["kind"] == "disk-full"
    assert list((back / "checkpoints").glob("checkpoint-*")) == []
    assert building.run_trainer(back, "--resume") == 0, building.log_of(back)
    assert not (back / "error.json").exists()


@pytest.mark.slow
def test_too_little_memory_is_told_as_such_with_half_the_batch_to_try(tmp_path: Path, tiny_base: Path) -> None:
    long = [{"id": f"row-{at}", "messages": json.dumps(building.turns("Go on.", "and on " * 400))}
            for at in range(16)]  # fmt: skip
    options = {"max_steps": 2, "batch_size": 16, "max_length": 1024}
    folder = building.make_run(tmp_path / "starved", "sft", tiny_base, rows=long, options=options)
    argv = [sys.executable, "-m", "tests.faults.starved", "48", "trainers.sft", str(folder)]
    with (folder / "train.log").open("ab") as log:
        code = subprocess.run(argv, stdout=log, stderr=log, timeout=building.TIMEOUT).returncode

    assert code == 1, building.log_of(folder)
    error = error_of(folder)
    assert (error["kind"], error["sentence"]) == (
        "out-of-memory", "The run needed more memory than the device has.",
    )  # fmt: skip
    assert [offer["options"] for offer in error["retry"]] == [{"batch_size": 8}, {"max_length": 512}]
    assert building.events(folder, "done") == []


def broken_base(folder: Path, base: Path) -> Path:
    """A base with one weight that is no number."""
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(base, folder)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("down_proj.weight"))
    weights[name][0, 0] = torch.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.slow
def test_a_poisoned_row_and_numbers_that_are_none_fail_their_jobs_and_the_next_one_goes_on(
    store: Store, tmp_path: Path
) -> None:
    base = building.add_base(store, tiny.save_base(tmp_path / "base"))
    rows = building.conversations()
    rows[7]["messages"] = '[{"role": "assistant"}]'
    broken = broken_base(tmp_path / "broken", tmp_path / "base")
    poisoned = building.enqueue(store, "sft", base, "poisoned", tmp_path / "base", rows=rows)
    endless = building.enqueue(store, "sft", base, "endless", broken, options={"learning_rate": 2e-3, "max_steps": 3})

    building.run_worker(store)

    bad_row, no_number = (jobs.get_job(store, job.id) for job in (poisoned, endless))
    assert (bad_row.status, no_number.status) == ("failed", "failed")
    assert bad_row.error == {
        "kind": "bad-row",
        "sentence": 'Row "row-7": a message in "messages" has neither content nor tool calls.',
        "fix": 'Correct or reject row "row-7" in the data and start the job again.',
        "retry": [],
    }
    assert no_number.error is not None
    assert no_number.error["kind"] == "loss-not-finite"
    assert no_number.error["sentence"] == ("The loss is no longer a number (nan) at step 1: the training has run away.")
    assert no_number.error["retry"] == [
        {"label": "Retry with a tenth of the step size", "options": {"learning_rate": 2e-4}}
    ]
