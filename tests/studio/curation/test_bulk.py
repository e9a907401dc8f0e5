"""A change of many rows is one step: it says how many it changed, and undo brings all of them back."""

import pytest

from storage import datasets
from storage.errors import BadInput
from storage.store import Store
from studio.curation import browsing, bulk, editing
from studio.curation.bulk import Action, Outcome
from studio.curation.facets import facets
from studio.curation.listing import show
from tests.studio.curation.files import Write, imported


@pytest.fixture
def rows(store: Store, write: Write) -> list[str]:
    """Ten conversations, the even ones tagged; their ids."""
    given = [{"prompt": f"{n}+1?", "completion": str(n + 1), "tags": ["even"] if n % 2 == 0 else []} for n in range(10)]
    imported(store, write("a.jsonl", given))
    return [row.id for row in show(store, "rows", limit=100).rows]


def _do(store: Store, name: str, wanted: list[str] | dict[str, str], **how: object) -> Outcome:
    filters, ids = (None, wanted) if isinstance(wanted, list) else (wanted, None)
    action = Action.checked(name, **how)  # type: ignore[arg-type]
    return bulk.run(store, "rows", bulk.wanted_of(store, filters, ids), action, "ada")


def _statuses(store: Store) -> list[str]:
    return [row.status for row in show(store, "rows", limit=100).rows]


def test_all_that_match_are_approved_and_undo_takes_it_back(store: Store, rows: list[str]) -> None:
    _do(store, "approve", rows[:1])
    wanted = bulk.wanted_of(store, {"tag": "even"}, None)

    counted = bulk.count(store, "rows", wanted)
    done = _do(store, "approve", {"tag": "even"})

    assert counted == 5
    assert done == Outcome("approve", 4, 1, 0, "approved 4 examples", done.batch)
    assert _statuses(store) == ["approved", "draft"] * 5
    editing.undo(store, "rows")
    assert _statuses(store) == ["approved", *["draft"] * 9]


def test_a_rejection_carries_its_reason(store: Store, rows: list[str]) -> None:
    done = _do(store, "reject", rows[:2], reason="  wrong sum ")

    page = browsing.page(store, "rows", {"status": "rejected"})
    assert [(row["number"], row["reason"]) for row in page["rows"]] == [(1, "wrong sum"), (2, "wrong sum")]
    assert (done.changed, page["undo"]) == (2, "rejected 2 examples")


def test_tags_are_added_once_and_removed(store: Store, rows: list[str]) -> None:
    added = _do(store, "tag", [rows[0], rows[1], rows[9]], tags=["{curly}", "even"])
    removed = _do(store, "untag", rows, tags=["even"])

    assert (added.label, removed.label) == (
        "tagged 3 examples “{curly}”, “even”", "removed the tag “even” from 7 examples",
    )  # fmt: skip
    tags = [row.tags for row in show(store, "rows", limit=100).rows]
    assert [n for n, named in enumerate(tags) if named == ["{curly}"]] == [0, 1, 9]
    assert [facet["id"] for facet in facets(store, "rows")["tags"]] == ["{curly}"]


def test_what_is_restored_from_the_trash_is_what_it_was(store: Store, rows: list[str]) -> None:
    _do(store, "approve", rows[:1])
    _do(store, "reject", rows[1:2], reason="unclear")
    _do(store, "delete", rows[:3])
    trash = browsing.page(store, "rows", {"status": "deleted"})

    _do(store, "restore", {"status": "deleted"})

    assert ([row["number"] for row in trash["rows"]], trash["all"]) == ([1, 2, 3], 7)
    found = show(store, "rows", limit=3).rows
    assert [(row.status, row.reason) for row in found] == [
        ("approved", None), ("rejected", "unclear"), ("draft", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "how", "sentence"),
    [
        ("reject", {"reason": " "}, "Say why the rows are rejected"),
        ("tag", {"tags": [" "]}, "Name at least one tag."),
        ("publish", {}, 'There is no action "publish"'),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    store: Store, rows: list[str], action: str, how: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        _do(store, action, rows, **how)

    assert _statuses(store) == ["draft"] * 10
    dataset = datasets.get_dataset(store, "rows")
    assert [change["label"] for change in browsing.changes(store, dataset)] == ["imported 10 rows from a.jsonl"]


def test_rows_are_named_or_found_never_both(store: Store, rows: list[str]) -> None:
    for filters, ids in ((None, None), ({}, rows)):
        with pytest.raises(BadInput, match="Name the rows, or give the filters"):
            bulk.wanted_of(store, filters, ids)
