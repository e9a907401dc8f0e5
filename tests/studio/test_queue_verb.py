"""The verbs of the queue on the command line; the worker's lock is held, so that nothing is trained."""

import fcntl
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import jobs
from storage.home import Home
from storage.store import Store
from studio.cli import main
from studio.training.request import command_line, request_of
from tests.studio.training.project import first_day

Run = Callable[..., tuple[int, Any, str]]
PLAN = {
    "phases": [
        {"method": "sft", "base": "starter", "dataset": "facts", "name": "one"},
        {"method": "sft", "dataset": "facts", "name": "two"},
    ]
}


@pytest.fixture
def ratchet(store: Store, home: Home, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a verb with --json; returns exit code, JSON and what was said to people."""
    first_day(store)

    def run(*words: str) -> tuple[int, Any, str]:
        code = main([*words, "--home", str(home.path), "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    with home.worker_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield run


def plan_file(folder: Path, content: object) -> str:
    path = folder / "plan.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_a_plan_from_a_file_is_queued_held_moved_and_released(ratchet: Run, tmp_path: Path) -> None:
    code, planned, _ = ratchet("plan", plan_file(tmp_path, PLAN))
    assert (code, [(job["name"], job["status"], job["base"]) for job in planned["jobs"]]) == (
        0, [("one", "queued", "starter"), ("two", "queued", "one")],
    )  # fmt: skip

    _, held, _ = ratchet("hold", "1")
    _, moved, _ = ratchet("move", "2", "--before", "1")
    _, released, _ = ratchet("release", "1")
    _, queue, _ = ratchet("queue")

    assert [line["held"] for line in held["waiting"]] == [True, False]
    assert [line["name"] for line in moved["waiting"]] == ["two", "one"]
    assert [line["held"] for line in released["waiting"]] == [False, False]
    assert queue == released
    assert queue["waiting"][0]["reason"] == "It begins when job 1 (one) is done."


@pytest.mark.parametrize("content", [{"phases": "none"}, ["sft"], 7])
def test_a_file_without_phases_is_refused_with_an_example(content: object, ratchet: Run, tmp_path: Path) -> None:
    code, data, said = ratchet("plan", plan_file(tmp_path, content))

    assert (code, data) == (1, None)
    assert "holds no list of phases; write JSON such as" in said


def test_a_missing_file_is_a_sentence(ratchet: Run, tmp_path: Path) -> None:
    assert "cannot be read" in ratchet("plan", str(tmp_path / "nowhere.json"))[2]


def test_a_training_waits_for_another_and_its_line_says_so(ratchet: Run, store: Store) -> None:
    first = ratchet("train", "sft", "--base", "starter", "--dataset", "facts", "--name", "one")[1]

    code, second, _ = ratchet(
        "train", "sft", "--base", "one", "--dataset", "facts", "--name", "two", "--after", "1", "--when-idle",
        "--devices", "2",
    )  # fmt: skip

    job = jobs.get_job(store, second["job"])
    assert (code, job.after_id, job.when_idle, job.devices) == (0, first["job"], 1, 2)
    assert command_line(request_of(job)) == (
        "ratchet train sft --base one --dataset facts --name two --after 1 --devices 2 --when-idle"
    )
    assert second["command"] == command_line(request_of(job))
