"""What checks found in examples, and which revisions they have looked at already.

A finding belongs to one revision of one example and counts while that revision is the one that stands there: an edit
takes it out of sight, an undo brings it back, and nothing has to be removed. Checks of single rows form a suite (names
and versions); each revision notes the suite that looked at it, so that only new texts and changed checks cost time.
Checks of a whole dataset are computed again when its state has changed (`state_of`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from storage.clock import now
from storage.rows import LIVE
from storage.segments import SHIFT, name_of, ranges
from storage.store import Store

_CHUNK = 1000
_LIVE = ", ".join(f"'{status}'" for status in LIVE)
_STANDING = f"e.id = f.example_id and e.revision_id = f.revision_id and e.status in ({_LIVE})"


class Finding(NamedTuple):
    """What one check found in one revision of an example. `detail`: its sentence, and places in the content."""

    check: str
    example: int
    revision: int
    severity: str
    detail: Mapping[str, Any]


class Looked(NamedTuple):
    """A revision that was looked at, and the language of its text where that is sure."""

    revision: int
    language: str | None


class Due(NamedTuple):
    """An example whose revision must be looked at; `suite`: the checks that did so before, by name and version."""

    example: int
    revision: int
    suite: Mapping[str, str]


def suite_id(store: Store, checks: Mapping[str, str]) -> int:
    """The id of a set of checks, by name and version."""
    text = json.dumps(dict(sorted(checks.items())))
    store.execute("insert or ignore into check_suites (checks) values (?)", [text])
    return int(store.value("select id from check_suites where checks = ?", [text]))


def due(store: Store, dataset_id: str, suite: int) -> Iterator[list[Due]]:
    """The examples that this suite has not looked at as they stand, at most 1,000 at a time."""
    suites = {row["id"]: json.loads(row["checks"]) for row in store.rows("select id, checks from check_suites")}
    for span in ranges(store, dataset_id):
        after = span.low - 1
        while rows := store.rows(
            "select e.id, e.revision_id, k.suite_id from examples e "
            "left join checked k on k.revision_id = e.revision_id "
            f"where e.id > ? and e.id <= ? and e.status in ({_LIVE}) and coalesce(k.suite_id, 0) != ? "
            "order by e.id limit ?",
            [after, span.high, suite, _CHUNK],
        ):
            yield [Due(row["id"], row["revision_id"], suites.get(row["suite_id"], {})) for row in rows]
            after = rows[-1]["id"]


def count_due(store: Store, dataset_id: str, suite: int) -> int:
    """How many examples this suite has still to look at."""
    return sum(
        int(
            store.value(
                "select count(*) from examples e left join checked k on k.revision_id = e.revision_id "
                f"where e.id between ? and ? and e.status in ({_LIVE}) and coalesce(k.suite_id, 0) != ?",
                [span.low, span.high, suite],
            )
        )
        for span in ranges(store, dataset_id)
    )


def record(store: Store, suite: int, looked: Sequence[Looked], found: Sequence[Finding], checks: Iterable[str]) -> None:
    """Note what the named checks found in some revisions, in one transaction; what they found before is replaced."""
    connection = store.db.conn
    revisions = json.dumps([item.revision for item in looked])
    with store.write():
        store.execute(
            "delete from findings where check_name in (select value from json_each(?)) and example_id in "
            "(select example_id from revisions where id in (select value from json_each(?))) "
            "and revision_id in (select value from json_each(?))",
            [json.dumps(list(checks)), revisions, revisions],
        )
        connection.executemany(_INSERT, [_row(item) for item in found])
        connection.executemany(
            "insert or replace into checked (revision_id, suite_id, language) values (?, ?, ?)",
            [(item.revision, suite, item.language) for item in looked],
        )


_INSERT = (
    "insert or replace into findings (check_name, example_id, revision_id, severity, detail) values (?, ?, ?, ?, ?)"
)


def _row(item: Finding) -> tuple[str, int, int, str, str]:
    return item.check, item.example, item.revision, item.severity, json.dumps(item.detail)


def state_of(store: Store, dataset_id: str) -> str:
    """A short text that changes whenever a row of the dataset comes, goes or says something else."""
    total = [0, 0, 0]
    for span in ranges(store, dataset_id):
        row = store.one(
            "select count(*) as rows, coalesce(sum(revision_id), 0) as revisions, "
            "coalesce(sum(revision_id * ((id & 4294967295) % 1009)), 0) as places "
            f"from examples where id between ? and ? and status in ({_LIVE})",
            [span.low, span.high],
        )
        assert row is not None
        total = [sum(pair) for pair in zip(total, row.values(), strict=True)]
    return "-".join(map(str, total))


def replace(store: Store, dataset_id: str, check: str, found: Iterable[Finding]) -> int:
    """Put in place what a check of the whole dataset found; returns how many rows.

    In transactions of at most 1,000 rows. The note that the check was made goes first and comes back last, so that a
    killed run is made again.
    """
    store.execute("delete from dataset_checks where dataset_id = ? and check_name = ?", [dataset_id, check])
    _clear(store, dataset_id, check)
    count = 0
    part: list[Finding] = []
    for item in found:
        part.append(item)
        if len(part) == _CHUNK:
            count += _insert(store, part)
            part = []
    return count + _insert(store, part)


def conclude(store: Store, dataset_id: str, check: str, state: str, detail: Mapping[str, Any]) -> None:
    """Note that a check of the whole dataset was made on this state, and what it measured."""
    store.execute(
        "insert or replace into dataset_checks (dataset_id, check_name, state, detail, checked_at) "
        "values (?, ?, ?, ?, ?)",
        [dataset_id, check, state, json.dumps(detail), now()],
    )


def _insert(store: Store, found: Sequence[Finding]) -> int:
    with store.write() as db:
        db.conn.executemany(_INSERT, [_row(item) for item in found])
    return len(found)


def _clear(store: Store, dataset_id: str, check: str) -> None:
    """Remove all findings of a check in a dataset, by the thousand."""
    for span in ranges(store, dataset_id):
        while store.execute(
            "delete from findings where check_name = :check and (example_id, revision_id) in (select example_id, "
            "revision_id from findings where check_name = :check and example_id between :low and :high limit :limit)",
            {"check": check, "low": span.low, "high": span.high, "limit": _CHUNK},
        ):
            pass


class Concluded(NamedTuple):
    """The last time that a check of the whole dataset was made: on which state, what it measured, when."""

    state: str
    detail: dict[str, Any]
    at: float


def concluded(store: Store, dataset_id: str) -> dict[str, Concluded]:
    """The checks of the whole dataset that were made, by name."""
    rows = store.rows("select * from dataset_checks where dataset_id = ?", [dataset_id])
    return {row["check_name"]: Concluded(row["state"], json.loads(row["detail"]), row["checked_at"]) for row in rows}


class Standing(NamedTuple):
    """An example as it stands, as little of it as checks need."""

    example: int
    revision: int
    split: str
    content: dict[str, Any]


def standing(store: Store, dataset_id: str) -> Iterator[Standing]:
    """All examples of a dataset that are not in the trash, in its order, with flat memory."""
    for span in ranges(store, dataset_id):
        after = span.low - 1
        while rows := store.rows(
            "select e.id, e.revision_id, e.split, r.content from examples e join revisions r on r.id = e.revision_id "
            f"where e.id > ? and e.id <= ? and e.status in ({_LIVE}) order by e.id limit ?",
            [after, span.high, _CHUNK],
        ):
            for row in rows:
                yield Standing(row["id"], row["revision_id"], row["split"], json.loads(row["content"]))
            after = rows[-1]["id"]


def contents(store: Store, revisions: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The contents of some revisions."""
    rows = store.rows(
        "select id, content from revisions where id in (select value from json_each(?))", [json.dumps(list(revisions))]
    )
    return {row["id"]: json.loads(row["content"]) for row in rows}


def content_of(store: Store, key: int) -> dict[str, Any]:
    """What an example says; empty where it is gone."""
    text = store.value(
        "select r.content from examples e join revisions r on r.id = e.revision_id where e.id = ?", [key]
    )
    return dict(json.loads(text)) if text else {}


class Copy(NamedTuple):
    """An example whose content stands in an earlier one, `of`, already."""

    example: int
    revision: int
    of: int


def copies(store: Store, dataset_id: str) -> list[Copy]:
    """All but the first of the examples with the same content, by its hash."""
    spans = ranges(store, dataset_id)
    if not spans:
        return []
    here = " or ".join(f"e.id between {span.low} and {span.high}" for span in spans)
    rows = store.rows(
        f"with twice as (select e.sha256 from examples e where ({here}) and e.status in ({_LIVE}) "
        "group by e.sha256 having count(*) > 1) select e.id, e.revision_id, e.sha256 from examples e "
        f"where ({here}) and e.status in ({_LIVE}) and e.sha256 in twice"
    )
    order = {span.segment.number: place for place, span in enumerate(spans)}
    first: dict[bytes, int] = {}
    found = []
    for row in sorted(rows, key=lambda row: (order[row["id"] >> SHIFT], row["id"])):
        if first.setdefault(row["sha256"], row["id"]) != row["id"]:
            found.append(Copy(row["id"], row["revision_id"], first[row["sha256"]]))
    return found


class Foreign(NamedTuple):
    """An example in another language than most."""

    example: int
    revision: int
    language: str


def in_other_languages(store: Store, dataset_id: str, but: str) -> Iterator[Foreign]:
    """The examples whose language is sure and is not `but`."""
    for span in ranges(store, dataset_id):
        rows = store.rows(
            "select e.id as example, e.revision_id as revision, k.language from examples e "
            "join checked k on k.revision_id = e.revision_id "
            f"where e.id between ? and ? and e.status in ({_LIVE}) and k.language != ? order by e.id",
            [span.low, span.high, but],
        )
        yield from (Foreign(**row) for row in rows)


class Tally(NamedTuple):
    """How many examples a check found something in, and the first of them by id."""

    total: int
    examples: list[str]


def tally(store: Store, dataset_id: str, check: str, most: int = 1000) -> Tally:
    """The findings of a check that count: those of texts that stand there now."""
    total = 0
    first: list[str] = []
    for span in ranges(store, dataset_id):
        where = (
            f"from findings f join examples e on {_STANDING} where f.check_name = ? and f.example_id between ? and ?"
        )
        values = [check, span.low, span.high]
        total += int(store.value(f"select count(*) {where}", values))
        if len(first) < most:
            rows = store.rows(
                f"select f.example_id {where} order by f.example_id limit ?", [*values, most - len(first)]
            )
            first += [name_of(row["example_id"]) for row in rows]
    return Tally(total, first)


def of_example(store: Store, key: int) -> list[Finding]:
    """What was found in an example as it stands, by check."""
    rows = store.rows(
        f"select f.* from findings f join examples e on {_STANDING} where f.example_id = ? order by f.check_name", [key]
    )
    return [
        Finding(row["check_name"], row["example_id"], row["revision_id"], row["severity"], json.loads(row["detail"]))
        for row in rows
    ]


def detail_of(store: Store, check: str, key: int, revision: int) -> dict[str, Any] | None:
    """The detail of one finding, or None."""
    text = store.value(
        "select detail from findings where check_name = ? and example_id = ? and revision_id = ?",
        [check, key, revision],
    )
    return dict(json.loads(text)) if text else None


def languages(store: Store, dataset_id: str) -> dict[str, int]:
    """How many examples are in each language, the most frequent first; "" for those that are too short or unsure."""
    counts: dict[str, int] = {}
    for span in ranges(store, dataset_id):
        rows = store.rows(
            "select coalesce(k.language, '') as language, count(*) as rows from examples e "
            "join checked k on k.revision_id = e.revision_id "
            f"where e.id between ? and ? and e.status in ({_LIVE}) group by k.language",
            [span.low, span.high],
        )
        for row in rows:
            counts[row["language"]] = counts.get(row["language"], 0) + row["rows"]
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def with_errors(store: Store, revisions: Sequence[int]) -> set[int]:
    """Which of these revisions have a finding of the severity error."""
    rows = store.rows(
        "select distinct revision_id from findings where severity = 'error' "
        "and revision_id in (select value from json_each(?))",
        [json.dumps(list(revisions))],
    )
    return {row["revision_id"] for row in rows}


def looked_at(store: Store, revisions: Sequence[int]) -> set[int]:
    """Which of these revisions the checks of single rows have looked at."""
    rows = store.rows(
        "select revision_id from checked where revision_id in (select value from json_each(?))",
        [json.dumps(list(revisions))],
    )
    return {row["revision_id"] for row in rows}
