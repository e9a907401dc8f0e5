"""Mending what a check found, in all rows at once: one change, which can be undone like any other."""

from typing import Any, NamedTuple

from storage import changes, findings
from storage.errors import BadInput, NotFound
from storage.queries import Query
from storage.rows import Batch, Dataset, Example
from storage.store import Store
from studio.curation.checks import registry
from studio.curation.checks.check import TRASH, Check
from studio.curation.checks.running import look_at_rows


class Mended(NamedTuple):
    """How many rows were mended, and as which change; `left` have the finding still and need a person."""

    check: str
    mended: int
    left: int
    batch: Batch | None

    def to_json(self) -> dict[str, Any]:
        """`batch`: the id by which it can be undone."""
        label = self.batch.detail.get("label") if self.batch else None
        left_out = self.batch.detail.get("left_out", 0) if self.batch else 0
        return {"check": self.check, "mended": self.mended, "left": self.left, "left_out": left_out,
                "batch": self.batch.id if self.batch else None, "label": label}  # fmt: skip


def mend(
    store: Store,
    dataset: Dataset,
    name: str,
    author: str,
    progress: changes.Progress | None = None,
    look_again: bool = True,
) -> Mended:
    """Mend all rows of a dataset in which a check found something; raises BadInput where that needs a person.

    `look_again`: run the checks of single rows on the new texts, too; the web leaves that to a task, for its memory.
    """
    check = mendable(store, name)

    def make(example: Example) -> changes.Change | None:
        return _change(store, check, example)

    batch = changes.change(
        store, dataset, Query(finding=name), make, kind="mend", author=author, progress=progress,
        label=f'mended "{check.title.lower()}" in {{count}} rows',
    )  # fmt: skip
    if look_again:
        look_at_rows(store, dataset)
    left = findings.tally(store, dataset.id, name, most=0).total
    return Mended(name, int(batch.detail["rows"]) if batch else 0, left, batch)


def mend_example(store: Store, dataset: Dataset, name: str, example_id: str, author: str) -> Mended:
    """Mend one row; nothing is looked at again."""
    check = mendable(store, name)
    batch = changes.change(
        store, dataset, [example_id], lambda example: _change(store, check, example), kind="mend", author=author,
        label=f'mended "{check.title.lower()}" in one row',
    )  # fmt: skip
    return Mended(name, 1 if batch else 0, 0 if batch else 1, batch)


def mendable(store: Store, name: str) -> Check:
    """A check by name that has a mend; raises NotFound and BadInput."""
    known = registry.checks(store.home.path)
    if name not in known:
        raise NotFound(f'There is no check "{name}"; there are {", ".join(known)}.')
    if known[name].mend is None:
        raise BadInput(f'"{known[name].title}" has no safe mend; look at the rows: {known[name].advice}')
    return known[name]


def _change(store: Store, check: Check, example: Example) -> changes.Change | None:
    """What mending makes of an example, if the finding is about the text that stands there."""
    detail = findings.detail_of(store, check.name, example.key, example.revision_id)
    if detail is None or check.mend is None:
        return None
    made = check.mend(example.content, detail)
    if made == TRASH:
        return changes.Change(status="deleted")
    return changes.Change(content=made) if isinstance(made, dict) else None
