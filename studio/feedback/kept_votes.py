"""Which votes count: those that no standing exclusion takes away."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from storage import exclusions as stored
from storage.exclusions import Exclusion
from storage.store import Store


class Given(Protocol):
    """A vote or label, as far as an exclusion asks."""

    @property
    def annotator(self) -> str:
        """Who gave it."""

    @property
    def source(self) -> str:
        """Where it comes from: studio, import, or demo (a visitor's, accepted by a curator)."""

    @property
    def created_at(self) -> float:
        """When it was given, in seconds since 1970."""


One = TypeVar("One", bound=Given)


class Kept(NamedTuple, Generic[One]):
    """What counts, and what does not, with the number of votes that each exclusion takes away."""

    votes: list[One]
    excluded: list[dict[str, Any]]


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


def day_of(moment: float) -> str:
    """The day of a moment, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def _rule(rules: dict[tuple[str, str], int], vote: Given, days: bool) -> int | None:
    """The number of the first exclusion that holds for a vote."""
    found = [rules.get(("annotator", vote.annotator)), rules.get(("source", vote.source))]
    if days:
        found.append(rules.get(("day", day_of(vote.created_at))))
    return min((number for number in found if number is not None), default=None)


def _json(one: Exclusion, votes: int, counted: bool) -> dict[str, Any]:
    return {"kind": one.kind, "value": one.value, "reason": one.reason, "author": one.author,
            "created_at": one.created_at, "votes": votes, "counted": counted}  # fmt: skip
