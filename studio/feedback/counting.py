"""The votes of a study as results between two models: what every number on the results page is counted from."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from storage.comparisons import get_study
from storage.judgements import Contest, Said, contests, said
from storage.models import list_models
from storage.prompts import content_sha256
from storage.rows import Study
from storage.store import Store
from studio.feedback.exclusions import kept
from studio.feedback.outcomes import DRAWS, LETTERS, Ordering, ranked

# Votes from elsewhere may tell no prompt; each of their comparisons is a unit of its own.
_NO_PROMPT = content_sha256([])
_ORDERINGS: Mapping[str, Sequence[Ordering]] = {
    "a": (Ordering(0, 1, 1.0),),
    "b": (Ordering(0, 1, 0.0),),
    **{draw: (Ordering(0, 1, 0.5),) for draw in DRAWS},
}
# Who stood left, by the order as it is stored.
_FIRST: Mapping[str, int] = {json.dumps([0, 1]): 0, json.dumps([1, 0]): 1}


class Judged(NamedTuple):
    """One vote on two models: 1.0 where the first won. A model against itself says nothing and is left out."""

    first: str
    second: str
    value: float
    both_bad: bool
    prompt: str
    """What votes on the same prompt share: they are averaged first."""

    vote: Said


class Counted(NamedTuple):
    """A study ready to be counted."""

    study: Study
    names: list[str]
    """Of models: the study's in its order, then others as they first appear (an import names them)."""

    contests: dict[str, Contest]
    votes: list[Said]
    judged: list[Judged]
    excluded: list[dict[str, Any]]


def count(store: Store, study: str, with_excluded: bool = False) -> Counted:
    """Read a study; raises NotFound."""
    chosen = get_study(store, study)
    entries = contests(store, chosen.id)
    found = kept(store, chosen.id, said(store, chosen.id), with_excluded)
    names = _names(store, chosen.models, entries)
    return Counted(chosen, names, entries, found.votes, _judged(found.votes, entries), found.excluded)


def orderings_of(vote: Said) -> Sequence[Ordering]:
    """The vote as orderings of two, as `outcomes.orderings`."""
    if vote.ranking is not None:
        return ranked(json.loads(vote.ranking))
    return _ORDERINGS.get(vote.choice, ())


def left_of(vote: Said) -> bool | None:
    """Whether the answer on the left was preferred; None where nobody was, or nobody knows what stood left."""
    if vote.choice not in ("a", "b"):
        return None
    first = _FIRST.get(vote.shown_order)
    return None if first is None else first == LETTERS.index(vote.choice)


def _judged(votes: Iterable[Said], entries: dict[str, Contest]) -> list[Judged]:
    found = []
    for vote in votes:
        contest = entries[vote.comparison_id]
        models, prompt = contest.models, contest.prompt_sha256
        unit = vote.comparison_id if prompt == _NO_PROMPT else prompt
        bad = vote.choice == "both_bad"
        for first, second, value in orderings_of(vote):
            a, b = models[first], models[second]
            if a != b:
                found.append(Judged(a, b, value, bad, unit, vote))
    return found


def _names(store: Store, model_ids: Sequence[str], entries: dict[str, Contest]) -> list[str]:
    known = {model.id: model.name for model in list_models(store, retired=True)}
    own = [known[model_id] for model_id in model_ids if model_id in known]
    return list(dict.fromkeys([*own, *(name for contest in entries.values() for name in contest.models)]))
