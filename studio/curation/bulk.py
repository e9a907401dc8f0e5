"""Changes of many rows at once, as one step that can be undone: status, tags, trash.

What is small is done while the person waits; the rest runs as a task of kind "bulk" with progress and cancel. A row
that somebody changes meanwhile stays as that person left it, and the outcome says how many did.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import changes, datasets, finding, tasks
from storage.changes import Change, Progress
from storage.errors import BadInput
from storage.queries import Query
from storage.rows import Dataset, Example
from storage.rows_training import Task
from storage.store import Store
from studio.curation.fields import tags_of
from studio.curation.filters import query_of

AT_ONCE = 2000
"""So many rows are changed while the person waits."""

# Kinds of tasks whose progress stands above the rows.
_WORKING = ("bulk", "freeze", "restore", "fork", "erase")

# What was done, for undo and the list of changes.
_LABELS = {
    "approve": "approved {}", "reject": "rejected {}", "draft": "set {} back to draft", "tag": "tagged {} {}",
    "untag": "removed the tag {1} from {0}", "delete": "moved {} to the trash", "restore": "restored {}",
}  # fmt: skip
_STATUS = {"approve": "approved", "reject": "rejected", "draft": "draft", "delete": "deleted"}


@dataclass(frozen=True)
class Action:
    """What to do: a name of `_LABELS`, tags to add or remove, why rows are rejected."""

    name: str
    tags: tuple[str, ...] = ()
    reason: str | None = None

    @classmethod
    def checked(cls, name: str, tags: Sequence[str] = (), reason: str | None = None) -> "Action":
        """An action that can be carried out; raises BadInput."""
        if name not in _LABELS:
            raise BadInput(f'There is no action "{name}"; there are {", ".join(_LABELS)}.')
        named = tuple(tags_of(list(tags)))
        if name in ("tag", "untag") and not named:
            raise BadInput("Name at least one tag.")
        why = (reason or "").strip()
        if name == "reject" and not why:
            raise BadInput("Say why the rows are rejected, so that others can learn from it.")
        return cls(name, named, why or None)

    def label(self, what: str) -> str:
        """The action in words, "approved {count} examples", in which the number is still to be filled in."""
        tags = ", ".join(f"“{tag}”" for tag in self.tags)
        return _LABELS[self.name].format(what, tags.replace("{", "{{").replace("}", "}}"))


class Outcome(NamedTuple):
    """What a bulk change did. `unchanged`: were so already. `left_out`: somebody changed them meanwhile."""

    action: str
    changed: int
    unchanged: int
    left_out: int
    label: str
    batch: str | None

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        return self._asdict()


def wanted_of(store: Store, filters: Mapping[str, Any] | None, ids: Sequence[str] | None) -> Query | list[str]:
    """The rows that a request names, or those that its filters find; raises BadInput where it says neither or both."""
    if (filters is None) == (not ids):
        raise BadInput("Name the rows, or give the filters that find them.")
    return list(dict.fromkeys(ids)) if ids else query_of(store, filters or {})


def count(store: Store, name: str, wanted: Query | Sequence[str]) -> int:
    """How many rows are meant, exactly."""
    dataset = datasets.get_dataset(store, name)
    return finding.count(store, dataset.id, wanted) if isinstance(wanted, Query) else len(wanted)


def run(
    store: Store,
    name: str,
    wanted: Query | Sequence[str],
    action: Action,
    author: str = "me",
    progress: Progress | None = None,
) -> Outcome:
    """Carry an action out; raises Conflict while another large change of the dataset is being made."""
    dataset = datasets.get_dataset(store, name)
    looked = 0

    def counted(make: Callable[[Example], Change | None]) -> Callable[[Example], Change | None]:
        def make_one(example: Example) -> Change | None:
            nonlocal looked
            looked += 1
            return make(example)

        return make_one

    batch = changes.change(
        store, dataset, wanted, counted(_maker(store, action)), kind=action.name,
        label=action.label(_what(store, dataset, wanted)), author=author, progress=progress,
    )  # fmt: skip
    rows = int(batch.detail["rows"]) if batch else 0
    left_out = int(batch.detail.get("left_out", 0)) if batch else 0
    label = str(batch.detail["label"]) if batch else action.label("nothing").format()
    return Outcome(action.name, rows, looked - rows - left_out, left_out, label, batch.id if batch else None)


def _what(store: Store, dataset: Dataset, wanted: Query | Sequence[str]) -> str:
    """The rows in words; `{count}` is filled in when they have been counted."""
    if isinstance(wanted, Query) or len(wanted) != 1:
        return "{count} examples"
    from storage.examples import read

    found = read(store, wanted)
    return f"example {found[0].number}" if found and found[0].dataset_id == dataset.id else "{count} examples"


def _maker(store: Store, action: Action) -> Callable[[Example], Change | None]:
    """What becomes of one example."""
    if action.name == "tag":
        return lambda example: Change(tags=[*example.tags, *(tag for tag in action.tags if tag not in example.tags)])
    if action.name == "untag":
        return lambda example: Change(tags=[tag for tag in example.tags if tag not in action.tags])
    if action.name == "restore":
        return lambda example: _restored(store, example)
    status = _STATUS[action.name]
    return lambda example: Change(status=status, reason=action.reason)


def _restored(store: Store, example: Example) -> Change | None:
    """What an example in the trash was before it came there."""
    if example.status != "deleted":
        return None
    before = store.one(
        "select c.before_status, p.reason from changes c "
        "left join changes p on p.batch = c.before_change and p.example_id = c.example_id "
        "where c.batch = ? and c.example_id = ? and c.before_status in ('draft', 'approved', 'rejected')",
        [example.change, example.key],
    )
    return Change(status=before["before_status"], reason=before["reason"]) if before else Change(status="draft")


def run_task(store: Store, task: Task) -> dict[str, Any]:
    """A bulk change as a task."""
    payload = task.payload
    action = Action.checked(payload["action"], payload.get("tags") or (), payload.get("reason"))
    wanted = wanted_of(store, payload.get("filters"), payload.get("ids"))
    outcome = run(
        store, payload["dataset"], wanted, action, payload.get("author", "me"),
        progress=lambda fraction, sentence: tasks.advance(store, task.id, fraction, sentence),
    )  # fmt: skip
    return outcome.to_json()


def running_task(
    store: Store, dataset: str, kinds: Sequence[str] = ("bulk", "freeze", "restore", "fork")
) -> str | None:
    """The task that works on the rows of a dataset now, or None."""
    for task in tasks.list_tasks(store):
        if task.kind in _WORKING and task.status in ("queued", "running") and task.payload.get("dataset") == dataset:
            return task.id
    return None
