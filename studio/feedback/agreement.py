"""How well people agree in a study: on labels that came from elsewhere, or on their votes.

Votes count as labels of comparisons: who won. Where they are ordered (ordinal), a win of A and a win of B are the
ends and ties lie between.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from storage.comparisons import get_study
from storage.errors import BadInput
from storage.judgements import labels, said
from storage.store import Store
from studio.feedback import coefficients
from studio.feedback.coefficients import Table
from studio.feedback.exclusions import kept

LEVELS = ("nominal", "ordinal", "interval")
# Votes in the order from "A is better" to "B is better"; that both are bad says as little about who won as a tie.
_VOTE_ORDER = {"a": 0.0, "tie": 1.0, "both_bad": 1.0, "b": 2.0}
_MOST_DISPUTED = 200


class Judgement(NamedTuple):
    """One person's label of one item."""

    item: str
    annotator: str
    label: Hashable


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
        }


def agreement(store: Store, study: str, level: str = "nominal", with_excluded: bool = False) -> Agreement:
    """Agreement in a study: over its labels where it has any, else over its votes.

    Raises NotFound, and BadInput for an unknown level or for words where numbers are needed.
    """
    if level not in LEVELS:
        raise BadInput(f'"{level}" is no level of measurement; the levels are {", ".join(LEVELS)}.')
    chosen = get_study(store, study)
    given = _labels(store, chosen.id, with_excluded)
    of_labels = bool(given.found)
    found, excluded = given if of_labels else _votes(store, chosen.id, with_excluded)
    coded = _coded(found, level, votes=not of_labels)
    return _measured(chosen.name, level, found, coded, excluded, votes=not of_labels)


class _Found(NamedTuple):
    """Judgements that count, and what was left out."""

    found: list[Judgement]
    excluded: list[dict[str, Any]]


def _labels(store: Store, study_id: str, with_excluded: bool) -> _Found:
    """The labels of a study; null is no label."""
    counting = kept(store, study_id, labels(store, study_id), with_excluded)
    decoded = [Judgement(one.item, one.annotator, json.loads(one.label)) for one in counting.votes]
    return _Found([one for one in decoded if one.label is not None], counting.excluded)


def _votes(store: Store, study_id: str, with_excluded: bool) -> _Found:
    """The votes that count, as labels of comparisons of two."""
    counting = kept(store, study_id, said(store, study_id), with_excluded)
    judged = [
        Judgement(vote.comparison_id, vote.annotator, vote.choice)
        for vote in counting.votes
        if vote.choice in _VOTE_ORDER
    ]
    return _Found(judged, counting.excluded)


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
        return {kind: _VOTE_ORDER[kind] if level != "nominal" else kind for kind in kinds}
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


def _measured(
    study: str, level: str, found: Sequence[Judgement], coded: _Coded, excluded: list[dict[str, Any]], *, votes: bool
) -> Agreement:
    count = len(coded.categories)
    chance = coefficients.several(coded.table, max(count, 1))
    pairs = coefficients.pairs(coded.table, max(count, 1))
    between = coefficients.alpha_interval(coded.table, coded.values, level) if found else None
    disputed = _disputed(coded)
    ordered = all(isinstance(one, float) for one in coded.categories)
    return Agreement(
        study,
        level,
        len(coded.items),
        len(coded.people),
        len(found),
        {
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
            "krippendorff_alpha": coefficients.alpha(coded.table, coded.values, level) if found else None,
            "low": between.low if between else None,
            "high": between.high if between else None,
        },
        [
            {
                "a": coded.people[pair.a],
                "b": coded.people[pair.b],
                "n": pair.n,
                "percent": pair.percent,
                "cohen_kappa": pair.cohen,
            }
            for pair in pairs
        ],
        disputed[:_MOST_DISPUTED],
        len(disputed),
        _notes(found, ordered, votes),
        excluded,
    )


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
