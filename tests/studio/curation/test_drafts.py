"""Unsaved changes are kept for each person and example, as they are, until they are saved or given up."""

import pytest

from storage.errors import BadInput, NotFound
from storage.store import Store
from studio.curation import drafts
from tests.studio.curation.files import Write, imported

HALF = {"content": {"messages": [{"role": "assistant", "content": "half \ud83d"}]}, "tags": ["a"]}


@pytest.fixture(autouse=True)
def dataset(store: Store, write: Write) -> None:
    imported(store, write("a.jsonl", [{"prompt": "1+1?", "completion": "2"}]))


def test_what_was_kept_comes_back_as_it_was(store: Store) -> None:
    kept = drafts.keep(store, "rows", "1-1", "ada", "tab", 7, HALF)

    assert drafts.find(store, "rows", "1-1", "ada") == {"revision": 7, "saved_at": kept["saved_at"], **HALF}


def test_each_person_has_their_own(store: Store) -> None:
    drafts.keep(store, "rows", "1-1", "ada", "tab", 7, HALF)
    drafts.keep(store, "rows", "new", "ada", "tab", None, HALF)

    assert drafts.find(store, "rows", "1-1", "bob") is None
    assert drafts.find(store, "rows", "new", "ada") is not None


def test_the_newest_takes_the_place_of_the_one_before(store: Store) -> None:
    drafts.keep(store, "rows", "1-1", "ada", "tab", 7, HALF)
    drafts.keep(store, "rows", "1-1", "ada", "tab", 8, {"content": {"text": "later"}})

    found = drafts.find(store, "rows", "1-1", "ada")
    assert found is not None and (found["revision"], found["content"]) == (8, {"text": "later"})
    assert store.value("select count(*) from drafts") == 1


def test_saving_in_one_window_drops_nothing_of_another(store: Store) -> None:
    drafts.keep(store, "rows", "1-1", "ada", "second", 7, HALF)

    assert drafts.drop(store, "rows", "1-1", "ada", tab="first") is False
    assert drafts.find(store, "rows", "1-1", "ada") is not None
    assert drafts.drop(store, "rows", "1-1", "ada") is True
    assert drafts.find(store, "rows", "1-1", "ada") is None


def test_what_is_no_draft_is_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="A draft holds the content"):
        drafts.keep(store, "rows", "1-1", "ada", "tab", 7, {"tags": []})
    with pytest.raises(NotFound):
        drafts.keep(store, "nowhere", "1-1", "ada", "tab", 7, HALF)
