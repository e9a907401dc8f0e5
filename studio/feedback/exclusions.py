"""Votes that do not count: those of an annotator, of a day or from a source, named with a reason.

Nothing is deleted; mended answers that became examples go to the trash with their votes. An exclusion stands beside
every number that it changed, can be lifted, and every number can be had with the excluded votes as well. Days are days
in UTC.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from storage import exclusions as stored
from storage.comparisons import get_study
from storage.errors import BadInput
from storage.exclusions import Exclusion
from storage.judgements import said
from storage.store import Store
from studio.feedback.fixing import bring_in_line
from studio.feedback.kept_votes import day_of
from studio.people.roles import Action, Actor, require
from studio.training.shaped import counted

KINDS = ("annotator", "day", "source")
_LONGEST_REASON = 500


def exclude(store: Store, study: str, kind: str, value: str, reason: str, actor: Actor) -> Exclusion:
    """Leave votes out of a study.

    Raises Forbidden, BadInput without a reason, Conflict where they are left out already.
    """
    require(actor, Action.RUN_STUDIES)
    _check(kind, value)
    if not reason.strip():
        raise BadInput(f'Say why the {kind} "{value}" is excluded (--reason): it stands beside the numbers.')
    if len(reason) > _LONGEST_REASON:
        raise BadInput(f"A reason has at most {_LONGEST_REASON} characters, not {len(reason)}.")
    chosen = get_study(store, study)
    made = stored.add(store, chosen.id, kind, value, reason.strip(), actor.name)
    bring_in_line(store, chosen)
    return made


def include(store: Store, study: str, kind: str, value: str, actor: Actor) -> Exclusion:
    """Count votes of a study again; raises Forbidden, and NotFound where they were not excluded."""
    require(actor, Action.RUN_STUDIES)
    _check(kind, value)
    chosen = get_study(store, study)
    lifted = stored.lift(store, chosen.id, kind, value, actor.name)
    bring_in_line(store, chosen)
    return lifted


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


def notes(excluded: Sequence[dict[str, Any]]) -> list[str]:
    """A sentence for each exclusion that took votes away."""
    return [
        f'{counted(one["votes"], "vote")} of the {one["kind"]} "{one["value"]}" '
        + _fate(one["votes"] == 1, one["counted"])
        + f": {one['reason']}"
        for one in excluded
        if one["votes"]
    ]


def _fate(single: bool, counts: bool) -> str:
    if counts:
        return "counts here, though it is excluded" if single else "count here, though they are excluded"
    return "is left out" if single else "are left out"


def _check(kind: str, value: str) -> None:
    if kind not in KINDS:
        raise BadInput(f'Excluded is one of {", ".join(KINDS)}, not "{kind}".')
    if kind == "day":
        try:
            datetime.strptime(value, "%Y-%m-%d")
        except ValueError:
            raise BadInput(f'A day is written as 2026-01-31, not "{value}".') from None
