"""Texts and conversations as rows of continued pretraining."""

import pytest

from storage.datasets import create_dataset
from storage.errors import BadInput
from storage.prompts import content_sha256
from storage.store import Store
from studio.training.shaping_texts import texts

QUESTION = {"role": "user", "content": "Who?"}


def test_texts_and_conversations_become_rows_of_one_shape(store: Store) -> None:
    dataset = create_dataset(store, "pages", "text", "")
    talk = {"messages": [QUESTION, {"role": "assistant", "content": "Me."}]}

    shaped = texts(dataset, [("a", {"text": "Größe."}), ("b", {"text": " "}), ("c", talk)])

    assert [(row["id"], row["text"], row["messages"] is None) for row in shaped.rows] == [
        ("a", "Größe.", True),
        ("c", None, False),
    ]
    assert {tuple(row) for row in shaped.rows} == {("id", "text", "messages", "tools")}
    assert shaped.prompts == {content_sha256([QUESTION])}


def test_a_dataset_without_texts_is_refused_by_name(store: Store) -> None:
    dataset = create_dataset(store, "pages", "text", "")

    with pytest.raises(BadInput, match='No row of dataset "pages" holds a text'):
        texts(dataset, [("a", {"text": ""})])
