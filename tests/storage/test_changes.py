"""A change of many rows is seen whole or not at all, is undone by one write, and gives way to people at the rows."""

import pytest

from storage import batches, changes, datasets, examples, settling
from storage.changes import Change
from storage.contents import prepared
from storage.errors import Conflict, Stopped
from storage.history import history
from storage.queries import Query
from storage.rows import Batch, Dataset, Example
from storage.store import Store
from tests.storage.filled import all_of, chat, filled

LARGE = 2500


def _bulk(store: Store, dataset: Dataset, make: changes.Make, query: Query | None = None) -> Batch | None:
    return changes.change(
        store, dataset, query or Query(), make, kind="bulk", label="changed {count} examples", author="bob"
    )


def _mended(example: Example) -> Change | None:
    """Every second answer in capitals, with a tag."""
    if example.number % 2:
        return None
    answer = example.content["messages"][1]["content"]
    return Change(chat(f"question {example.number}", answer.upper()), tags=["loud"])


def _state(store: Store, dataset: Dataset) -> tuple[int, int, int]:
    """How many rows there are, with the tag, in capitals; each counted in another way."""
    loud = examples.page(store, dataset.id, Query(tags=["loud"])).total
    capitals = sum("ANSWER" in str(item.content) for item in examples.stream(store, dataset.id, Query()))
    return datasets.count_examples(store, dataset.id), loud, capitals


@pytest.mark.parametrize("rows", [10, LARGE])
def test_a_bulk_change_is_undone_and_redone_as_one_step(store: Store, rows: int) -> None:
    dataset = filled(store, rows)
    batch = _bulk(store, dataset, _mended)

    seen = [_state(store, dataset)]
    for step in (batches.undo, batches.redo, batches.undo):
        step(store, dataset.id)
        seen.append(_state(store, dataset))

    assert batch is not None
    assert batch.detail["label"] == f"changed {rows // 2:,} examples"
    assert (batch.detail["rows"], batch.detail["left_out"]) == (rows // 2, 0)
    half = (rows, rows // 2, rows // 2)
    assert seen == [half, (rows, 0, 0), half, (rows, 0, 0)]


def test_a_large_undo_is_one_write_and_shows_the_same_before_and_after_it_settles(store: Store) -> None:
    dataset = filled(store, LARGE)
    _bulk(store, dataset, _mended)

    batches.undo(store, dataset.id)
    unsettled = settling.pane(store, dataset.id)
    before = list(examples.stream(store, dataset.id, Query()))
    looked = settling.settle(store, dataset.id)

    assert unsettled is not None and unsettled.side == "before"
    assert looked == LARGE // 2
    assert settling.pane(store, dataset.id) is None
    assert list(examples.stream(store, dataset.id, Query())) == before
    assert {item.author for item in before} == {"ann"}


def test_a_row_can_be_edited_while_a_large_undo_settles_and_keeps_what_was_written(store: Store) -> None:
    dataset = filled(store, LARGE)
    _bulk(store, dataset, _mended)
    batches.undo(store, dataset.id)
    (row,) = examples.page(store, dataset.id, Query(limit=1, offset=1)).examples

    changes.edit(store, row, Change(chat("question 2", "by hand")), label="edited", author="ann")
    unsettled = settling.pane(store, dataset.id) is not None
    settling.settle(store, dataset.id)

    assert unsettled
    assert examples.get_example(store, row.id).content == chat("question 2", "by hand")
    assert _state(store, dataset) == (LARGE, 0, 0)
    assert batches.redo(store, dataset.id) is None


def test_who_edits_a_row_during_a_bulk_change_wins_and_the_bulk_says_so(store: Store) -> None:
    dataset = filled(store, LARGE)
    (row,) = examples.page(store, dataset.id, Query(limit=1, offset=1)).examples

    def watch(fraction: float, sentence: str) -> None:
        if sentence.startswith("1,000"):
            changes.edit(store, row, Change(chat("question 2", "by hand")), label="edited", author="ann")

    batch = changes.change(store, dataset, Query(), _mended, kind="bulk", label="{count}", author="bob", progress=watch)

    assert batch is not None
    assert (batch.detail["rows"], batch.detail["left_out"]) == (LARGE // 2 - 1, 1)
    assert examples.get_example(store, row.id).content == chat("question 2", "by hand")
    assert store.value("select count(*) from revisions") == LARGE + 1 + LARGE // 2 - 1
    batches.undo(store, dataset.id)
    assert _state(store, dataset) == (LARGE, 0, 0)
    assert examples.get_example(store, row.id).author == "ann"


def test_a_stopped_bulk_change_leaves_nothing(store: Store) -> None:
    dataset = filled(store, LARGE)

    with pytest.raises(Stopped):
        changes.change(store, dataset, Query(), _mended, kind="bulk", label="", author="bob", progress=lambda *_: True)

    assert _state(store, dataset) == (LARGE, 0, 0)
    assert store.value("select count(*) from changes") == 0
    assert store.value("select count(*) from revisions") == LARGE
    assert batches.undo(store, dataset.id) == batches.list_batches(store, dataset.id)[0]


def test_two_bulk_changes_of_one_dataset_do_not_run_at_once(store: Store) -> None:
    dataset = filled(store, 10)

    def second(example: Example) -> Change | None:
        with pytest.raises(Conflict, match='Another change of dataset "facts" is being made'):
            _bulk(store, dataset, _mended)
        return None

    assert _bulk(store, dataset, second) is None
    assert _bulk(store, dataset, _mended) is not None


def test_status_and_reason_are_kept_with_who_and_when(store: Store) -> None:
    dataset = filled(store, 3)
    _bulk(store, dataset, lambda row: Change(status="rejected", reason="too short") if row.number == 2 else None)
    _bulk(store, dataset, lambda row: Change(status="approved") if row.number == 3 else None)
    _bulk(store, dataset, lambda row: Change(tags=["seen"]) if row.number == 2 else None)

    rows = list(examples.stream(store, dataset.id, Query()))

    assert [(row.status, row.reason, row.tags, row.author) for row in rows] == [
        ("draft", None, [], "ann"),
        ("rejected", "too short", ["seen"], "bob"),
        ("approved", None, [], "bob"),
    ]
    assert [(item["kind"], item["status"], item["reason"]) for item in history(store, rows[1].id)] == [
        ("import", "draft", None),
        ("bulk", "rejected", "too short"),
        ("bulk", "rejected", "too short"),
    ]
    assert all_of(store, dataset, status=["approved"]) == [3]


def test_rows_go_to_the_trash_and_come_back(store: Store) -> None:
    dataset = filled(store, LARGE)
    _bulk(store, dataset, lambda row: Change(status="deleted") if row.number > 5 else None)
    left, trash = all_of(store, dataset), all_of(store, dataset, status=["deleted"])
    restored = _bulk(
        store, dataset, lambda row: Change(status="draft") if row.number == 9 else None, Query(status=["deleted"])
    )

    assert (left, trash) == ([1, 2, 3, 4, 5], list(range(6, LARGE + 1)))
    assert restored is not None and restored.detail["rows"] == 1
    assert all_of(store, dataset) == [1, 2, 3, 4, 5, 9]


def test_what_is_added_by_hand_comes_after_the_imports_and_undo_takes_it_back(store: Store) -> None:
    dataset = filled(store, 3)
    first = changes.add(store, dataset, prepared(chat("a", "b")), "ann")
    filled(store, 2)
    second = changes.add(store, dataset, prepared(chat("c", "d")), "ann")

    numbers = all_of(store, dataset)
    batches.undo(store, dataset.id)

    assert (first, second) == ("2-1", "4-1")
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert all_of(store, dataset) == [1, 2, 3, 4, 5, 6]
    batches.redo(store, dataset.id)
    assert examples.get_example(store, second).number == 7


def test_an_import_beside_rows_added_by_hand_keeps_numbers_apart(store: Store) -> None:
    dataset = filled(store, 3)
    batch = batches.open_batch(store, dataset.id, "import", "ann")
    examples.add_examples(store, batch, [examples.Draft(chat("a", "b")), examples.Draft(chat("c", "d"))])
    by_hand = changes.add(store, dataset, prepared(chat("e", "f")), "ann")
    batches.publish(store, batch)
    again = changes.add(store, dataset, prepared(chat("g", "h")), "ann")

    assert [examples.get_example(store, name).number for name in (by_hand, again)] == [4, 7]
    assert all_of(store, dataset) == [1, 2, 3, 4, 5, 6, 7]
