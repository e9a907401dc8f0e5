"""Which examples are wanted, and the SQL condition that says so of one row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage.contents import ROLES
from storage.errors import BadInput
from storage.rows import LIVE, STATUSES
from storage.segments import Range
from storage.settling import Pane

Limits = tuple[int | None, int | None]
"""From and to, both included; None is no limit."""

SORTS = ("number", "chars", "turns", "changed")


@dataclass(frozen=True)
class Query:
    """Which examples are wanted; what is empty or None asks for nothing.

    search: words that must all occur, the last one as a beginning. status: any of these; empty: all but the trash.
    tags: all of these. roles: all of these (`contents.ROLES`). tokens: by the tokenizer of that hash. source: id of
    the import that brought them. finding: name of a check that found something. since, until: last change, seconds
    since 1970. split: train or measure. sort: one of `SORTS`, with "-" before it from the largest. after: what a page
    gave as `next`, instead of an offset.
    """

    search: str = ""
    status: Sequence[str] = ()
    tags: Sequence[str] = ()
    roles: Sequence[str] = ()
    chars: Limits | None = None
    turns: Limits | None = None
    tokens: Limits | None = None
    tokenizer: str | None = None
    source: str | None = None
    finding: str | None = None
    author: str | None = None
    since: float | None = None
    until: float | None = None
    split: str | None = None
    sort: str = "number"
    limit: int = 25
    offset: int = 0
    after: str | None = None

    def check(self) -> None:
        """Raise BadInput for words that are not known here."""
        _known("status", self.status, STATUSES)
        _known("role", self.roles, tuple(ROLES))
        _known("split", [self.split] if self.split else [], ("train", "measure"))
        _known("order", [self.sort.removeprefix("-")], SORTS)
        if self.tokens and not self.tokenizer:
            raise BadInput("Say whose tokens are counted: choose a model for the filter by tokens.")

    @property
    def plain(self) -> bool:
        """Whether all examples are wanted but the trash."""
        return not self.search and not self.source and not self.filtered

    @property
    def filtered(self) -> bool:
        """Whether a row must be looked at, apart from words and source."""
        return any(
            (self.status, self.tags, self.roles, self.chars, self.turns, self.tokens, self.finding, self.author,
             self.since is not None, self.until is not None, self.split)
        )  # fmt: skip


def _known(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for word in given:
        if word not in known:
            raise BadInput(f'"{word}" is no {what}; there are {", ".join(known)}.')


class Condition(NamedTuple):
    """A condition on a row `e` (and `c`, where it is looked at through an unsettled change) and its values."""

    sql: str
    values: dict[str, Any]


def condition(query: Query, through: Pane | None) -> Condition:
    """The condition of a query, its words and source aside; `:default_author`, `:default_at` speak for a segment."""
    status, tags, _ = _columns(through)
    # The plus keeps SQLite from its index of statuses, which does not yield rows in order. `check` knows the words.
    standing = "(" + " or ".join(f"+{status} = '{word}'" for word in query.status or LIVE) + ")"
    parts: list[str] = []
    values: dict[str, Any] = {}
    if query.roles:
        values["roles"] = sum({ROLES[role] for role in query.roles})
        parts.append("e.roles & :roles = :roles")
    for name, limits in (("chars", query.chars), ("turns", query.turns)):
        parts += _between(f"e.{name}", name, limits, values)
    if query.split:
        parts.append("e.split = :split")
        values["split"] = query.split
    if query.author:
        parts.append(f"coalesce({_author(through)}, :default_author) = :author")
        values["author"] = query.author
    parts += _between(changed_at(through), "at", (query.since, query.until), values)
    parts.append(standing)
    for number, tag in enumerate(query.tags):
        if through is None and set(query.status) <= set(LIVE):
            known = f"select 1 from tagged where tag = :tag{number} and example_id = e.id"
        else:
            known = f"select 1 from json_each({tags}) where value = :tag{number}"
        parts.append(f"{tags} != '[]' and exists ({known})")
        values[f"tag{number}"] = tag
    parts += _beside(query, values, "e.revision_id")
    return Condition(" and ".join(parts), values)


def _columns(through: Pane | None) -> tuple[str, str, str]:
    """Where status, tags and time of change are read."""
    if through is None:
        return "e.status", "e.tags", "e.changed_at"
    side = through.side
    at = f"(select created_at from batches where number = {_change_of(side)})"
    return (
        f"coalesce(c.{side}_status, e.status)",
        f"coalesce(c.{side}_tags, e.tags)",
        f"iif(c.batch is null, e.changed_at, {at})",
    )


def changed_at(through: Pane | None) -> str:
    """When a row was changed last; `:default_at` speaks for one that is as it came."""
    return f"coalesce({_columns(through)[2]}, :default_at)"


def _author(through: Pane | None) -> str:
    if through is None:
        return "e.author"
    maker = f"(select author from batches where number = {_change_of(through.side)})"
    return f"iif(c.batch is null, e.author, {maker})"


def _change_of(side: str) -> str:
    return "c.batch" if side == "after" else "c.before_change"


def _between(
    column: str, name: str, limits: tuple[float | None, float | None] | None, values: dict[str, Any]
) -> list[str]:
    """Conditions for a range."""
    parts = []
    for limit, sign, end in zip(limits or (), (">=", "<="), ("low", "high"), strict=False):
        if limit is not None:
            parts.append(f"{column} {sign} :{name}_{end}")
            values[f"{name}_{end}"] = limit
    return parts


def _beside(query: Query, values: dict[str, Any], revision: str) -> list[str]:
    """Conditions on what is known of a revision beside the rows: findings and tokens (both have their own tables)."""
    parts = []
    if query.finding:
        parts.append(
            "exists (select 1 from findings f where f.check_name = :finding and f.example_id = e.id "
            f"and f.revision_id = {revision})"
        )
        values["finding"] = query.finding
    if query.tokens:
        limits: list[str] = _between("t.tokens", "tokens", query.tokens, values)
        values["tokenizer"] = query.tokenizer
        parts.append(
            f"exists (select 1 from tokens t where t.tokenizer_sha256 = :tokenizer and t.revision_id = {revision}"
            + "".join(f" and {limit}" for limit in limits)
            + ")"
        )
    return parts


def of_range(found: Condition, span: Range) -> dict[str, Any]:
    """The values of a condition for one range."""
    return {**found.values, "default_author": span.segment.author, "default_at": span.segment.created_at}
