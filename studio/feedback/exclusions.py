"""Votes that do not count: those of an annotator, of a day or from a source, named with a reason.

Nothing is deleted. An exclusion stands beside every number that it changed, can be lifted, and every number can be had
with the excluded votes as well. Days are days in UTC.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from storage import exclusions as stored
from storage.comparisons import get_study
from storage.errors import BadInput
from storage.exclusions import Exclusion
from storage.judgements import said
from storage.store import Store

KINDS = ("annotator", "day", "source")
_LONGEST_REASON = 500


class Given(Protocol):
    """A vote or label, as far as an exclusion asks."""

    @property
    def annotator(self) -> str:
        """Who gave it."""

    @property
    def source(self) -> str:
        """Where it comes from: studio, or import."""

    @property
    def created_at(self) -> float:
        """When it was given, in seconds since 1970."""


One = TypeVar("One", bound=Given)


class Kept(NamedTuple, Generic[One]):
    """What counts, and what does not, with the number of votes that each exclusion takes away."""

    votes: list[One]
    excluded: list[dict[str, Any]]


def exclude(store: Store, study: str, kind: str, value: str, reason: str, author: str) -> Exclusion:
    """Leave votes out of a study; raises BadInput without a reason, Conflict where they are left out already."""
    _check(kind, value)
    if not reason.strip():
        raise BadInput(f'Say why the {kind} "{value}" is excluded (--reason): it stands beside the numbers.')
    if len(reason) > _LONGEST_REASON:
        raise BadInput(f"A reason has at most {_LONGEST_REASON} characters, not {len(reason)}.")
    return stored.add(store, get_study(store, study).id, kind, value, reason.strip(), author)


def include(store: Store, study: str, kind: str, value: str, author: str) -> Exclusion:
    """Count votes of a study again; raises NotFound where they were not excluded."""
    _check(kind, value)
    return stored.lift(store, get_study(store, study).id, kind, value, author)


def kept(store: Store, study_id: str, votes: Iterable[One], with_excluded: bool = False) -> Kept[One]:
    """The votes that count. Each vote is charged to the first exclusion that holds for it."""
    found = stored.standing(store, study_id)
    if not found:
        return Kept(list(votes), [])
    rules = {(one.kind, one.value): number for number, one in reversed(list(enumerate(found)))}
    counting: list[One] = []
    charged = Counter[int]()
    days = any(one.kind == "day" for one in found)
    for vote in votes:
        rule = _rule(rules, vote, days)
        if rule is not None:
            charged[rule] += 1
        if rule is None or with_excluded:
            counting.append(vote)
    return Kept(counting, [_json(one, charged[number], with_excluded) for number, one in enumerate(found)])


def days_and_sources(store: Store, study: str) -> dict[str, list[dict[str, Any]]]:
    """The days on which and the sources from which a study has votes: how many, by how many people, and the reason
    where they are excluded. Days oldest first.
    """
    chosen = get_study(store, study)
    reasons = {(one.kind, one.value): one.reason for one in stored.standing(store, chosen.id)}
    found: dict[str, dict[str, list[str]]] = {"days": {}, "sources": {}}
    for vote in said(store, chosen.id):
        found["days"].setdefault(day_of(vote.created_at), []).append(vote.annotator)
        found["sources"].setdefault(vote.source, []).append(vote.annotator)
    return {
        kind: [_group(value, people, reasons.get((kind[:-1], value))) for value, people in sorted(groups.items())]
        for kind, groups in found.items()
    }


def _group(value: str, people: Sequence[str], reason: str | None) -> dict[str, Any]:
    return {"value": value, "votes": len(people), "people": len(set(people)), "excluded": reason}


def day_of(moment: float) -> str:
    """The day of a moment, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def notes(excluded: Sequence[dict[str, Any]]) -> list[str]:
    """A sentence for each exclusion that took votes away."""
    return [
        f'{one["votes"]} votes of the {one["kind"]} "{one["value"]}" '
        + ("count here, though they are excluded" if one["counted"] else "are left out")
        + f": {one['reason']}"
        for one in excluded
        if one["votes"]
    ]


def _rule(rules: dict[tuple[str, str], int], vote: Given, days: bool) -> int | None:
    """The number of the first exclusion that holds for a vote."""
    found = [rules.get(("annotator", vote.annotator)), rules.get(("source", vote.source))]
    if days:
        found.append(rules.get(("day", day_of(vote.created_at))))
    return min((number for number in found if number is not None), default=None)


def _json(one: Exclusion, votes: int, counted: bool) -> dict[str, Any]:
    return {"kind": one.kind, "value": one.value, "reason": one.reason, "author": one.author,
            "created_at": one.created_at, "votes": votes, "counted": counted}  # fmt: skip


def _check(kind: str, value: str) -> None:
    if kind not in KINDS:
        raise BadInput(f'Excluded is one of {", ".join(KINDS)}, not "{kind}".')
    if kind == "day":
        try:
            datetime.strptime(value, "%Y-%m-%d")
        except ValueError:
            raise BadInput(f'A day is written as 2026-01-31, not "{value}".') from None
