"""Datasets as named things: renamed, described, deleted and brought back.

A deleted dataset keeps its rows, versions and id, for jobs and models lead back to it; only its name goes: it begins
with a dot, which hides it wherever datasets are named, and leaves the name free for another.
"""

from typing import NamedTuple

from storage.clock import now
from storage.datasets import count_examples
from storage.errors import Conflict, NotFound
from storage.models import checked_name
from storage.rows import Dataset
from storage.store import Store


class Deleted(NamedTuple):
    """A deleted dataset: what it was called, how many examples it holds, and when it was deleted."""

    id: str
    name: str
    kind: str
    rows: int
    deleted_at: float


def rename(store: Store, dataset: Dataset, name: str) -> None:
    """Give a dataset another name; raises Conflict where it is taken, BadInput for what is no name."""
    if name == dataset.name:
        return
    checked_name(name)
    with store.write():
        _refuse_twin(store, name)
        store.execute("update datasets set name = ? where id = ?", [name, dataset.id])


def describe(store: Store, dataset: Dataset, description: str) -> None:
    """Say what a dataset holds."""
    store.execute("update datasets set description = ? where id = ?", [description, dataset.id])


def delete(store: Store, dataset: Dataset) -> None:
    """Take a dataset out of sight, until `restore`."""
    store.execute(
        "update datasets set deleted_name = name, deleted_at = ?, name = '.deleted-' || id "
        "where id = ? and deleted_at is null",
        [now(), dataset.id],
    )


def restore(store: Store, dataset_id: str) -> str:
    """Bring a deleted dataset back and return its name, with a number where another has taken it meanwhile."""
    with store.write():
        row = store.one("select deleted_name from datasets where id = ? and deleted_at is not null", [dataset_id])
        if row is None:
            raise NotFound("This dataset is not among the deleted ones; it may have been brought back already.")
        name = row["deleted_name"]
        number = 1
        while store.value("select 1 from datasets where name = ?", [name]):
            number += 1
            name = f"{row['deleted_name'][:58]}-{number}"
        store.execute(
            "update datasets set name = ?, deleted_name = null, deleted_at = null where id = ?", [name, dataset_id]
        )
    return str(name)


def list_deleted(store: Store) -> list[Deleted]:
    """The deleted datasets, the newest first."""
    rows = store.rows("select * from datasets where deleted_at is not null order by deleted_at desc")
    return [
        Deleted(row["id"], row["deleted_name"], row["kind"], count_examples(store, row["id"]), row["deleted_at"])
        for row in rows
    ]


def _refuse_twin(store: Store, name: str) -> None:
    if store.value("select 1 from datasets where name = ?", [name]):
        raise Conflict(f'A dataset named "{name}" exists already; choose another name.')
