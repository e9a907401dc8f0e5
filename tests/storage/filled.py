"""Datasets with rows for tests of the store."""

from collections.abc import Sequence
from typing import Any

from storage import batches, datasets, examples
from storage.contents import prepared
from storage.queries import Query
from storage.rows import Dataset
from storage.segments import open_segment
from storage.store import Store


def chat(question: str, answer: str) -> dict[str, Any]:
    """The content of an SFT example."""
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def filled(store: Store, rows: int, name: str = "facts", tags: Sequence[str] = ()) -> Dataset:
    """A dataset of `rows` imported conversations: "question 1", "answer 1" and so on."""
    dataset = datasets.ensure_dataset(store, name, "sft")
    batch = batches.open_batch(store, dataset.id, "import", "ann")
    segment = open_segment(store, dataset.id, batch.number, "ann")
    for start in range(0, rows, 1000):
        places = range(start + 1, min(start + 1000, rows) + 1)
        examples.add_rows(store, segment, [prepared(chat(f"question {n}", f"answer {n}"), tuple(tags)) for n in places])
    batches.publish(store, batch, {"label": f"imported {rows} rows"})
    return dataset


def all_of(store: Store, dataset: Dataset, **wanted: Any) -> list[int]:
    """The numbers of all examples that a query finds, page by page."""
    found, after = [], None
    while True:
        page = examples.page(store, dataset.id, Query(limit=700, after=after, **wanted))
        found += [example.number for example in page.examples]
        if page.next is None:
            return found
        after = page.next
