"""Comments: read by all, changed by who wrote them, and removal can be undone."""

import pytest

from storage.errors import BadInput, NotFound, Refused
from storage.rows import Example
from storage.store import Store
from studio.curation import comments
from studio.curation.listing import show
from tests.studio.curation.files import Write, imported


@pytest.fixture
def rows(store: Store, write: Write) -> list[Example]:
    imported(store, write("a.jsonl", [{"prompt": f"{n}+1?", "completion": str(n + 1)} for n in range(2)]))
    return show(store, "rows").rows


def _texts(store: Store, row: Example, reader: str = "ada") -> list[tuple[str, str, bool]]:
    return [
        (item["author"], item["text"], item["mine"]) for item in comments.list_comments(store, "rows", row.id, reader)
    ]


def test_a_comment_is_read_by_all_and_stays_with_its_example(store: Store, rows: list[Example]) -> None:
    comments.add(store, "rows", rows[0].id, " Is this right? ", "ada")
    comments.add(store, "rows", rows[0].id, "It is.", "bob")

    assert _texts(store, rows[0]) == [("ada", "Is this right?", True), ("bob", "It is.", False)]
    assert _texts(store, rows[1]) == []


def test_its_author_changes_removes_and_brings_it_back(store: Store, rows: list[Example]) -> None:
    made = comments.add(store, "rows", rows[0].id, "Rong", "ada")

    changed = comments.edit(store, "rows", rows[0].id, made.id, "Wrong", "ada")
    comments.remove(store, "rows", rows[0].id, made.id, "ada")
    gone = _texts(store, rows[0])
    comments.restore(store, "rows", rows[0].id, made.id, "ada")

    assert changed.edited_at is not None and changed.created_at == made.created_at
    assert (gone, _texts(store, rows[0])) == ([], [("ada", "Wrong", True)])


def test_nobody_changes_what_somebody_else_wrote(store: Store, rows: list[Example]) -> None:
    made = comments.add(store, "rows", rows[0].id, "Mine", "ada")

    with pytest.raises(Refused, match="written by ada; only they can change or remove it"):
        comments.edit(store, "rows", rows[0].id, made.id, "Yours", "bob")
    with pytest.raises(Refused):
        comments.remove(store, "rows", rows[0].id, made.id, "bob")

    assert _texts(store, rows[0]) == [("ada", "Mine", True)]


def test_a_comment_is_reached_under_its_own_example_only(store: Store, rows: list[Example]) -> None:
    made = comments.add(store, "rows", rows[0].id, "Mine", "ada")

    with pytest.raises(NotFound, match="This comment is gone"):
        comments.edit(store, "rows", rows[1].id, made.id, "Moved", "ada")


@pytest.mark.parametrize(("text", "sentence"), [(" \n", "is empty"), ("x" * 10_001, "has 10,001 characters")])
def test_an_empty_or_endless_comment_is_refused(store: Store, rows: list[Example], text: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        comments.add(store, "rows", rows[0].id, text, "ada")

    assert _texts(store, rows[0]) == []


def test_half_a_character_becomes_a_sign_that_can_be_stored(store: Store, rows: list[Example]) -> None:
    comments.add(store, "rows", rows[0].id, "half \ud83d", "ada")

    assert _texts(store, rows[0]) == [("ada", "half ?", True)]


def test_what_was_removed_long_ago_is_gone_for_good(store: Store, rows: list[Example]) -> None:
    made = comments.add(store, "rows", rows[0].id, "secret", "ada")
    comments.remove(store, "rows", rows[0].id, made.id, "ada")
    store.execute("update comments set removed_at = removed_at - 90000")

    comments.add(store, "rows", rows[0].id, "Another", "ada")

    assert store.rows("select text from comments") == [{"text": "Another"}]
