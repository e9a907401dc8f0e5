"""What is erased is in no file of the home afterwards, and what learnt from it is named."""

import pytest

from storage import batches, changes, examples, jobs, versions
from storage.changes import Change
from storage.contents import prepared
from storage.differences import compare
from storage.erasing import Trace, erase, mask, trace, without
from storage.errors import BadInput, NotFound
from storage.history import history
from storage.models import add_model
from storage.prompts import example_sha256
from storage.queries import Query
from storage.rows import Dataset
from storage.store import Store
from tests.storage.filled import all_of, chat, filled

SECRET = "Seraphina"


@pytest.fixture
def dataset(store: Store) -> Dataset:
    """Ten rows, a personal one, whose text was edited, frozen, trained on, and has a bulk change."""
    dataset = filled(store, 10)
    name = changes.add(store, dataset, prepared(chat(f"I am {SECRET}", f"Hello {SECRET}!"), ("names",)), "ann")
    assert name == "2-1"
    version = versions.freeze(store, dataset)
    changes.edit(
        store,
        examples.get_example(store, name),
        Change(chat(f"I am {SECRET} A.", "Hello!")),
        label="edited",
        author="ann",
    )
    versions.freeze(store, dataset)
    base = add_model(store, "base", "base", path="/nowhere")
    job = jobs.enqueue(store, jobs.NewJob("j1", "mine", "sft", base.id, {}, version.id))
    store.home.run(job.id).mkdir()
    (store.home.run(job.id) / "data.parquet").write_bytes(b"PAR1")
    first = add_model(store, "first", "adapter", base_id=base.id, parent_id=base.id)
    add_model(store, "second", "adapter", base_id=base.id, parent_id=first.id)
    store.execute("update jobs set model_id = ? where id = ?", [first.id, job.id])
    changes.change(
        store, dataset, Query(), lambda row: Change(status="approved"), kind="bulk", label="approved", author="bob"
    )
    return dataset


TRACE = Trace(1, 2, [1, 2], [1], ["first", "second"], ["runs/j1/data.parquet"], [], 0)


def _files_with(store: Store, text: str) -> list[str]:
    return [
        path.name for path in sorted(store.home.path.rglob("*"))
        if path.is_file() and text.lower().encode() in path.read_bytes().lower()
    ]  # fmt: skip


def test_a_trace_names_versions_jobs_models_and_packs_and_changes_nothing(store: Store, dataset: Dataset) -> None:
    assert trace(store, dataset, ["2-1"]) == TRACE
    assert examples.get_example(store, "2-1").content == chat(f"I am {SECRET} A.", "Hello!")


def test_a_trace_names_copies_of_the_database_and_backups_of_the_project(store: Store, dataset: Dataset) -> None:
    for name in ("ratchet-1.db", "ratchet-20260131-235959.zip", ".passing"):
        (store.home.backups / name).write_bytes(b"")

    assert trace(store, dataset, ["2-1"]).backups == ["ratchet-1.db", "ratchet-20260131-235959.zip"]


def test_an_erased_example_is_in_no_file_and_the_rest_goes_on(store: Store, dataset: Dataset) -> None:
    before = _files_with(store, SECRET)

    assert erase(store, dataset, ["2-1"]) == TRACE

    assert "ratchet.db" in before or "ratchet.db-wal" in before
    assert _files_with(store, SECRET) == []
    with pytest.raises(NotFound):
        examples.get_example(store, "2-1")
    assert history(store, "2-1") == []
    assert all_of(store, dataset, status=["approved"]) == list(range(1, 11))
    assert examples.page(store, dataset.id, Query(search=SECRET)).total == 0
    assert store.rows("pragma foreign_key_check") == []
    assert store.value("pragma integrity_check") == "ok"


def test_undo_and_redo_work_beside_an_erased_example(store: Store, dataset: Dataset) -> None:
    erase(store, dataset, ["2-1"])

    seen = []
    for step in (batches.undo, batches.undo, batches.undo, batches.redo, batches.redo, batches.redo):
        step(store, dataset.id)
        seen.append(len(all_of(store, dataset)))

    assert seen == [10, 10, 10, 10, 10, 10]
    assert all_of(store, dataset, status=["approved"]) == list(range(1, 11))


def test_versions_keep_their_number_with_a_note_and_fewer_rows(store: Store, dataset: Dataset) -> None:
    frozen = versions.list_versions(store, dataset)
    erase(store, dataset, ["2-1", "1-3"])

    after = versions.list_versions(store, dataset)

    assert [(item.number, item.rows) for item in after] == [(1, 9), (2, 9)]
    assert all(item.note is not None and item.note.startswith("2 examples erased (20") for item in after)
    assert {item.sha256 for item in after} & {item.sha256 for item in frozen} == set()
    assert [row["example_id"] for row in versions.contents(store, after[0])] == [
        f"1-{place}" for place in range(1, 11) if place != 3
    ]
    assert compare(store, *after)[:4] == (0, 0, 0, 0)


def test_a_masked_passage_goes_from_every_text_and_the_row_stays(store: Store, dataset: Dataset) -> None:
    assert mask(store, dataset, ["2-1"], without(SECRET)) == TRACE

    row = examples.get_example(store, "2-1")
    assert _files_with(store, SECRET) == []
    assert row.content == chat("I am [erased] A.", "Hello!")
    assert (row.sha256, row.tags, row.status) == (example_sha256(row.content), ["names"], "approved")
    assert [item["content"]["messages"][1]["content"] for item in history(store, "2-1")] == [
        "Hello [erased]!", "Hello!", "Hello!",
    ]  # fmt: skip
    assert examples.page(store, dataset.id, Query(search="erased")).total == 1
    batches.undo(store, dataset.id)
    batches.undo(store, dataset.id)
    assert examples.get_example(store, "2-1").content == chat("I am [erased]", "Hello [erased]!")
    assert [item.rows for item in versions.list_versions(store, dataset)] == [11, 11]


def test_an_empty_passage_is_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="an empty one would be everywhere"):
        without("  ")
