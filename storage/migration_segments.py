"""Migration m007: slim rows in segments, changes with before and after, versions by number.

Before it, an example was its newest published revision, found by a subquery a row; a million rows could not be paged.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from storage.sqlite import Database

_SCHEMA = """
create table batches (
    number integer primary key, id text not null unique, dataset_id text not null references datasets(id),
    kind text not null, state text not null, author text not null, detail text not null, created_at real not null,
    settled integer not null default 1, flips integer not null default 0, step integer
) strict;
create index batches_by_state on batches(dataset_id, state, step);
create index batches_unsettled on batches(dataset_id) where settled = 0;
create table segments (
    number integer primary key, dataset_id text not null references datasets(id),
    batch integer unique references batches(number), state text not null, author text not null,
    first integer not null, places integer not null, created_at real not null
) strict;
create index segments_by_dataset on segments(dataset_id, state);
create table examples (
    id integer primary key, revision_id integer, turns integer not null, chars integer not null,
    roles integer not null, split text not null, status text not null, tags text not null,
    prompt_key integer not null, sha256 blob not null, author text, changed_at real, change_id integer
) strict;
create index examples_by_status on examples(status);
create index examples_by_author on examples(author) where author is not null;
create index examples_changed on examples(changed_at) where changed_at is not null;
create table revisions (
    id integer primary key, example_id integer not null, content text not null, author text not null,
    created_at real not null
) strict;
create table tagged (tag text not null, example_id integer not null, primary key (tag, example_id))
    strict, without rowid;
create table zones (
    number integer primary key, chars_low integer not null, chars_high integer not null,
    turns_low integer not null, turns_high integer not null, roles integer not null
) strict;
create table changes (
    batch integer not null references batches(number), example_id integer not null references examples(id),
    before_revision integer, after_revision integer, before_status text not null, after_status text not null,
    before_tags text not null, after_tags text not null, before_features text, after_features text,
    before_change integer, reason text, primary key (batch, example_id)
) strict, without rowid;
create index changes_by_example on changes(example_id);
create table search_due (example_id integer primary key, indexed_revision integer) strict;
create table freezes (
    key integer primary key, dataset_id text not null, pid integer not null, pid_started real not null,
    created_at real not null
) strict;
create table version_rows (
    version integer not null, place integer not null, example_id integer not null, revision_id integer not null,
    tags text not null, status text not null, primary key (version, place)
) strict, without rowid
"""
_OLD = ("batches", "examples", "revisions", "version_rows")

# The state of an example after each of its batches that counts, in order.
_STATES = """
select x.id as old_id, x.position, r.id as revision, r.content, r.tags, r.status, r.author, r.created_at,
       b.number as batch, b.state
from old_examples x
left join old_revisions r on r.example_id = x.id
left join batches b on b.id = r.batch_id
order by x.dataset_id, x.position, x.id, r.id
"""


def convert(db: Database) -> None:
    """Make the new tables and bring over what the old ones hold."""
    db.execute("pragma defer_foreign_keys = on")
    db.execute("drop view heads")
    db.execute("drop table revision_words")
    indexes = db.query(
        "select name from sqlite_master where type = 'index' and sql is not null "
        "and tbl_name in ('batches', 'examples', 'revisions', 'version_rows')"
    )
    for index in list(indexes):
        db.execute(f'drop index "{index["name"]}"')
    for table in _OLD:
        db.execute(f"alter table {table} rename to old_{table}")
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    db.execute(
        "insert into batches (id, dataset_id, kind, state, author, detail, created_at) "
        "select id, dataset_id, kind, state, author, detail, created_at from old_batches order by id"
    )
    db.execute("update batches set step = number where state in ('published', 'undone')")
    names = _examples(db)
    _details(db, names)
    _versions(db)
    for table in ("version_rows", "revisions", "examples", "batches"):
        db.execute(f"drop table old_{table}")


def _examples(db: Database) -> dict[str, str]:
    """Slim rows, texts and changes; each example's old id → its new one. One growing segment a dataset."""
    names: dict[str, str] = {}
    for dataset in list(db.query("select distinct dataset_id as id from old_examples")):
        first = db.execute(
            "select author, created_at from old_batches where dataset_id = ? order by id", [dataset["id"]]
        ).fetchone() or ("me", 0.0)
        number = db.execute(
            "insert into segments (dataset_id, state, author, first, places, created_at) "
            "values (?, 'visible', ?, 0, 0, ?) returning number",
            [dataset["id"], *first],
        ).fetchone()[0]
        base, place = number << 32, 0
        for old_id, states in _by_example(db, dataset["id"]):
            place += 1
            names[old_id] = f"{number}-{place}"
            _example(db, base + place, states)
        db.execute("update segments set places = ? where number = ?", [place, number])
        _zones(db, base)
    return names


def _by_example(db: Database, dataset_id: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Examples of a dataset in order with their states; rows are read by the example, so that memory stays flat."""
    sql = _STATES.replace("order by", "where x.dataset_id = ? order by")
    rows = db.query(sql, [dataset_id])
    for old_id, states in groupby(rows, key=lambda row: str(row["old_id"])):
        yield old_id, list(states)


def _example(db: Database, key: int, states: list[dict[str, Any]]) -> None:
    """One example: its texts, one change a batch, and where it stands now."""
    from storage.contents import features

    held = [state for state in states if state["revision"] is not None]
    for state in held:
        db.execute(
            "insert into revisions (id, example_id, content, author, created_at) values (?, ?, ?, ?, ?)",
            [state["revision"], key, state["content"], state["author"], state["created_at"]],
        )
    counted = [state for state in held if state["state"] in ("published", "undone")]
    seen = [state for state in counted if state["state"] == "published"]
    last = seen[-1] if seen else None
    shown = last or (counted[0] if counted else held[0] if held else None)
    if shown is None:
        row: list[Any] = [key, None, 0, 0, 0, "train", "absent", "[]", 0, b"", None, None, None]
    else:
        found = features(json.loads(shown["content"]))
        status = _status(last["status"]) if last else "absent"
        maker = [last["author"], last["created_at"], last["batch"]] if last else [None, None, None]
        row = [key, shown["revision"], found.turns, found.chars, found.roles, found.split, status, shown["tags"],
               found.prompt_key, found.sha256, *maker]  # fmt: skip
    db.execute(f"insert into examples values ({', '.join('?' * len(row))})", row)
    if shown is not None:
        for tag in set(json.loads(shown["tags"])) if row[6] in ("draft", "approved", "rejected") else ():
            db.execute("insert into tagged values (?, ?)", [tag, key])
        db.execute("insert into search_due (example_id) values (?)", [key])
    _changes(db, key, counted)


def _changes(db: Database, key: int, states: list[dict[str, Any]]) -> None:
    """A row of `changes` for each batch, from the state before it to its own."""
    from storage.contents import features

    before: dict[str, Any] | None = None
    for state in states:
        held = {}
        for side, item in (("before", before or state), ("after", state)):
            sha256, *others = features(json.loads(item["content"]))
            held[side] = json.dumps([sha256.hex(), *others])
        texts_differ = before is not None and before["content"] != state["content"]
        db.execute(
            "insert into changes (batch, example_id, before_revision, after_revision, before_status, after_status, "
            "before_tags, after_tags, before_features, after_features, before_change) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (batch, example_id) do update set "
            "after_revision = excluded.after_revision, after_status = excluded.after_status, "
            "after_tags = excluded.after_tags, after_features = excluded.after_features",
            [state["batch"], key, (before or state)["revision"], state["revision"],
             _status(before["status"]) if before else "absent", _status(state["status"]),
             (before or state)["tags"], state["tags"], held["before"] if texts_differ else None,
             held["after"] if texts_differ else None, before["batch"] if before else None],
        )  # fmt: skip
        before = state


def _status(old: str) -> str:
    return "draft" if old == "active" else old


def _zones(db: Database, base: int) -> None:
    db.execute(
        "insert into zones select id >> 10, min(chars), max(chars), min(turns), max(turns), 31 from examples "
        "where id between ? and ? group by id >> 10",
        [base, base + 0xFFFFFFFF],
    )


def _details(db: Database, names: dict[str, str]) -> None:
    """The examples that a batch names get their new ids."""
    for row in list(db.query("select number, detail from batches where detail like '%\"examples\"%'")):
        detail = json.loads(row["detail"])
        detail["examples"] = [names[old] for old in detail["examples"] if old in names]
        db.execute("update batches set detail = ? where number = ?", [json.dumps(detail), row["number"]])


def _versions(db: Database) -> None:
    """Versions get a number inside the store, a name and a note; their rows say example, tags and status."""
    for column, kind in (("key", "integer"), ("name", "text"), ("note", "text")):
        db.execute(f"alter table versions add column {column} {kind}")
    db.execute("update versions set key = rowid")
    db.execute("create unique index versions_by_key on versions(key)")
    db.execute(
        "insert into version_rows (version, place, example_id, revision_id, tags, status) "
        "select v.key, o.position, r.example_id, o.revision_id, w.tags, 'draft' from old_version_rows o "
        "join versions v on v.id = o.version_id join revisions r on r.id = o.revision_id "
        "join old_revisions w on w.id = o.revision_id"
    )
