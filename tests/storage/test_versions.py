"""Versions hold what stood there when they were frozen; they are compared, restored and forked."""

import threading

import pytest

from storage import batches, changes, datasets, examples, jobs, versions
from storage.changes import Change
from storage.contents import prepared
from storage.differences import Difference, compare
from storage.errors import BadInput, Conflict, Stopped
from storage.models import add_model
from storage.queries import Query
from storage.restoring import fork, restore
from storage.rows import Dataset, Example
from storage.store import Store
from tests.storage.filled import all_of, chat, filled


def _bulk(store: Store, dataset: Dataset, make: changes.Make, query: Query | None = None) -> None:
    changes.change(store, dataset, query or Query(), make, kind="bulk", label="changed", author="bob")


def _said(store: Store, dataset: Dataset) -> list[tuple[str, list[str], str]]:
    rows = examples.stream(store, dataset.id, Query())
    return [(row.content["messages"][1]["content"], row.tags, row.status) for row in rows]


def _mixed(example: Example) -> Change | None:
    """One row approved, one rejected, one in the trash, one with another text and a tag."""
    return {
        1: Change(status="approved"),
        2: Change(status="rejected", reason="no"),
        3: Change(status="deleted"),
        4: Change(chat("question 4", "four"), tags=["new"]),
    }.get(example.number)


def test_a_freeze_takes_drafts_and_approved_examples_only(store: Store) -> None:
    dataset = filled(store, 5)
    _bulk(store, dataset, _mixed)

    version = versions.freeze(store, dataset)

    rows = [(row["example_id"], row["status"], row["tags"]) for row in versions.contents(store, version)]
    assert rows == [("1-1", "approved", "[]"), ("1-4", "draft", '["new"]'), ("1-5", "draft", "[]")]
    assert version.rows == 3


def test_a_freeze_during_changes_holds_one_moment(store: Store) -> None:
    dataset = filled(store, 3000)

    def meanwhile(fraction: float, sentence: str) -> None:
        if fraction < 0.5:
            editing = threading.Thread(target=_bulk, args=(store, dataset, lambda _: Change(status="deleted")))
            editing.start()
            editing.join()

    version = versions.freeze(store, dataset, progress=meanwhile)

    assert version.rows == 3000
    assert datasets.count_examples(store, dataset.id) == 0
    with pytest.raises(BadInput, match='All examples of dataset "facts" are rejected or in the trash'):
        versions.freeze(store, dataset)


def test_a_freeze_during_a_large_undo_holds_what_readers_see(store: Store) -> None:
    dataset = filled(store, 2500)
    before = versions.freeze(store, dataset)
    _bulk(store, dataset, lambda row: Change(chat(f"question {row.number}", "same")))
    batches.undo(store, dataset.id)

    assert versions.freeze(store, dataset) == before


def test_a_stopped_freeze_leaves_nothing(store: Store) -> None:
    dataset = filled(store, 2500)

    with pytest.raises(Stopped):
        versions.freeze(store, dataset, progress=lambda *_: True)

    assert versions.list_versions(store, dataset) == []
    assert store.rows("select * from version_rows") == store.rows("select * from freezes") == []


def test_what_a_killed_freeze_left_is_swept(store: Store) -> None:
    dataset = filled(store, 10)
    kept = versions.freeze(store, dataset)
    store.execute("insert into freezes values (2, ?, 999999, 1.0, 1.0)", [dataset.id])
    store.execute("insert into version_rows select 2, place, example_id, revision_id, tags, status from version_rows")

    assert versions.sweep(store) == 1
    assert store.rows("select distinct version from version_rows") == [{"version": kept.key}]
    assert store.rows("select * from freezes") == []


def test_two_versions_are_compared_by_example_and_by_content(store: Store) -> None:
    dataset = filled(store, 6)
    old = versions.freeze(store, dataset)
    _bulk(store, dataset, _mixed)
    _bulk(store, dataset, lambda row: Change(status="deleted") if row.number == 6 else None)
    changes.add(store, dataset, prepared(chat("question 6", "answer 6")), "ann")  # the same again under another id
    changes.add(store, dataset, prepared(chat("new", "row")), "ann")
    new = versions.freeze(store, dataset)

    found = compare(store, old, new)

    assert found[:4] == (1, 2, 1, 1)
    assert found.first == [
        Difference("relabelled", "1-1", 1, 1),
        Difference("removed", "1-2", 2, None),
        Difference("removed", "1-3", 3, None),
        Difference("changed", "1-4", 4, 7),
        Difference("added", "2-2", None, 9),
    ]
    assert compare(store, new, new)[:4] == (0, 0, 0, 0)


def test_a_version_is_restored_in_one_step_that_can_be_undone(store: Store) -> None:
    dataset = filled(store, 6, tags=["old"])
    version = versions.freeze(store, dataset)
    first = _said(store, dataset)
    _bulk(store, dataset, _mixed)
    changes.add(store, dataset, prepared(chat("new", "row")), "ann")
    later = _said(store, dataset)

    restored = restore(store, dataset, version, "ann")
    then = _said(store, dataset)
    batches.undo(store, dataset.id)

    assert restored is not None and restored.detail["label"] == "restored version 1"
    assert then == first
    assert _said(store, dataset) == later
    assert all_of(store, dataset, status=["deleted"]) == [3]
    batches.redo(store, dataset.id)
    assert _said(store, dataset) == first
    assert restore(store, dataset, version, "ann") is None
    assert versions.freeze(store, dataset) == version


def test_rows_of_an_import_that_is_gone_come_back_with_the_version(store: Store) -> None:
    dataset = filled(store, 3)
    version = versions.freeze(store, dataset)
    batches.undo(store, dataset.id)
    changes.add(store, dataset, prepared(chat("new", "row")), "ann")

    restore(store, dataset, version, "ann")
    back = [item[0] for item in _said(store, dataset)]
    found = examples.page(store, dataset.id, Query(search="answer")).total
    batches.undo(store, dataset.id)

    assert (back, found) == (["answer 1", "answer 2", "answer 3"], 3)
    assert [item[0] for item in _said(store, dataset)] == ["row"]


def test_a_fork_is_a_dataset_of_its_own(store: Store) -> None:
    dataset = filled(store, 2500, tags=["old"])
    version = versions.freeze(store, dataset)

    copy = fork(store, version, "copy", "ann")
    _bulk(store, copy, lambda _: Change(status="deleted"))

    assert datasets.count_examples(store, dataset.id) == 2500
    assert all_of(store, copy, status=["deleted"], tags=["old"]) == list(range(1, 2501))
    with pytest.raises(Conflict, match='A dataset named "facts" exists already'):
        fork(store, version, "facts", "ann")


def test_a_version_has_a_name_and_knows_its_jobs(store: Store) -> None:
    version = versions.freeze(store, filled(store, 3))
    base = add_model(store, "base", "base", path="/nowhere")
    job = jobs.enqueue(store, jobs.NewJob("j1", "mine", "sft", base.id, {}, version.id))

    assert versions.rename(store, version, "first try").name == "first try"
    assert versions.jobs_of(store, version) == [job]
