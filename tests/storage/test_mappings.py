"""A mapping is offered for files with the same columns, the newest one, and old ones go."""

from storage import mappings
from storage.store import Store

MAPPING = {"frage": "prompt", "antwort": "answer"}


def test_a_mapping_is_recalled_by_the_columns_in_any_order(store: Store) -> None:
    mappings.remember(store, ["frage", "antwort", "id"], MAPPING, "german")

    found = mappings.recall(store, ["id", "antwort", "frage"])

    assert found is not None and (found.mapping, found.dataset) == (MAPPING, "german")
    assert mappings.recall(store, ["frage", "antwort"]) is None


def test_the_newest_mapping_of_the_same_columns_counts(store: Store) -> None:
    mappings.remember(store, ["a", "b"], {"a": "prompt"}, "one")
    mappings.remember(store, ["a", "b"], {"a": "text"}, "two")

    found = mappings.recall(store, ["a", "b"])

    assert found is not None and (found.mapping, found.dataset) == ({"a": "text"}, "two")
    assert store.value("select count(*) from mappings") == 1


def test_only_so_many_are_kept(store: Store) -> None:
    for number in range(503):
        mappings.remember(store, [f"column {number}"], {f"column {number}": "text"}, "rows")

    assert store.value("select count(*) from mappings") == 500
    assert mappings.recall(store, ["column 0"]) is None
    assert mappings.recall(store, ["column 502"]) is not None
