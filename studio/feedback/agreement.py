"""How well people agree in a study: with each other, with known answers, and with themselves.

Votes count as labels of comparisons: who won. Where they are ordered (ordinal), a win of A and a win of B are the
ends and ties lie between.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from storage.details import second_looks
from storage.errors import BadInput
from storage.store import Store
from studio.feedback import coefficients
from studio.feedback.coefficients import Table
from studio.feedback.disputes import Dispute, disputes, span_of
from studio.feedback.kept_votes import kept
from studio.feedback.labelling import VOTE_ORDER, Judgement, Labelled, labelled
from studio.feedback.study_settings import settings_of
from studio.feedback.trust import gold_of_all, oneself

LEVELS = ("nominal", "ordinal", "interval")
_MOST_DISPUTED = 200


class _Coded(NamedTuple):
    """Judgements as a table of category numbers, with the names of its rows, columns and categories."""

    table: Table
    items: list[str]
    people: list[str]
    categories: list[Any]
    values: list[float]


@dataclass(frozen=True)
class Agreement:
    """The coefficients of DESIGN 4.2; None where the labels do not determine one."""

    study: str
    level: str
    items: int
    annotators: int
    labels: int
    coefficients: dict[str, Any]
    pairs: list[dict[str, Any]]
    disputed: list[dict[str, Any]]
    disputed_count: int
    notes: list[str]
    excluded: list[dict[str, Any]]
    of: str
    """What the labels are: labels from elsewhere, votes, ratings, or a criterion."""

    criterion: str | None
    gold: dict[str, Any]
    """How often votes on known answers were right: rate, low, high, n."""

    oneself: dict[str, Any]
    """Second looks: rate, low, high, n, kappa, left_both, right_both."""

    def to_json(self) -> dict[str, Any]:
        """The keys of the command line."""
        return {
            "study": self.study,
            "level": self.level,
            "items": self.items,
            "annotators": self.annotators,
            "labels": self.labels,
            **self.coefficients,
            "pairs": self.pairs,
            "disputed": self.disputed,
            "disputed_count": self.disputed_count,
            "notes": self.notes,
            "excluded": self.excluded,
            "of": self.of,
            "criterion": self.criterion,
            "gold": self.gold,
            "oneself": self.oneself,
        }


def agreement(
    store: Store,
    study: str,
    level: str | None = None,
    with_excluded: bool = False,
    criterion: str | None = None,
) -> Agreement:
    """Agreement in a study: over one criterion if it is given, else over its labels if it has any, else over its votes.

    `level`: unless given, ordinal for ratings and criteria in numbers, else nominal. Raises NotFound, and BadInput for
    an unknown level or for words where numbers are needed.
    """
    if level is not None and level not in LEVELS:
        raise BadInput(f'"{level}" is no level of measurement; the levels are {", ".join(LEVELS)}.')
    found = labelled(store, study, criterion, with_excluded)
    return _measured(store, found, level or _level(found), criterion, with_excluded)


def _level(found: Labelled) -> str:
    """The level that the labels have by themselves."""
    numbers = all(isinstance(one.label, float) for one in found.judgements)
    return "ordinal" if found.of in ("ratings", "criterion") and numbers else "nominal"


def _coded(found: Sequence[Judgement], level: str, *, votes: bool) -> _Coded:
    """Judgements as numbers of categories."""
    worth = _worth({one.label for one in found}, level, votes)
    ranks = sorted(set(worth.values()), key=lambda value: (isinstance(value, str), value))
    number = {label: ranks.index(value) for label, value in worth.items()}
    items = list(dict.fromkeys(one.item for one in found))
    people = list(dict.fromkeys(one.annotator for one in found))
    row = {name: index for index, name in enumerate(items)}
    column = {name: index for index, name in enumerate(people)}
    table = np.full((len(items), len(people)), -1, dtype=np.int64)
    for one in found:
        table[row[one.item], column[one.annotator]] = number[one.label]
    values = [value if isinstance(value, float) else float(index) for index, value in enumerate(ranks)]
    return _Coded(table, items, people, ranks, values)


def _worth(kinds: Iterable[Any], level: str, votes: bool) -> dict[Any, Any]:
    """What each label is worth: a number where it is one, itself where it is a word."""
    kinds = list(kinds)
    if votes:
        return {kind: VOTE_ORDER[kind] if level != "nominal" else kind for kind in kinds}
    numbers = {kind: _number(kind) for kind in kinds}
    if all(value is not None for value in numbers.values()):
        return numbers
    if level != "nominal":
        word = next(kind for kind, value in numbers.items() if value is None)
        raise BadInput(f'The label "{word}" is no number, so labels have no order; use --level nominal.')
    return {kind: str(kind) for kind in kinds}


def _number(label: Any) -> float | None:
    try:
        value = float(label)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def _measured(store: Store, labelled: Labelled, level: str, criterion: str | None, with_excluded: bool) -> Agreement:
    found, votes = labelled.judgements, labelled.of == "votes"
    coded = _coded(found, level, votes=votes)
    pairs = coefficients.pairs(coded.table, max(len(coded.categories), 1))
    disputed = _disputed_votes(labelled) if labelled.votes else _disputed(coded)
    ordered = all(isinstance(one, float) for one in coded.categories)
    study = labelled.counted.study
    looks = kept(store, study.id, second_looks(store, study.id), with_excluded).votes
    return Agreement(
        study.name,
        level,
        len(coded.items),
        len(coded.people),
        len(found),
        _coefficients(coded, pairs, level),
        [_pair(coded.people, pair) for pair in pairs],
        disputed[:_MOST_DISPUTED],
        len(disputed),
        _notes(found, ordered, votes) + labelled.notes,
        labelled.excluded,
        labelled.of,
        criterion,
        gold_of_all(labelled.counted)._asdict(),
        oneself(looks).to_json(),
    )


def _coefficients(coded: _Coded, pairs: Sequence[coefficients.Pair], level: str) -> dict[str, Any]:
    """The numbers of DESIGN 4.2; None where the labels do not determine one."""
    some = bool(coded.items)
    chance = coefficients.several(coded.table, max(len(coded.categories), 1))
    between = coefficients.alpha_interval(coded.table, coded.values, level) if some else None
    return {
        "percent": chance.percent,
        "cohen_kappa": _mean(pair.cohen for pair in pairs),
        "weighted_kappa": {
            "linear": _mean(pair.linear for pair in pairs),
            "quadratic": _mean(pair.quadratic for pair in pairs),
        },
        "fleiss_kappa": chance.fleiss,
        "scott_pi": _mean(pair.scott for pair in pairs),
        "conger_kappa": chance.conger,
        "gwet_ac1": chance.gwet,
        "brennan_prediger": chance.brennan_prediger,
        "krippendorff_alpha": coefficients.alpha(coded.table, coded.values, level) if some else None,
        "low": between.low if between else None,
        "high": between.high if between else None,
    }


def _pair(people: Sequence[str], pair: coefficients.Pair) -> dict[str, Any]:
    return {
        "a": people[pair.a],
        "b": people[pair.b],
        "n": pair.n,
        "percent": pair.percent,
        "cohen_kappa": pair.cohen,
        "cohen_error": pair.cohen_error._asdict() if pair.cohen_error else None,
        "linear_kappa": pair.linear,
        "linear_error": pair.linear_error._asdict() if pair.linear_error else None,
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _disputed(coded: _Coded) -> list[dict[str, Any]]:
    """Items on which people disagree, the most evenly split first."""
    found = []
    for item, row in zip(coded.items, coded.table, strict=True):
        said = Counter(coded.categories[number] for number in row.tolist() if number >= 0)
        if len(said) > 1:
            share = max(said.values()) / said.total()
            found.append({"item": item, "labels": {_word(kind): n for kind, n in said.items()}, "majority": share})
    return sorted(found, key=lambda one: (one["majority"], one["item"]))


def _disputed_votes(labelled: Labelled) -> list[dict[str, Any]]:
    """Comparisons on which votes disagree, the most split first; labels in words that tell positions."""
    ratings = [vote.rating for vote in labelled.votes if vote.rating is not None]
    span = span_of(ratings, settings_of(labelled.counted.study).scale)
    return [_dispute(one) for one in disputes(labelled.votes, span)]


def _dispute(one: Dispute) -> dict[str, Any]:
    said = Counter[str]()
    for opinion, number in one.opinions.items():
        said[opinion.word] += number
    return {"item": one.comparison_id, "labels": dict(said), "majority": one.majority, "split": one.split}


def _word(kind: Any) -> str:
    return f"{kind:g}" if isinstance(kind, float) else str(kind)


def _notes(found: Sequence[Judgement], ordered: bool, votes: bool) -> list[str]:
    """What must be known to read the numbers."""
    notes = []
    if not found:
        notes.append("Nobody has judged anything in this study yet.")
    if found and not ordered:
        order = "in the order of the alphabet" if not votes else "in the order a, b, both_bad, tie"
        notes.append(f"The labels are words: the weighted kappas take them {order}.")
    return notes
