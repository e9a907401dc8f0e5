"""Parts of a run that need no torch: checkpoints, failures, cards, headers, processes, followed events."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage import jobs
from storage.errors import BadInput, Refused
from storage.processes import alive, identify
from storage.runs import append_event
from storage.specs.run import RunSpec
from storage.store import Store
from tests.trainers import building
from trainers.card import card
from trainers.checkpoints import is_complete, mark_complete, newest_complete
from trainers.failures import RunFailed, explain
from trainers.follow import Follower, attempt_of
from trainers.process import ask_to_stop, environment, find, kill, taken


def checkpoint(folder: Path, step: int) -> Path:
    made = folder / f"checkpoint-{step}"
    (made / "ref").mkdir(parents=True)
    for name in ("trainer_state.json", "optimizer.pt", "ref/adapter_model.safetensors"):
        (made / name).write_text(name * step)
    return made


def test_the_newest_whole_checkpoint_counts(tmp_path: Path) -> None:
    mark_complete(checkpoint(tmp_path, 7), 7)
    mark_complete(checkpoint(tmp_path, 10), 10)
    checkpoint(tmp_path, 12)  # killed before the mark

    assert newest_complete(tmp_path) == tmp_path / "checkpoint-10"


@pytest.mark.parametrize("name", ["optimizer.pt", "ref/adapter_model.safetensors", "complete.json"])
def test_a_checkpoint_counts_only_with_every_file_at_its_length(name: str, tmp_path: Path) -> None:
    for harm in (Path.unlink, lambda path: path.write_text("x")):
        made = checkpoint(tmp_path / str(harm), 3)
        mark_complete(made, 3)
        assert is_complete(made)
        harm(made / name)
        assert not is_complete(made)


def test_no_checkpoint_is_no_error(tmp_path: Path) -> None:
    assert newest_complete(tmp_path / "checkpoints") is None


FAILURES = [
    (MemoryError(), "out-of-memory", "The run needed more memory than the device has."),
    (RuntimeError("CUDA out of memory. Tried to allocate"), "out-of-memory", "The run needed more memory"),
    (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "out-of-memory", "The run needed"),
    (OSError(errno.ENOSPC, "No space left on device"), "disk-full", "The disk is full"),
    (ModuleNotFoundError("No module named 'x'", name="x"), "missing-package", "The run needs the Python package x"),
    (BadInput("Row 3 is bad."), "bad-input", "Row 3 is bad."),
    (RunFailed("no-rows", "Nothing.", "Add rows."), "no-rows", "Nothing."),
    (ValueError("many words\nthe last line"), "unknown", "The run failed: ValueError: the last line"),
    (KeyError(), "unknown", "The run failed: KeyError"),
]


@pytest.mark.parametrize(("error", "kind", "sentence"), FAILURES, ids=[str(case[0])[:20] for case in FAILURES])
def test_a_failure_has_a_kind_a_sentence_and_a_way_out(error: Exception, kind: str, sentence: str) -> None:
    failure = explain(error)

    assert failure.kind == kind
    assert failure.sentence.startswith(sentence)
    assert failure.fix


def test_a_card_tells_what_the_adapter_is_and_cannot_be_broken_out_of() -> None:
    spec = RunSpec(
        job="j1",
        method="dpo",
        name="round-2",
        base_path="/somewhere/private/tiny",
        adapter_path="/somewhere/private/round-1",
        data_sha256="d" * 64,
        options={"beta": 0.1, "note": "a | b\n# c <script>"},
        libraries={"trl": "1.16.0"},
    )

    text = card(spec, {"loss": 0.5}, 38)

    front = text.split("---\n")[1]
    assert front == 'library_name: "peft"\nbase_model: "tiny"\ntags: ["lora", "trl", "dpo", "ratchet"]\n'
    assert "| Adapter continued | round-1 |" in text
    assert "| Reference | the adapter before |" in text
    assert "| Rows trained on | 38 |" in text
    assert "| note | a \\| b # c &lt;script> |" in text
    assert "| loss | 0.5 |" in text
    assert "/somewhere/private" not in text


def test_a_run_caps_threads_and_sends_nothing() -> None:
    variables = environment(3)

    assert {variables[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")} == {"3"}
    assert (variables["HF_HUB_DISABLE_TELEMETRY"], variables["HF_HUB_OFFLINE"]) == ("1", "1")
    assert "HF_HUB_OFFLINE" not in environment(3, offline=False)


def test_a_run_folder_is_held_by_one_process(tmp_path: Path) -> None:
    with taken(tmp_path, "first") as first, taken(tmp_path, "second") as second:
        assert (first, second) == (True, False)
        assert find(tmp_path, "first") == identify(os.getpid())
        assert find(tmp_path, "second") is None


def test_only_the_very_process_is_stopped() -> None:
    """A pid that is used again belongs to somebody else."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as child:
        process = identify(child.pid)
        assert process is not None
        for stop in (ask_to_stop, kill):
            stop(process._replace(started=process.started - 60))
        assert child.poll() is None
        kill(process)
        assert child.wait() == -9
    assert not alive(*process)


def test_events_become_columns_of_the_job(store: Store, tmp_path: Path) -> None:
    base = building.add_base(store, tmp_path)
    jobs.enqueue(store, jobs.NewJob("0" * 26, "x", "sft", base.id, {}))
    job = jobs.claim(store)
    assert job is not None
    append_event(tmp_path, "log", attempt="an earlier one", sentence="started")
    append_event(tmp_path, "failed", error={"kind": "x", "sentence": "x", "fix": "x"})
    append_event(tmp_path, "log", attempt=attempt_of(job), sentence="started")
    append_event(tmp_path, "progress", phase="training", step=2, total_steps=9, eta_seconds=7.5)
    append_event(tmp_path, "metric", step=2, loss=0.25, learning_rate=0.001)
    follower = Follower(job, tmp_path)

    follower.read(store, whole=True)

    row = jobs.get_job(store, job.id)
    assert follower.outcome is None
    assert (row.phase, row.step, row.total_steps, row.eta_seconds) == ("training", 2, 9, 7.5)
    assert row.metrics == {"loss": 0.25, "learning_rate": 0.001}
    assert row.seconds_to_first_step is not None
    append_event(tmp_path, "done", adapter_sha256="a")
    follower.read(store, whole=True)
    assert follower.outcome is not None and follower.outcome["kind"] == "done"


def test_a_refusal_keeps_its_own_words() -> None:
    assert explain(Refused("No.")).sentence == "No."
