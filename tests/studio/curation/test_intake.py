"""The task of an import: files one after the other, what a cancel leaves, what is remembered, how fast it goes."""

import pytest

from storage import mappings, tasks
from storage.rows_training import Task
from storage.store import Store
from studio import task as running
from studio.curation import uploads
from studio.curation.intake import pace
from studio.curation.listing import list_all

PAIR = b'{"prompt": "1+1?", "completion": "2"}\n'


def _uploaded(store: Store, content: bytes, name: str = "a.jsonl") -> str:
    with uploads.Incoming(store.home, name) as incoming:
        incoming.write(content)
    return incoming.id


def _task(store: Store, *files: dict[str, object]) -> Task:
    return tasks.add_task(store, "import", {"files": list(files), "uploads": [file["upload"] for file in files]})


def test_a_cancel_names_the_files_that_were_whole_before_it(store: Store) -> None:
    first, second = _uploaded(store, PAIR, "first.jsonl"), _uploaded(store, PAIR * 3000, "second.jsonl")
    task = _task(store, {"upload": first, "dataset": "one"}, {"upload": second, "dataset": "two"})
    store.execute(
        "create trigger cancel after update of message on tasks when new.message like 'File 2%' "
        "begin update tasks set cancel_requested = 1; end"
    )

    assert running.run(store, task.id) == 1

    ended = tasks.get_task(store, task.id)
    assert (ended.status, ended.error) == (
        "stopped",
        {"kind": "stopped",
         "sentence": "The import was stopped; first.jsonl had been imported before, and nothing of the rest was."},
    )  # fmt: skip
    assert [(item.dataset.name, item.rows) for item in list_all(store).datasets] == [("one", 1)]
    assert list(store.home.uploads.iterdir()) == []


def test_a_mapping_that_imported_nothing_is_not_remembered(store: Store) -> None:
    wish = {"dataset": "rows", "mapping": {"frage": "prompt", "antwort": "answer"}}

    running.run(store, _task(store, {"upload": _uploaded(store, b"frage,antwort\n1+1?,\n", "a.csv"), **wish}).id)
    before = mappings.recall(store, ["frage", "antwort"])
    running.run(store, _task(store, {"upload": _uploaded(store, b"frage,antwort\n1+1?,2\n", "a.csv"), **wish}).id)

    assert before is None
    assert mappings.recall(store, ["frage", "antwort"]) is not None


def test_a_file_that_is_gone_lets_the_others_in(store: Store) -> None:
    task = _task(store, {"upload": "0" * 26, "dataset": "rows"}, {"upload": _uploaded(store, PAIR), "dataset": "rows"})

    running.run(store, task.id)

    ended = tasks.get_task(store, task.id)
    assert ended.result is not None
    assert [(report["file"], report["imported"]) for report in ended.result["files"]] == [
        ("a file that is no longer there", 0), ("a.jsonl", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fraction", "sentence", "seconds", "said"),
    [
        (0.25, "1,000 rows read, 5 new", 2.0, ", 500 rows/s, about 6 s left"),
        (0.5, "Unpacking", 3.0, ", about 3 s left"),
        (0.25, "1,000 rows read, 5 new", 0.5, ""),
        (0.0, "0 rows read, 0 new", 5.0, ""),
    ],
)
def test_the_pace_is_said_once_it_can_be_known(fraction: float, sentence: str, seconds: float, said: str) -> None:
    assert pace(fraction, sentence, seconds) == said
