"""Examples: rows of a dataset as they stand, and the writing of new ones.

`examples` is slim and holds the current state of each row; texts are revisions, which are only ever added.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import finding, search, segments
from storage.clock import now
from storage.contents import Prepared, prepared
from storage.errors import NotFound
from storage.queries import Query
from storage.rows import LIVE, Batch, Example, Segment
from storage.segments import key_of, name_of
from storage.settling import Pane, overlay, pane
from storage.store import Store

_CHUNK = 1000

_INSERT_REVISION = "insert into revisions (id, example_id, content, author, created_at) values (?, ?, ?, ?, ?)"
_INSERT = """insert into examples (id, revision_id, turns, chars, roles, split, status, tags, prompt_key, sha256)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
# Neighbours in blocks of 1,024 with the extremes of each: a filter skips blocks that cannot hold what it wants.
_ZONES = """insert into zones (number, chars_low, chars_high, turns_low, turns_high, roles)
values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (number) do update set chars_low = min(chars_low, ?2),
chars_high = max(chars_high, ?3), turns_low = min(turns_low, ?4), turns_high = max(turns_high, ?5),
roles = roles | ?6"""


@dataclass(frozen=True)
class Draft:
    """An example about to be written. `words` is no longer needed: search reads the content."""

    content: dict[str, Any]
    words: str = ""
    tags: Sequence[str] = ()
    status: str = "draft"

    def prepared(self) -> Prepared:
        """The row that it becomes."""
        return prepared(self.content, tuple(self.tags), self.status)


class Page(NamedTuple):
    """Examples of one page; how many there are in all, or at least where `exact` is False; where the next begins."""

    examples: list[Example]
    total: int
    exact: bool = True
    next: str | None = None


def add_examples(store: Store, batch: Batch, drafts: Sequence[Draft]) -> list[str]:
    """Write new examples into the segment of an open batch (at most 1,000 a call); returns their ids."""
    rows = [draft.prepared() for draft in drafts]
    with store.write():
        segment = segments.of_batch(store, batch.number) or segments.open_segment(
            store, batch.dataset_id, batch.number, batch.author
        )
        keys = add_rows(store, segment, rows)
        _note_due(store, keys)
    search.catch_up(store)
    return [name_of(key) for key in keys]


def add_rows(store: Store, segment: Segment, rows: Sequence[Prepared]) -> range:
    """Insert prepared rows at the end of a segment in one transaction; returns their keys. Search is up to the caller.

    Read, hash and count (`contents.prepared`) outside: nothing but inserting happens under the lock.
    """
    with store.write() as db:
        connection = db.conn
        places = int(store.value("select places from segments where number = ?", [segment.number]))
        first = (segment.number << segments.SHIFT) + places + 1
        keys = range(first, first + len(rows))
        revision = int(store.value("select coalesce(max(id), 0) + 1 from revisions"))
        at = now()
        connection.executemany(
            _INSERT_REVISION,
            [(revision + n, first + n, row.content, segment.author, at) for n, row in enumerate(rows)],
        )
        connection.executemany(_INSERT, [_slim(first + n, revision + n, row) for n, row in enumerate(rows)])
        tagged = [
            (tag, first + n)
            for n, row in enumerate(rows)
            if row.tags != "[]" and row.status in LIVE
            for tag in set(json.loads(row.tags))
        ]
        if tagged:
            connection.executemany("insert into tagged (tag, example_id) values (?, ?)", tagged)
        connection.executemany(_ZONES, _zones(first, rows))
        store.execute("update segments set places = places + ? where number = ?", [len(rows), segment.number])
    return keys


def _slim(key: int, revision: int, row: Prepared) -> tuple[Any, ...]:
    sha256, prompt_key, split, turns, chars, roles = row.features
    return (key, revision, turns, chars, roles, split, row.status, row.tags, prompt_key, sha256)


def _zones(first: int, rows: Sequence[Prepared]) -> Iterator[tuple[int, ...]]:
    """The extremes of each block that these rows fall into."""
    start = 0
    while start < len(rows):
        number = (first + start) >> 10
        end = min(len(rows), ((number + 1) << 10) - first)
        held = [row.features for row in rows[start:end]]
        chars, turns = [item.chars for item in held], [item.turns for item in held]
        roles = 0
        for item in held:
            roles |= item.roles
        yield number, min(chars), max(chars), min(turns), max(turns), roles
        start = end


def _note_due(store: Store, keys: Iterable[int]) -> None:
    """Say that search does not hold these yet."""
    store.db.conn.executemany("insert or ignore into search_due (example_id) values (?)", [(key,) for key in keys])


def add_by_hand(store: Store, batch: Batch, row: Prepared) -> int:
    """Write one example at the end of a dataset within the running transaction; returns its key."""
    segment = segments.by_hand(store, batch.dataset_id, batch.author)
    (key,) = add_rows(store, segment, [row])
    revision = store.value("select revision_id from examples where id = ?", [key])
    store.execute(
        "insert into changes (batch, example_id, before_revision, after_revision, before_status, after_status, "
        "before_tags, after_tags) values (?, ?, ?, ?, 'absent', ?, ?, ?)",
        [batch.number, key, revision, revision, row.status, row.tags, row.tags],
    )
    store.execute(
        "update examples set change_id = ?, author = ?, changed_at = ? where id = ?",
        [batch.number, batch.author, batch.created_at, key],
    )
    _note_due(store, [key])
    return key


def get_example(store: Store, example_id: str) -> Example:
    """An example as it stands, one in the trash too; raises NotFound."""
    key = key_of(example_id)
    found = read_keys(store, [key])
    seen = store.value("select 1 from segments where number = ? and state = 'visible'", [key >> segments.SHIFT])
    if not found or not seen or found[0].status in ("absent", "erased"):
        raise NotFound(f'There is no example "{example_id}"; it may have been undone.')
    return found[0]


def read(store: Store, ids: Sequence[str]) -> list[Example]:
    """Whole examples in the order of their ids given; those that are not there are left out."""
    return read_keys(store, [key_of(example_id) for example_id in ids])


def read_keys(store: Store, keys: Sequence[int]) -> list[Example]:
    """Whole examples by key, in the order given."""
    found: dict[int, Example] = {}
    through: dict[int, Pane | None] = {}
    for key in keys:
        number = key >> segments.SHIFT
        if number not in through:
            dataset_id = segments.get_dataset_id(store, key)
            through[number] = pane(store, dataset_id) if dataset_id else None
    for unsettled in set(through.values()):
        part = [key for key in keys if through[key >> segments.SHIFT] == unsettled]
        for start in range(0, len(part), _CHUNK):
            rows = store.rows(_select(unsettled), [json.dumps(part[start : start + _CHUNK])])
            found.update((row["key"], _example(row)) for row in rows)
    return [found[key] for key in keys if key in found]


def _select(through: Pane | None) -> str:
    """The SQL that reads whole rows, through an unsettled change where there is one."""
    if through is None:
        revision, state, join = "e.revision_id", "e.status, e.tags, e.change_id, e.author, e.changed_at", ""
        features, reason = "e.sha256, e.turns, e.chars, e.split, null as held", "e.change_id"
    else:
        side, join = through.side, overlay(through)
        change = "c.batch" if side == "after" else "c.before_change"
        revision = f"coalesce(c.{side}_revision, e.revision_id)"
        reason = f"iif(c.batch is null, e.change_id, {change})"
        state = (
            f"coalesce(c.{side}_status, e.status) as status, coalesce(c.{side}_tags, e.tags) as tags, "
            f"{reason} as change_id, "
            f"iif(c.batch is null, e.author, (select author from batches where number = {change})) as author, "
            f"iif(c.batch is null, e.changed_at, (select created_at from batches where number = {change})) "
            "as changed_at"
        )
        features = f"e.sha256, e.turns, e.chars, e.split, c.{side}_features as held"
    return (
        f"select e.id as key, s.dataset_id, s.first + (e.id & 4294967295) as number, {revision} as revision_id, "
        f"r.content, {state}, {features}, s.author as first_author, s.created_at as first_at, "
        f"(select reason from changes w where w.batch = {reason} and w.example_id = e.id) as reason "
        f"from examples e join segments s on s.number = e.id >> 32 {join} join revisions r on r.id = {revision} "
        "where e.id in (select value from json_each(?))"
    )


def _example(row: dict[str, Any]) -> Example:
    """A whole example from what `_select` reads."""
    sha256, turns, chars, split = row["sha256"].hex(), row["turns"], row["chars"], row["split"]
    if row["held"]:
        sha256, _, split, turns, chars, _ = json.loads(row["held"])
    return Example(
        id=name_of(row["key"]), dataset_id=row["dataset_id"], number=row["number"], revision_id=row["revision_id"],
        content=json.loads(row["content"]), sha256=sha256, tags=json.loads(row["tags"]), status=row["status"],
        author=row["author"] or row["first_author"], revised_at=row["changed_at"] or row["first_at"],
        change=row["change_id"] or 0, turns=turns, chars=chars, split=split,
        reason=row["reason"] if row["status"] == "rejected" else None,
    )  # fmt: skip


def page(store: Store, dataset_id: str, query: Query) -> Page:
    """A page of a dataset's examples; raises BadInput for a query with words that are not known."""
    found = finding.page(store, dataset_id, query)
    return Page(read_keys(store, found.keys), found.total, found.exact, found.next)


def count_before(store: Store, example: Example, query: Query) -> int:
    """How many examples that a query finds stand before this one in the dataset's order."""
    return finding.count_before(store, example.dataset_id, example.key, query)


def ids(store: Store, dataset_id: str, query: Query) -> Iterator[list[int]]:
    """The keys of all examples that a query finds, in chunks, in the dataset's order; `limit` is not looked at."""
    return finding.keys(store, dataset_id, query)


def stream(store: Store, dataset_id: str, query: Query) -> Iterator[Example]:
    """All examples that a query finds, in the dataset's order, with flat memory."""
    for keys in ids(store, dataset_id, query):
        yield from read_keys(store, keys)
