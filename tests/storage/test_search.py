"""Search finds what was said, in step with every change, and mends itself after a crash between its two files."""

import random
from contextlib import closing, suppress
from typing import Any

import pytest

from storage import batches, changes, datasets, examples, indexing, search, search_file, segments
from storage.changes import Change
from storage.contents import prepared
from storage.errors import NotFound
from storage.examples import get_example
from storage.rows import Dataset
from storage.segments import key_of, name_of
from storage.store import Store

WHOLE = (0, 1 << 62)


@pytest.fixture
def notes(store: Store) -> Dataset:
    return datasets.create_dataset(store, "notes", "text")


def _content(text: str) -> dict[str, Any]:
    return {"text": text}


def _add(store: Store, notes: Dataset, text: str) -> str:
    return changes.add(store, notes, prepared(_content(text)), "ann")


def _found(store: Store, words: str) -> list[str]:
    return [name_of(key) for key in search.matching(store, words, *WHOLE)]


def _edit(store: Store, example_id: str, text: str) -> None:
    changes.edit(store, get_example(store, example_id), Change(_content(text)), label="edited", author="ann")


def _sound(store: Store) -> bool:
    """Whether FTS5 itself finds its file in order; it raises where it does not."""
    with closing(search_file.connect(store.home.search)) as conn:
        conn.execute("insert into words (words) values ('integrity-check')")
        return conn.execute("pragma integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("tall tree", '"tall" "tree"*'),
        ("tall tree ", '"tall" "tree"'),
        ("tr", '"tr"'),
        ('"tall tree" in', '"tall tree" "in"'),
        ('say "tall tr', '"say" "tall tr"'),
        ("don't", '"don\'t"'),
        ("NEAR(a OR b) -c*", '"NEAR(a" "OR" "b)" "-c*"'),
        ("高血压", '"高  血  压"'),
        ("?! --", ""),
        ("", ""),
    ],
)
def test_what_is_typed_becomes_words_phrases_and_a_beginning(typed: str, asked: str) -> None:
    assert search.match(typed) == asked


def test_all_words_must_occur_the_last_one_as_a_beginning_and_quoted_ones_side_by_side(
    store: Store, notes: Dataset
) -> None:
    first = _add(store, notes, "The tall tree stands in Gießen.")
    second = _add(store, notes, "A tree, tall and old: Bäume.")

    assert _found(store, "tall tree") == [first, second]
    assert _found(store, '"tall tree"') == [first]
    assert _found(store, "tall sta") == [first]
    assert _found(store, "sta tall") == []
    assert _found(store, "TREE baume") == [second]
    assert _found(store, "tree oak") == []


def test_scripts_without_spaces_are_found_by_any_run_of_signs(store: Store, notes: Dataset) -> None:
    found = _add(store, notes, "患者有高血压病史")
    _add(store, notes, "高度紧张，血压正常")

    assert _found(store, "高血压") == [found]


def test_only_the_range_that_is_asked_for_is_searched(store: Store, notes: Dataset) -> None:
    ids = [_add(store, notes, f"tree {number}") for number in range(5)]

    assert list(search.matching(store, "tree", key_of(ids[1]), key_of(ids[3]))) == [key_of(one) for one in ids[1:4]]


def test_an_edit_takes_the_old_words_out_and_brings_the_new_ones(store: Store, notes: Dataset) -> None:
    example = _add(store, notes, "an oak")

    _edit(store, example, "an elm")

    assert (_found(store, "oak"), _found(store, "elm")) == ([], [example])
    assert store.value("select count(*) from search_due") == 0


def test_an_edit_that_the_index_missed_is_made_good_by_the_next_one(store: Store, notes: Dataset) -> None:
    first, second = _add(store, notes, "an oak"), _add(store, notes, "a pine")
    with closing(search_file.connect(store.home.search)) as other:
        other.execute("begin immediate")  # as an import does for seconds
        _edit(store, first, "an elm")
        assert store.value("select count(*) from search_due") == 1
        other.execute("rollback")

    _edit(store, second, "a larch")

    assert (_found(store, "oak"), _found(store, "elm"), _found(store, "larch")) == ([], [first], [second])


def test_a_crash_after_the_index_was_written_writes_nothing_twice(store: Store, notes: Dataset) -> None:
    example = _add(store, notes, "an oak")
    _edit(store, example, "an elm")
    revision = store.value("select min(id) from revisions")
    store.execute("insert into search_due values (?, ?)", [key_of(example), revision])

    assert search.catch_up(store)
    _edit(store, example, "a pine")

    assert (_found(store, "oak"), _found(store, "elm"), _found(store, "pine")) == ([], [], [example])
    assert _sound(store)


def test_an_index_that_was_deleted_is_filled_again(store: Store, notes: Dataset) -> None:
    ids = [_add(store, notes, f"tree {number}") for number in range(3)]
    _edit(store, ids[1], "a bush")
    store.home.search.unlink()

    assert indexing.missing(store) == 3
    assert indexing.fill(store) == 3
    assert (_found(store, "tree"), _found(store, "bush"), indexing.missing(store)) == ([ids[0], ids[2]], [ids[1]], 0)
    _edit(store, ids[1], "a shrub")
    _edit(store, ids[0], "a hedge")
    assert (_found(store, "tree"), _found(store, "bush"), _found(store, "shrub")) == ([ids[2]], [], [ids[1]])


def test_a_broken_index_is_made_anew(store: Store, notes: Dataset) -> None:
    example = _add(store, notes, "an oak")
    store.home.search.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    for ending in ("-wal", "-shm"):
        store.home.search.with_name(f"search.db{ending}").unlink(missing_ok=True)

    indexing.rebuild(store)

    assert _found(store, "oak") == [example]


def test_words_are_forgotten_before_a_text_is_erased(store: Store, notes: Dataset) -> None:
    example, other = _add(store, notes, "my number is 5551234"), _add(store, notes, "an oak")

    search.forget(store, [key_of(example)])

    assert (_found(store, "5551234"), _found(store, "oak")) == ([], [other])
    assert b"5551234" not in store.home.search.read_bytes()
    assert _sound(store)


def test_the_words_of_an_import_that_was_given_up_go_with_its_rows(store: Store, notes: Dataset) -> None:
    batch = batches.open_batch(store, notes.id, "import", "ann")
    segment = segments.open_segment(store, notes.id, batch.number, "ann")
    indexer = indexing.Indexer(store.home, segment.number)
    rows = [prepared(_content(f"tree {number}")) for number in range(2500)]
    for start in range(0, 2500, 1000):
        part = rows[start : start + 1000]
        examples.add_rows(store, segment, part)
        indexer.add([f"tree {number}" for number in range(start, start + len(part))])
    indexer.close()
    assert len(_found(store, "tree")) == 2500

    batches.drop(store, batch)

    assert _found(store, "tree") == []
    assert store.value("select count(*) from examples") == 0
    assert _sound(store)


def test_an_import_goes_on_where_the_index_cannot_be_written(store: Store, notes: Dataset) -> None:
    store.home.search.mkdir()  # what no database can be opened as
    batch = batches.open_batch(store, notes.id, "import", "ann")
    segment = segments.open_segment(store, notes.id, batch.number, "ann")
    indexer = indexing.Indexer(store.home, segment.number)
    for number in range(20):
        examples.add_rows(store, segment, [prepared(_content(f"oak {number}"))])
        indexer.add([f"oak {number}"])
    indexer.close()
    batches.publish(store, batch)
    store.home.search.rmdir()

    assert indexer.failure is not None
    assert (indexing.missing(store), indexing.fill(store)) == (20, 20)
    assert len(_found(store, "oak")) == 20


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_search_finds_what_stands_there(store: Store, notes: Dataset, seed: int) -> None:
    chance = random.Random(seed)
    words = ["oak", "elm", "pine", "larch", "yew", "ash", "fir"]
    ids = [_add(store, notes, " ".join(chance.choices(words, k=3))) for _ in range(12)]
    for _ in range(40):
        act = chance.random()
        if act < 0.6:
            with suppress(NotFound):  # one whose adding was undone
                _edit(store, chance.choice(ids), " ".join(chance.choices(words, k=3)))
        elif act < 0.8:
            batches.undo(store, notes.id)
            search.catch_up(store)
        elif act < 0.9:
            batches.redo(store, notes.id)
            search.catch_up(store)
        else:
            store.home.search.unlink()
            indexing.fill(store)

    search.catch_up(store)
    for word in words:
        standing = [
            name_of(row["id"])
            for row in store.rows("select e.id, r.content from examples e join revisions r on r.id = e.revision_id")
            if word in row["content"]
        ]
        assert sorted(_found(store, f"{word} ")) == sorted(standing), word
    assert _sound(store)
