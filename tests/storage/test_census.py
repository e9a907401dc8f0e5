"""Counts of a dataset: right, kept until something changes, and right again afterwards."""

import pytest

from storage import batches, census, datasets, examples
from storage.census import Bar
from storage.rows import Dataset
from storage.store import Store
from studio.curation import editing


def talk(question: str, answer: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


@pytest.fixture
def dataset(store: Store) -> Dataset:
    made = datasets.create_dataset(store, "talks", "sft")
    for number, answer in enumerate(["short", "x" * 60, "y" * 500, "z" * 520]):
        editing.add(store, "talks", talk(f"q{number}", answer), ["long"] if len(answer) > 100 else [])
    return made


def test_a_census_counts_status_length_turns_roles_and_tags(store: Store, dataset: Dataset) -> None:
    found = census.take(store, dataset.id)

    assert found.statuses == {"draft": 4, "approved": 0, "rejected": 0, "deleted": 0}
    assert found.chars == [Bar(0, 49, 1), Bar(50, 99, 1), Bar(100, 199, 0), Bar(200, 399, 0), Bar(400, 799, 2)]
    assert found.turns == [Bar(2, 2, 4)]
    assert found.roles == {"system": 0, "user": 4, "assistant": 4, "tool": 0, "tool calls": 0}
    assert (found.tags, found.sources, sum(found.splits.values())) == ({"long": 2}, {"": 4}, 4)
    assert census.take(store, dataset.id) == found


def test_every_change_is_seen(store: Store, dataset: Dataset) -> None:
    census.take(store, dataset.id)
    first = examples.page(store, dataset.id, examples.Query()).examples[0]

    editing.revise(store, "talks", first.id, talk("q0", "w" * 70))
    assert census.take(store, dataset.id).chars[0] == Bar(50, 99, 2)
    editing.delete(store, "talks", [first.id], "me")
    assert census.take(store, dataset.id).statuses == {"draft": 3, "approved": 0, "rejected": 0, "deleted": 1}
    editing.undo(store, "talks")
    assert census.take(store, dataset.id).statuses["draft"] == 4
    editing.undo(store, "talks")
    assert census.take(store, dataset.id).chars[0] == Bar(0, 49, 1)


def test_an_import_that_is_not_published_does_not_count(store: Store, dataset: Dataset) -> None:
    batch = batches.open_batch(store, dataset.id, "import", "me")
    assert census.take(store, dataset.id).statuses["draft"] == 4
    batches.drop(store, batch)


def test_an_empty_dataset_has_no_bars(store: Store) -> None:
    empty = datasets.create_dataset(store, "empty", "sft")
    found = census.take(store, empty.id)
    assert (found.chars, found.turns, found.tags, sum(found.statuses.values())) == ([], [], {}, 0)
