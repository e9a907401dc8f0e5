"""Filters written as an address writes them become a query, or a sentence that names what cannot be read."""

from datetime import datetime
from typing import Any

import pytest

from storage.errors import BadInput
from storage.queries import Query
from storage.store import Store
from studio.curation.filters import query_of
from studio.curation.listing import show
from tests.studio.curation.files import Write, imported


def test_every_filter_has_its_place_in_the_query(store: Store) -> None:
    given: dict[str, Any] = {
        "search": " cats ", "status": "draft,approved", "tag": ["a", "b", "a"], "split": "train", "role": "tool",
        "chars": "10-200", "turns": "-3", "source": "x", "finding": "empty", "author": "ada",
        "since": "2026-01-31", "until": ["2026-02-01"],
    }  # fmt: skip

    query = query_of(store, given, sort="-chars", limit=50, offset=100)

    until = datetime(2026, 2, 2).timestamp()
    assert query == Query(
        search="cats", status=["draft", "approved"], tags=["a", "b"], roles=["tool"], chars=(10, 200),
        turns=(None, 3), source="x", finding="empty", author="ada", since=datetime(2026, 1, 31).timestamp(),
        until=query.until, split="train", sort="-chars", limit=50, offset=100,
    )  # fmt: skip
    assert query.until == pytest.approx(until, abs=0.001) and query.until < until


@pytest.mark.parametrize(
    ("text", "limits"), [("10-200", (10, 200)), ("10-", (10, None)), ("-200", (None, 200)), ("7", (7, 7)), ("", None)]
)
def test_a_range_may_be_open_on_either_side(
    store: Store, text: str, limits: tuple[int | None, int | None] | None
) -> None:
    assert query_of(store, {"chars": text}).chars == limits


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"chars": "long"}, 'The filter chars is a range such as "10-200", "10-" or "-200", not "long".'),
        ({"turns": "9-2"}, "The filter turns goes from 9 to 2; the first number must not be the larger one."),
        ({"since": "yesterday"}, 'The filter since is a day such as "2026-01-31", not "yesterday".'),
        ({"status": "good"}, '"good" is no status; there are draft, approved, rejected, deleted.'),
        ({"split": "test"}, '"test" is no split; there are train, measure.'),
        ({"tokens": "10-"}, "Say whose tokens are counted"),
        ({"color": "red"}, 'There is no filter "color"; there are search, status'),
    ],
)
def test_what_cannot_be_read_is_named(store: Store, given: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        query_of(store, given)

    assert str(caught.value).startswith(sentence)


def test_rows_are_shown_by_filters_and_in_order(store: Store, write: Write) -> None:
    rows = [{"prompt": f"Question {n}", "completion": "x" * n, "tags": ["odd" if n % 2 else "even"]} for n in range(6)]
    rows[0]["completion"] = "none"
    imported(store, write("a.jsonl", rows))

    found = show(store, "rows", filters={"tag": ["odd"]}, sort="-chars")

    assert [row.content["messages"][-1]["content"] for row in found.rows] == ["xxxxx", "xxx", "x"]
    assert found.total == 3
