"""What a query finds is what looking at every example would find, whatever leads to it: index, places, blocks."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from storage import batches, changes, datasets, examples, finding, indexing, search_file
from storage.changes import Change
from storage.contents import prepared
from storage.errors import BadInput
from storage.queries import Query
from storage.rows import Dataset, Example
from storage.segments import open_segment
from storage.store import Store
from tests.storage.filled import all_of, chat

pytestmark = pytest.mark.heavy

ROWS = 2100

Fits = Callable[[Example], bool]


def _content(chance: Random, number: int) -> dict[str, Any]:
    words = [chance.choice(("gnu", "bee", "cat")) for _ in range(chance.choice((1, 2, 3, 40)))]
    content = chat(f"question {number}", " ".join(words))
    if chance.random() < 0.1:
        content["messages"].insert(0, {"role": "system", "content": "Be brief."})
    return content


@pytest.fixture
def dataset(store: Store) -> Dataset:
    """Two imports with another dataset's between them, rows by hand, and changes of every kind."""
    chance = Random(1)
    other = datasets.create_dataset(store, "other", "sft")
    dataset = datasets.create_dataset(store, "rows", "sft")
    for place, author, count in ((dataset, "ann", ROWS), (other, "ann", 50), (dataset, "bob", 300)):
        batch = batches.open_batch(store, place.id, "import", author)
        segment = open_segment(store, place.id, batch.number, author)
        rows = [prepared(_content(chance, n), ("odd",) if n % 2 else ("even", "tens") if n % 10 == 0 else ())
                for n in range(count)]  # fmt: skip
        for start in range(0, count, 1000):
            examples.add_rows(store, segment, rows[start : start + 1000])
        batches.publish(store, batch)
    indexing.fill(store)
    changes.add(store, dataset, prepared(chat("by hand", "dog"), ("odd",)), "cyd")

    def make(example: Example) -> Change | None:
        lot = example.number % 100
        if lot == 7:
            return Change(status="deleted")
        if lot == 8:
            return Change(status="rejected", reason="no")
        if lot == 9:
            return Change(content=chat("changed", "eel " * 60), tags=["odd", "mended"])
        return Change(status="approved") if lot > 80 else None

    changes.change(store, dataset, Query(), make, kind="bulk", label="changed", author="dan")
    return dataset


def _live(example: Example) -> bool:
    return example.status != "deleted"


def _said(example: Example) -> str:
    return str(example.content)


WANTED: list[tuple[Query, Fits]] = [
    (Query(), _live),
    (Query(status=["approved"]), lambda row: row.status == "approved"),
    (Query(status=["draft"]), lambda row: row.status == "draft"),
    (Query(status=["rejected", "approved"]), lambda row: row.status in ("rejected", "approved")),
    (Query(status=["deleted"]), lambda row: row.status == "deleted"),
    (Query(tags=["odd"]), lambda row: _live(row) and "odd" in row.tags),
    (Query(tags=["odd", "mended"]), lambda row: _live(row) and "mended" in row.tags),
    (Query(tags=["odd"], status=["deleted"]), lambda row: row.status == "deleted" and "odd" in row.tags),
    (Query(tags=["even"], status=["approved"]), lambda row: row.status == "approved" and "even" in row.tags),
    (Query(tags=["none"]), lambda row: False),
    (Query(roles=["system"]), lambda row: _live(row) and "Be brief." in _said(row)),
    (Query(roles=["tool"]), lambda row: False),
    (Query(chars=(150, None)), lambda row: _live(row) and row.chars >= 150),
    (Query(chars=(None, 15), turns=(2, 2)), lambda row: _live(row) and row.chars <= 15 and row.turns == 2),
    (Query(split="measure"), lambda row: _live(row) and row.split == "measure"),
    (Query(author="bob"), lambda row: _live(row) and row.author == "bob"),
    (Query(author="dan"), lambda row: _live(row) and row.author == "dan"),
    (Query(author="nobody"), lambda row: False),
    (Query(search="eel"), lambda row: _live(row) and "eel" in _said(row)),
    (Query(search="dog"), lambda row: _live(row) and "dog" in _said(row)),
    (Query(search="gnu bee"), lambda row: _live(row) and "gnu" in _said(row) and "bee" in _said(row)),
    (Query(search="question ca", tags=["tens"]), lambda row: False),
    (Query(search="cat", tags=["mended"]), lambda row: False),
    (Query(search="eel", tags=["mended"]), lambda row: _live(row) and "eel" in _said(row)),
    (Query(search="gnu", tags=["odd"], status=["approved"]),
     lambda row: row.status == "approved" and "odd" in row.tags and "gnu" in _said(row)),
]  # fmt: skip

VALUES: dict[str, Callable[[Example], tuple[float, int]]] = {
    "number": lambda row: (row.number, row.number),
    "chars": lambda row: (row.chars, row.number),
    "turns": lambda row: (row.turns, row.number),
    "changed": lambda row: (row.revised_at, row.number),
}


def _every(store: Store, dataset: Dataset) -> list[Example]:
    keys = [row["id"] for row in store.rows(
        "select e.id from examples e join segments s on s.number = e.id >> 32 where s.dataset_id = ? "
        "and s.state = 'visible' and e.status != 'absent'", [dataset.id],
    )]  # fmt: skip
    return examples.read_keys(store, keys)


def _expected(every: list[Example], fits: Fits, sort: str) -> list[int]:
    value = VALUES[sort.removeprefix("-")]
    return [row.number for row in sorted(filter(fits, every), key=value, reverse=sort.startswith("-"))]


@pytest.mark.parametrize("state", ["settled", "unsettled"])
def test_every_query_finds_what_looking_at_every_row_finds_in_every_order(
    store: Store, dataset: Dataset, state: str
) -> None:
    if state == "unsettled":  # a large change is taken back by one write, and not yet copied into the rows
        changes.change(
            store, dataset, Query(), lambda row: Change(status="rejected", reason="all", tags=["all"]),
            kind="bulk", label="all", author="eve",
        )  # fmt: skip
        batches.undo(store, dataset.id)
    every = _every(store, dataset)

    for query, fits in WANTED:
        for sort in ("number", "-number", "chars", "-chars", "turns", "-turns", "changed", "-changed"):
            asked = replace(query, sort=sort)
            expected = _expected(every, fits, sort)
            page = examples.page(store, dataset.id, replace(asked, limit=60, offset=30))
            told = f"{asked}"
            assert [row.number for row in page.examples] == expected[30:90], told
            assert page.total == len(expected) or (not page.exact and page.total < len(expected)), told
            if sort in ("number", "-chars"):
                assert all_of(store, dataset, **_filters(asked)) == expected, told
        assert datasets.count_examples(store, dataset.id) == len(list(filter(_live, every)))
        expected = _expected(every, fits, "number")
        assert finding.count(store, dataset.id, query) == len(expected)
        assert [row.number for row in examples.stream(store, dataset.id, query)] == expected


def _filters(query: Query) -> dict[str, Any]:
    names = ("search", "status", "tags", "roles", "chars", "turns", "split", "author", "sort")
    return {name: getattr(query, name) for name in names}


def test_an_import_and_a_time_can_be_asked_for(store: Store, dataset: Dataset) -> None:
    imports = [batch for batch in reversed(batches.list_batches(store, dataset.id)) if batch.kind == "import"]
    change = batches.list_batches(store, dataset.id)[0]

    assert finding.count(store, dataset.id, Query(source=imports[1].id)) == 297
    assert finding.count(store, dataset.id, Query(source="nothing")) == 0
    assert finding.count(store, dataset.id, Query(since=change.created_at, status=["rejected"])) == 24
    assert finding.count(store, dataset.id, Query(until=imports[0].created_at - 1)) == 0


def test_how_many_stand_before_a_row(store: Store, dataset: Dataset) -> None:
    for wanted in (Query(), Query(tags=["odd"]), Query(split="measure"), Query(search="gnu")):
        rows = list(examples.stream(store, dataset.id, wanted))
        assert examples.count_before(store, rows[-1], wanted) == len(rows) - 1
        assert examples.count_before(store, rows[40], wanted) == 40


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (Query(status=["done"]), '"done" is no status; there are draft, approved, rejected, deleted.'),
        (Query(roles=["boss"]), '"boss" is no role'),
        (Query(sort="size"), '"size" is no order'),
        (Query(split="eval"), '"eval" is no split'),
        (Query(tokens=(1, None)), "Say whose tokens are counted"),
        (Query(sort="chars", after="x~1-1"), '"x~1-1" is no place in a sorted list'),
    ],
)
def test_unknown_words_are_refused_in_a_sentence(store: Store, dataset: Dataset, query: Query, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        examples.page(store, dataset.id, query)

    assert str(refused.value).startswith(sentence)


def test_findings_and_tokens_count_for_the_text_that_they_were_made_for(store: Store, dataset: Dataset) -> None:
    first, second = examples.page(store, dataset.id, Query(limit=2)).examples
    for row in (first, second):
        store.execute(
            "insert into findings (check_name, example_id, revision_id, severity, detail) "
            "values ('empty', ?, ?, 'bad', '{}')",
            [row.key, row.revision_id],
        )
        store.execute("insert into tokens values ('t', ?, ?)", [row.revision_id, 10 * row.number])

    wanted = (Query(finding="empty"), Query(tokens=(15, None), tokenizer="t"), Query(tokens=(None, 15), tokenizer="t"))
    before = [all_keys(store, dataset, query) for query in wanted]
    changes.edit(store, second, Change(chat("another", "text")), label="edited", author="ann")
    after = [all_keys(store, dataset, query) for query in wanted]

    assert before == [[first.key, second.key], [second.key], [first.key]]
    assert after == [[first.key], [], [first.key]]


def all_keys(store: Store, dataset: Dataset, query: Query) -> list[int]:
    """The keys that a query finds, in each of two orders the same."""
    found = [key for part in finding.keys(store, dataset.id, query) for key in part]
    largest = finding.page(store, dataset.id, replace(query, sort="-chars")).keys
    assert sorted(largest) == found
    return found


def test_words_that_the_index_does_not_hold_yet_are_found_in_the_text(store: Store, dataset: Dataset) -> None:
    rows = list(examples.stream(store, dataset.id, Query(search="gnu")))
    with closing(search_file.connect(store.home.search)) as importing:
        importing.execute("begin immediate")  # as a long import does: the change does not wait for the index
        for row in (rows[3], rows[5]):
            changes.edit(store, row, Change(chat("now", "yak gnu")), label="edited", author="me")
        changes.edit(store, rows[7], Change(chat("now", "none of them")), label="edited", author="me")
        importing.execute("rollback")
    standing = [row.number for row in rows if row.number != rows[7].number]

    assert store.value("select count(*) from search_due") == 3
    assert all_of(store, dataset, search="yak") == [rows[3].number, rows[5].number]
    assert all_of(store, dataset, search="yak", sort="-number") == [rows[5].number, rows[3].number]
    assert all_of(store, dataset, search="yak", sort="changed") == [rows[3].number, rows[5].number]
    assert all_of(store, dataset, search="gnu") == standing
    assert all_of(store, dataset, search="gnu", sort="-number") == standing[::-1]
