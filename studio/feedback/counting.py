"""The votes of a study as results between two models: what every number on the results page is counted from.

Votes on comparisons with a known answer (gold) say how well a person judges and nothing else: they are kept apart.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from storage import gold
from storage.comparisons import get_study
from storage.judgements import Contest, Said, contests, said
from storage.models import list_models
from storage.prompts import content_sha256
from storage.rows import Study
from storage.store import Store
from studio.feedback.kept_votes import kept
from studio.feedback.outcomes import DRAWS, LETTERS, Ordering, ranked
from studio.feedback.study_settings import settings_of
from studio.training.shaped import counted

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
    """Of contestants: the study's in its order, then others as they first appear (an import names them)."""

    contests: dict[str, Contest]
    votes: list[Said]
    judged: list[Judged]
    excluded: list[dict[str, Any]]
    expected: Mapping[str, dict[str, Any]] = MappingProxyType({})
    """Known answers, by comparison."""

    on_gold: Sequence[Said] = ()
    """Votes on those; they are not among `votes`."""

    def unit(self, comparison_id: str) -> str:
        """What votes on the same prompt share; a comparison that tells no prompt is a unit of its own."""
        return _unit(comparison_id, self.contests[comparison_id])

    @property
    def gold_json(self) -> dict[str, int]:
        """How much is kept apart, to stand beside the numbers."""
        return {"comparisons": len(self.expected), "votes": len(self.on_gold)}

    @property
    def gold_notes(self) -> list[str]:
        """The same as a sentence, where there is something to say."""
        said, of = len(self.on_gold), len({vote.comparison_id for vote in self.on_gold})
        told = f"{counted(said, 'vote')} on {counted(of, 'comparison')} with a known answer"
        return [f"{told} {'is' if said == 1 else 'are'} left out."] if said else []


def count(store: Store, study: str, with_excluded: bool = False) -> Counted:
    """Read a study; raises NotFound."""
    chosen = get_study(store, study)
    entries = contests(store, chosen.id)
    found = kept(store, chosen.id, said(store, chosen.id), with_excluded)
    names = _names(store, chosen, entries)
    expected = gold.standing(store, chosen.id)
    votes, on_gold = found.votes, list[Said]()
    if expected:
        on_gold = [vote for vote in votes if vote.comparison_id in expected]
        votes = [vote for vote in votes if vote.comparison_id not in expected]
    return Counted(chosen, names, entries, votes, _judged(votes, entries), found.excluded, expected, on_gold)


def counting_votes(store: Store, study_id: str) -> list[Said]:
    """The votes of a study that count: not those that somebody excluded, nor those on known answers."""
    expected = gold.standing(store, study_id)
    votes = kept(store, study_id, said(store, study_id)).votes
    return [vote for vote in votes if vote.comparison_id not in expected]


def count_votes(store: Store, study_id: str) -> int:
    """How many votes of a study count."""
    return len(counting_votes(store, study_id))


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
        models, unit = contest.models, _unit(vote.comparison_id, contest)
        bad = vote.choice == "both_bad"
        for first, second, value in orderings_of(vote):
            a, b = models[first], models[second]
            if a != b:
                found.append(Judged(a, b, value, bad, unit, vote))
    return found


def _unit(comparison_id: str, contest: Contest) -> str:
    return comparison_id if contest.prompt_sha256 == _NO_PROMPT else contest.begun


def _names(store: Store, study: Study, entries: dict[str, Contest]) -> list[str]:
    """The contestants: those that the study names, else its models, then whoever answered beside them."""
    own = [one.name for one in settings_of(study).contestants]
    if not own:
        known = {model.id: model.name for model in list_models(store, retired=True)}
        own = [known[model_id] for model_id in study.models if model_id in known]
    return list(dict.fromkeys([*own, *(name for contest in entries.values() for name in contest.models)]))
