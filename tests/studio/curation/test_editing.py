"""What is changed by hand can be undone, redone and looked up, and nobody overwrites what they have not seen."""

from typing import Any

import pytest

from storage import datasets
from storage.errors import BadInput, Conflict, NotFound
from storage.rows import Example
from storage.store import Store
from studio.curation import editing
from studio.curation.listing import show
from tests.studio.curation.files import Write, chat, imported, rows_of


@pytest.fixture
def row(store: Store, write: Write) -> Example:
    """The first of three conversations."""
    rows = [{"prompt": f"{n}+1?", "completion": str(n + 1), "tags": ["sums"], "source": "book"} for n in range(3)]
    imported(store, write("a.jsonl", rows))
    return show(store, "rows").rows[0]


def _answers(store: Store) -> list[str]:
    return [messages[-1]["content"] for messages in rows_of(store, "rows", "messages")]


def test_a_saved_change_is_there_and_keeps_tags_and_metadata(store: Store, row: Example) -> None:
    saved = editing.revise(store, "rows", row.id, {"messages": chat("0+1?", "one")}, expected_revision=row.revision_id)

    assert (saved.id, saved.number, saved.tags, saved.author) == (row.id, 1, ["sums"], "me")
    assert saved.content == {"messages": chat("0+1?", "one"), "metadata": {"source": "book"}}
    assert saved.revision_id > row.revision_id
    assert show(store, "rows", search="one").rows == [saved]


def test_saving_what_stands_there_changes_nothing(store: Store, row: Example) -> None:
    again = editing.revise(store, "rows", row.id, dict(row.content), tags=row.tags, expected_revision=row.revision_id)

    assert again == row
    assert editing.steps(store, datasets.get_dataset(store, "rows")).undo == "imported 3 rows from a.jsonl"


def test_who_did_not_see_the_newest_text_does_not_overwrite_it(store: Store, row: Example) -> None:
    editing.revise(store, "rows", row.id, {"messages": chat("0+1?", "hers")}, author="ada")

    with pytest.raises(Conflict, match="This example was changed by ada since you opened it"):
        editing.revise(store, "rows", row.id, {"messages": chat("0+1?", "his")}, expected_revision=row.revision_id)

    assert _answers(store)[0] == "hers"
    assert editing.steps(store, datasets.get_dataset(store, "rows")).undo == "edited example 1"


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("sft", {"messages": []}, "The list of messages is empty."),
    ("sft", {}, "A list of messages is needed here, not nothing"),
    ("sft", {"messages": chat("Hi")}, "There is no assistant turn to learn from."),
    ("sft", {"messages": [*chat("Hi", "Hello"), {"role": "system", "content": "Be brief."}]},
     "Turn 3: The system message stands first"),
    ("sft", {"messages": [{"role": "assistant", "content": "Hi"}]}, "The conversation begins with a user turn."),
    ("sft", {"messages": [*chat("Hi"), {"role": "tool", "content": "4"}]}, "Turn 2: A tool message answers"),
    ("sft", {"messages": chat("Hi", "  ")}, "Turn 2: The assistant message is empty."),
    ("sft", {"messages": [{"role": "boss", "content": "Hi"}]}, 'Turn 1: "boss" is no role'),
    ("prompts", {"prompt": chat("Hi", "Hello")}, "A prompt ends with a user turn."),
    ("preference", {"prompt": chat("Hi"), "chosen": chat("Hi"), "rejected": chat("", "No")[1:]},
     "The answer begins with an assistant turn."),
    ("preference", {"prompt": chat("Hi"), "chosen": chat("", "")[1:], "rejected": chat("", "No")[1:]},
     "Chosen answer, turn 1: The assistant message is empty."),
    ("text", {"text": " \n"}, "The text is empty."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "sentence"), WRONG)
def test_what_no_model_could_learn_from_is_not_saved(
    store: Store, kind: str, content: dict[str, Any], sentence: str
) -> None:
    datasets.create_dataset(store, "rows", kind)

    with pytest.raises(BadInput) as refused:
        editing.add(store, "rows", content)

    assert str(refused.value).startswith(sentence)
    assert rows_of(store) == []


def test_an_example_is_added_at_the_end_and_its_copy_after_it(store: Store, row: Example) -> None:
    added = editing.add(store, "rows", {"messages": chat("9+1?", "10")}, tags=["big", "big", " "])
    copied = editing.duplicate(store, "rows", added.id)

    assert (added.number, added.tags, copied.number) == (4, ["big"], 5)
    assert (copied.content, copied.tags) == (added.content, ["big"])
    assert _answers(store) == ["1", "2", "3", "10", "10"]


def test_a_deleted_example_is_gone_and_undo_brings_it_back(store: Store, row: Example) -> None:
    assert editing.delete(store, "rows", [row.id]) == 1
    with pytest.raises(NotFound, match="it may have been deleted"):
        editing.get(store, "rows", row.id)
    gone = _answers(store)

    undone = editing.undo(store, "rows")

    assert gone == ["2", "3"]
    assert undone is not None and editing.label_of(undone) == "deleted example 1"
    assert _answers(store) == ["1", "2", "3"]


def test_steps_are_undone_and_redone_one_by_one_in_order(store: Store, row: Example) -> None:
    dataset = datasets.get_dataset(store, "rows")
    editing.revise(store, "rows", row.id, {"messages": chat("0+1?", "one")})
    editing.add(store, "rows", {"messages": chat("9+1?", "10")})

    states = []
    for step in (editing.undo, editing.undo, editing.redo, editing.redo, editing.redo):
        step(store, "rows")
        states.append((_answers(store), *editing.steps(store, dataset)))

    assert states == [
        (["one", "2", "3"], "edited example 1", "added example 4"),
        (["1", "2", "3"], "imported 3 rows from a.jsonl", "edited example 1"),
        (["one", "2", "3"], "edited example 1", "added example 4"),
        (["one", "2", "3", "10"], "added example 4", None),
        (["one", "2", "3", "10"], "added example 4", None),
    ]


def test_a_new_change_ends_what_could_be_redone(store: Store, row: Example) -> None:
    editing.revise(store, "rows", row.id, {"messages": chat("0+1?", "one")})
    editing.undo(store, "rows")
    editing.revise(store, "rows", row.id, {"messages": chat("0+1?", "uno")})

    assert editing.redo(store, "rows") is None
    assert _answers(store)[0] == "uno"


def test_history_holds_every_text_with_who_and_what(store: Store, row: Example) -> None:
    editing.revise(store, "rows", row.id, {"messages": chat("0+1?", "one")}, author="ada")
    editing.delete(store, "rows", [row.id])
    editing.undo(store, "rows")

    said = [
        (item["kind"], item["author"], item["state"], item["content"]["messages"][1]["content"])
        for item in editing.history(store, "rows", row.id)
    ]

    assert said == [
        ("import", "me", "published", "1"),
        ("edit", "ada", "published", "one"),
        ("delete", "me", "undone", "one"),
    ]


def test_an_example_of_another_dataset_is_not_found(store: Store, row: Example) -> None:
    datasets.create_dataset(store, "others", "sft")

    for call in (editing.get, editing.history, editing.duplicate):
        with pytest.raises(NotFound, match='Dataset "others" has no example'):
            call(store, "others", row.id)
