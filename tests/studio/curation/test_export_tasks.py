"""Exports as tasks: files for download wait for a day, and what a kill left behind goes."""

import os
from pathlib import Path

import pytest

from storage import tasks
from storage.clock import now
from storage.errors import NotFound
from storage.home import Home
from storage.store import Store
from studio import task as running
from studio.curation import export_tasks, leftovers
from tests.studio.curation.files import Write, chat, imported

WANTED = {"dataset": "rows", "format": "messages", "policies": ["approved"], "container": "json"}


def _file(home: Home, name: str, hours: float) -> Path:
    path = home.exports / name
    path.write_text("x")
    os.utime(path, (now() - 3600 * hours, now() - 3600 * hours))
    return path


def test_a_task_without_a_row_is_done_and_says_why(store: Store, write: Write) -> None:
    imported(store, write("a.jsonl", [{"messages": chat("a", "b")}]))
    task = tasks.add_task(store, "export", WANTED)

    assert running.run(store, task.id) == 0

    done = tasks.get_task(store, task.id)
    assert done.result is not None
    assert (done.status, done.result["rows"], done.result["sentence"]) == (
        "done", 0, "0 approved of 1; 1 is a draft.",
    )  # fmt: skip
    assert list(store.home.exports.iterdir()) == []
    assert export_tasks.recent(store, "rows") == []


def test_a_task_that_was_asked_to_stop_leaves_no_file(store: Store, write: Write) -> None:
    imported(store, write("a.jsonl", [{"messages": chat(f"a{n}", "b")} for n in range(600)]))
    task = tasks.add_task(store, "export", {**WANTED, "policies": []})
    store.execute("update tasks set cancel_requested = 1 where id = ?", [task.id])

    assert running.run(store, task.id) == 1

    assert tasks.get_task(store, task.id).status == "stopped"
    assert list(store.home.exports.iterdir()) == []


def test_files_older_than_a_day_go_and_others_stay(store: Store) -> None:
    home = store.home
    old = [_file(home, name, 25) for name in ("export-1-rows.csv", ".export-2-rows.csv.new", ".download-3.jsonl")]
    kept = [_file(home, "export-4-rows.csv", 23), _file(home, "mine.csv", 100)]
    folder = home.exports / ".hub-5"
    folder.mkdir()
    os.utime(folder, (0, 0))

    leftovers.sweep(store)

    assert [path.exists() for path in old] == [False] * 3
    assert [path.exists() for path in kept] == [True] * 2
    assert not folder.exists()


@pytest.mark.parametrize("name", ["mine.csv", "export-none.csv", "../ratchet.db"])
def test_only_exports_are_found(store: Store, name: str) -> None:
    _file(store.home, "mine.csv", 0)

    with pytest.raises(NotFound, match="There is no export named"):
        export_tasks.located(store.home, name)


def test_an_export_that_was_cut_off_says_so(store: Store) -> None:
    task = tasks.add_task(store, "export", WANTED)
    tasks.begin(store, task.id, 2**22 + 1, 1.0)

    leftovers.sweep(store)

    error = tasks.get_task(store, task.id).error
    assert error is not None
    assert error["sentence"] == "The export was cut off (its process ended); no file is left of it. Export again."
