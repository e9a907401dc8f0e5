"""A change is seen whole or not at all, and undoing it is one write."""

import pytest

from storage import batches, changes, datasets, examples, versions
from storage.changes import Change
from storage.errors import BadInput, Conflict, NotFound
from storage.examples import Draft
from storage.hashes import known_hashes
from storage.queries import Query
from storage.rows import Dataset
from storage.store import Store


def _chat(question: str, answer: str) -> Draft:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Draft({"messages": messages}, tags=["chat"])


def _fill(store: Store, dataset: Dataset, *drafts: Draft) -> list[str]:
    batch = batches.open_batch(store, dataset.id, "import", "me")
    ids = examples.add_examples(store, batch, drafts)
    batches.publish(store, batch)
    return ids


def _texts(store: Store, dataset: Dataset, search: str = "") -> list[str]:
    found = examples.page(store, dataset.id, Query(search=search)).examples
    return [example.content["messages"][1]["content"] for example in found]


def _edit(store: Store, example: str, answer: str, author: str = "me", seen: int | None = None) -> None:
    before = examples.get_example(store, example)
    changes.edit(
        store, before, Change(_chat("2+2?", answer).content), label="edited", author=author, expected_revision=seen
    )


@pytest.fixture
def dataset(store: Store) -> Dataset:
    return datasets.create_dataset(store, "facts", "sft")


def test_an_import_is_not_seen_before_it_is_published(store: Store, dataset: Dataset) -> None:
    batch = batches.open_batch(store, dataset.id, "import", "me")
    examples.add_examples(store, batch, [_chat("2+2?", "4")])
    before = _texts(store, dataset)

    batches.publish(store, batch)

    assert before == []
    assert _texts(store, dataset) == ["4"]


def test_what_a_crash_left_open_is_swept_and_never_seen(store: Store, dataset: Dataset) -> None:
    batch = batches.open_batch(store, dataset.id, "import", "me")
    examples.add_examples(store, batch, [_chat("2+2?", "4")])

    assert batches.sweep(store) == 1
    assert _texts(store, dataset) == []
    assert datasets.count_examples(store, dataset.id) == 0


def test_an_edit_is_undone_redone_and_undone_again(store: Store, dataset: Dataset) -> None:
    (example,) = _fill(store, dataset, _chat("2+2?", "5"))
    _edit(store, example, "4")

    seen = [_texts(store, dataset)]
    for step in (batches.undo, batches.redo, batches.undo, batches.undo):
        step(store, dataset.id)
        seen.append(_texts(store, dataset))

    assert seen == [["4"], ["5"], ["4"], ["5"], []]
    assert batches.undo(store, dataset.id) is None


def test_a_new_change_ends_what_could_be_redone(store: Store, dataset: Dataset) -> None:
    _fill(store, dataset, _chat("2+2?", "4"))
    batches.undo(store, dataset.id)
    _fill(store, dataset, _chat("3+3?", "6"))

    assert batches.redo(store, dataset.id) is None
    assert _texts(store, dataset) == ["6"]


def test_undo_touches_only_its_own_dataset(store: Store, dataset: Dataset) -> None:
    other = datasets.create_dataset(store, "other", "sft")
    _fill(store, dataset, _chat("2+2?", "4"))
    _fill(store, other, _chat("3+3?", "6"))

    batches.undo(store, dataset.id)

    assert (_texts(store, dataset), _texts(store, other)) == ([], ["6"])


def test_the_second_of_two_editors_is_told(store: Store, dataset: Dataset) -> None:
    (example,) = _fill(store, dataset, _chat("2+2?", "5"))
    opened = examples.get_example(store, example).revision_id
    _edit(store, example, "4", "ann", opened)

    with pytest.raises(Conflict, match="changed by ann since you opened it"):
        _edit(store, example, "22", "bob", opened)

    assert _texts(store, dataset) == ["4"]


def test_search_wants_every_word_the_last_one_as_a_beginning(store: Store, dataset: Dataset) -> None:
    _fill(store, dataset, _chat("Capital of France?", "Paris"), _chat("Capital of Peru?", "Lima"))

    found = {words: _texts(store, dataset, words) for words in ("capital", "capital fra", "lima", 'par* OR "', "rome")}

    assert found == {
        "capital": ["Paris", "Lima"],
        "capital fra": ["Paris"],
        "lima": ["Lima"],
        'par* OR "': [],
        "rome": [],
    }


def test_search_finds_sums_and_joined_words_as_they_are_written(store: Store, dataset: Dataset) -> None:
    _fill(store, dataset, _chat("What is 2+2?", "four"), _chat("well-known", "c'est ça"))

    found = {words: _texts(store, dataset, words) for words in ("2+2", "2+2?", "2+3", "well-kno", "ça", "l'a")}

    assert found == {
        "2+2": ["four"],
        "2+2?": ["four"],
        "2+3": [],
        "well-kno": ["c'est ça"],
        "ça": ["c'est ça"],
        "l'a": [],
    }


def test_search_finds_the_text_as_it_stands_not_as_it_was(store: Store, dataset: Dataset) -> None:
    (example,) = _fill(store, dataset, _chat("2+2?", "five"))
    _edit(store, example, "four")

    assert (_texts(store, dataset, "five"), _texts(store, dataset, "four")) == ([], ["four"])


def test_a_deleted_row_comes_back_and_may_be_imported_again(store: Store, dataset: Dataset) -> None:
    (example,) = _fill(store, dataset, _chat("2+2?", "4"))
    content = examples.get_example(store, example)
    changes.edit(store, content, Change(status="deleted"), label="deleted", author="me")

    known_when_deleted = known_hashes(store, dataset.id, [content.sha256])
    batches.undo(store, dataset.id)

    assert known_when_deleted == set()
    assert known_hashes(store, dataset.id, [content.sha256]) == {content.sha256}


def test_lone_surrogates_are_kept_as_they_came(store: Store, dataset: Dataset) -> None:
    (example,) = _fill(store, dataset, _chat("broken \ud800 sign", "ok"))

    assert examples.get_example(store, example).content["messages"][0]["content"] == "broken \ud800 sign"


def test_the_same_content_freezes_to_the_same_version(store: Store, dataset: Dataset) -> None:
    _fill(store, dataset, _chat("2+2?", "4"))
    first = versions.freeze(store, dataset)
    _fill(store, dataset, _chat("3+3?", "6"))
    second = versions.freeze(store, dataset)
    batches.undo(store, dataset.id)

    assert versions.freeze(store, dataset) == first
    assert (first.number, first.rows, second.number, second.rows) == (1, 1, 2, 2)
    assert [row["revision_id"] for row in versions.contents(store, second)] == [1, 2]


def test_an_empty_dataset_cannot_be_frozen(store: Store, dataset: Dataset) -> None:
    with pytest.raises(BadInput, match='Dataset "facts" is empty'):
        versions.freeze(store, dataset)


def test_names_that_do_not_fit_are_refused_in_words(store: Store) -> None:
    with pytest.raises(BadInput, match=r'"\.\./etc" cannot be a name'):
        datasets.create_dataset(store, "../etc", "sft")
    with pytest.raises(NotFound, match='There is no dataset "nope"; there are: none yet'):
        datasets.get_dataset(store, "nope")
    datasets.create_dataset(store, "facts", "sft")
    with pytest.raises(Conflict, match='"facts" holds sft rows and these are preference rows'):
        datasets.ensure_dataset(store, "facts", "preference")
