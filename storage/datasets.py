"""Datasets: named lists of examples of one kind."""

from typing import NamedTuple

from storage import finding
from storage.clock import new_id, now
from storage.errors import BadInput, Conflict, NotFound
from storage.models import checked_name
from storage.queries import Query
from storage.rows import KINDS, Dataset
from storage.store import Store

# Those that an import has not published yet are hidden: their names begin with a dot.
_NAMES = "select name from datasets where name not like '.%' order by name"


class DatasetCount(NamedTuple):
    """A dataset and how many examples it holds now."""

    dataset: Dataset
    rows: int


def create_dataset(store: Store, name: str, kind: str, description: str = "") -> Dataset:
    """Create an empty dataset; raises Conflict where the name is taken, BadInput for an unknown kind."""
    checked_name(name)
    if kind not in KINDS:
        raise BadInput(f'A dataset\'s kind is one of {", ".join(KINDS)}, not "{kind}".')
    with store.write():
        refuse_taken(store, name)
        row = {"id": new_id(), "name": name, "kind": kind, "description": description, "created_at": now()}
        store.insert("datasets", row)
    return Dataset.from_row(row)


def refuse_taken(store: Store, name: str) -> None:
    """Raise Conflict where a name is taken, BadInput for what is no name."""
    checked_name(name)
    if store.value("select 1 from datasets where name = ?", [name]):
        raise Conflict(f'A dataset named "{name}" exists already; choose another name.')


def get_dataset(store: Store, reference: str) -> Dataset:
    """A dataset by name or id; raises NotFound with the names there are."""
    row = store.one("select * from datasets where name = ? or id = ?", [reference, reference])
    if row is None:
        names = ", ".join(item["name"] for item in store.rows(_NAMES)) or "none yet"
        raise NotFound(f'There is no dataset "{reference}"; there are: {names}.')
    return Dataset.from_row(row)


def ensure_dataset(store: Store, name: str, kind: str) -> Dataset:
    """The dataset of that name, created if absent; raises Conflict where it holds another kind."""
    if not store.value("select 1 from datasets where name = ?", [name]):
        return create_dataset(store, name, kind)
    dataset = get_dataset(store, name)
    if dataset.kind != kind:
        raise Conflict(
            f'Dataset "{name}" holds {dataset.kind} rows and these are {kind} rows; import them into another dataset.'
        )
    return dataset


def find_dataset(store: Store, reference: str) -> Dataset | None:
    """A dataset by name or id, or None."""
    row = store.one("select * from datasets where name = ? or id = ?", [reference, reference])
    return Dataset.from_row(row) if row else None


def begin_dataset(store: Store, kind: str) -> Dataset:
    """A dataset that nobody sees until `reveal_dataset`: its name begins with a dot, which no name may."""
    dataset_id = new_id()
    row = {"id": dataset_id, "name": f".{dataset_id}", "kind": kind, "description": "", "created_at": now()}
    store.insert("datasets", row)
    return Dataset.from_row(row)


def reveal_dataset(store: Store, dataset_id: str, name: str) -> None:
    """Give a dataset begun in hiding its name; does nothing to others. Raises Conflict where the name is taken."""
    with store.write():
        if not str(store.value("select name from datasets where id = ?", [dataset_id])).startswith("."):
            return
        if store.value("select 1 from datasets where name = ?", [name]):
            raise Conflict(f'A dataset named "{name}" was made meanwhile; import again to add to it.')
        store.execute("update datasets set name = ? where id = ?", [name, dataset_id])


def list_datasets(store: Store) -> list[DatasetCount]:
    """Datasets with their counts, oldest first."""
    rows = store.rows("select * from datasets where name not like '.%' order by created_at, id")
    return [DatasetCount(Dataset.from_row(row), count_examples(store, row["id"])) for row in rows]


def count_examples(store: Store, dataset_id: str, status: tuple[str, ...] = ()) -> int:
    """How many examples a dataset holds now: all but the trash, or those of these statuses."""
    return finding.count(store, dataset_id, Query(status=status))
