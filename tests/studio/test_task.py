"""A task runs in its own process; killed at any moment it leaves nothing half done, and the next start says so."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage import batches, tasks
from storage.processes import identify
from storage.rows_training import Task
from storage.store import Store
from studio import task as running
from studio.curation import leftovers, uploads
from studio.curation.importing import import_files
from studio.curation.listing import list_all
from tests.conftest import ROOT

pytestmark = pytest.mark.heavy

ROWS = 5_000


def _uploaded(store: Store, content: bytes, name: str = "a.jsonl") -> str:
    with uploads.Incoming(store.home, name) as incoming:
        incoming.write(content)
    return incoming.id


def _lines(count: int) -> bytes:
    return b"".join(b'{"prompt": "%d+1?", "completion": "%d"}\n' % (number, number + 1) for number in range(count))


def _ended(store: Store, task: Task, seconds: float = 60) -> Task:
    deadline = time.monotonic() + seconds
    while tasks.get_task(store, task.id).status in ("queued", "running"):
        assert time.monotonic() < deadline, (store.home.logs / "tasks.log").read_text()
        time.sleep(0.02)
    return tasks.get_task(store, task.id)


def _payload(*upload_ids: str) -> dict[str, object]:
    files = [{"upload": upload_id, "dataset": "rows"} for upload_id in upload_ids]
    return {"files": files, "uploads": list(upload_ids), "dataset": "rows", "author": "ada"}


def test_an_import_runs_beside_us_and_takes_its_upload_away(store: Store) -> None:
    upload = _uploaded(store, _lines(3) + b'{"prompt": "x"}\n')

    task = _ended(store, running.start(store, "import", _payload(upload)))

    assert (task.status, task.progress, task.error) == ("done", 1.0, None)
    assert task.result is not None
    report = task.result["files"][0]
    assert (report["file"], report["read"], report["imported"], report["rejected"]) == ("a.jsonl", 4, 3, 1)
    assert list(store.home.uploads.iterdir()) == []
    assert [row.rows for row in list_all(store).datasets] == [3]
    assert task.pid != os.getpid()


def test_a_file_whose_columns_must_be_explained_is_kept_for_that(store: Store) -> None:
    upload = _uploaded(store, b"frage,antwort\n1+1?,2\n", "a.csv")

    asked = _ended(store, running.start(store, "import", _payload(upload)))
    mapping = {"frage": "prompt", "antwort": "answer"}
    wish = {"files": [{"upload": upload, "dataset": "rows", "mapping": mapping}], "uploads": [upload]}
    told = _ended(store, running.start(store, "import", wish))

    assert asked.result is not None and told.result is not None
    assert asked.result["files"][0]["columns"] == ["frage", "antwort"]
    assert told.result["files"][0]["imported"] == 1
    assert list(store.home.uploads.iterdir()) == []


def test_a_task_that_fails_says_why(store: Store) -> None:
    import_files(store, [_file(store, b'{"text": "x"}\n')], "rows")
    upload = _uploaded(store, _lines(1))

    task = _ended(store, running.start(store, "import", _payload(upload)))

    assert task.status == "failed"
    assert task.error is not None
    assert task.error["kind"] == "conflict"
    assert task.error["sentence"].startswith('Dataset "rows" holds text rows')
    assert list(store.home.uploads.iterdir()) == []


def _file(store: Store, content: bytes) -> Path:
    path = store.home.path / "given.jsonl"
    path.write_bytes(content)
    return path


def test_a_task_is_run_once(store: Store) -> None:
    task = tasks.add_task(store, "import", _payload(_uploaded(store, _lines(1))))

    assert [running.run(store, task.id), running.run(store, task.id)] == [0, 1]
    assert [row.rows for row in list_all(store).datasets] == [1]


def test_a_cancelled_import_leaves_nothing(store: Store) -> None:
    task = tasks.add_task(store, "import", _payload(_uploaded(store, _lines(5000))))
    store.execute("update tasks set cancel_requested = 1 where id = ?", [task.id])

    assert running.run(store, task.id) == 1

    stopped = tasks.get_task(store, task.id)
    assert (stopped.status, list_all(store).datasets) == ("stopped", [])
    assert list(store.home.uploads.iterdir()) == []


@pytest.mark.parametrize("written", [1, 2500])
def test_a_killed_import_is_absent_as_a_whole_and_can_be_done_again(store: Store, written: int) -> None:
    upload = _uploaded(store, _lines(ROWS))
    task = tasks.add_task(store, "import", _payload(upload))
    process = subprocess.Popen([sys.executable, "-m", "studio.task", task.id, "--home", str(store.home.path)], cwd=ROOT)
    while int(store.value("select count(*) from revisions") or 0) < written:
        assert process.poll() is None, "the import ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    landed = int(store.value("select count(*) from revisions"))

    leftovers.sweep(store)

    lost = tasks.get_task(store, task.id)
    assert written <= landed < ROWS
    assert (lost.status, list_all(store).datasets) == ("failed", [])
    assert lost.error is not None and "was cut off" in lost.error["sentence"]
    assert store.value("select count(*) from batches where state = 'open'") == 0
    assert store.value("pragma integrity_check") == "ok"
    assert list(store.home.uploads.iterdir()) == []
    again = import_files(store, [_file(store, _lines(ROWS))], "rows")
    assert (again.to_json()["imported"], again.to_json()["duplicates"]) == (ROWS, 0)


def test_a_sweep_leaves_alone_what_a_living_process_does(store: Store) -> None:
    me = identify(os.getpid())
    assert me is not None
    kept = _uploaded(store, b"x")
    task = tasks.add_task(store, "import", _payload(kept))
    tasks.begin(store, task.id, me.pid, me.started)
    seen = []

    def watch(fraction: float, sentence: str) -> None:
        leftovers.sweep(store)
        seen.append([batch["state"] for batch in store.rows("select state from batches")])

    import_files(store, [_file(store, _lines(1500))], "rows", progress=watch)

    assert seen == [["open"], ["open"]]
    assert [item.id for item in running.running_tasks(store)] == [task.id]
    assert uploads.located(store.home, kept)[1] == "a.jsonl"
    assert [batch.state for batch in batches.list_batches(store, list_all(store).datasets[0].dataset.id)] == [
        "published"
    ]
