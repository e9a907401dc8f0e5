"""Ratings by criterion: what each vote says of each answer, for agreement and for the means by contestant.

A vote in the studio holds for each criterion one value an answer. A vote from elsewhere may hold one value for the
whole comparison, which may be a word; it is a judgement of the comparison, of no contestant.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage.comparisons import get_study
from storage.details import criteria
from storage.errors import NotFound
from storage.store import Store
from studio.feedback.counting import Counted, count
from studio.feedback.kept_votes import kept
from studio.feedback.outcomes import LETTERS
from studio.feedback.ratings_table import Mean, Rating, means
from studio.feedback.study_settings import settings_of


class Scored(NamedTuple):
    """One value that somebody gave for a criterion. `position`: of the answer; None for the whole comparison."""

    comparison_id: str
    annotator: str
    key: str
    position: int | None
    value: float | str

    @property
    def item(self) -> str:
        """What was judged, by a name that tells comparison and answer."""
        return self.comparison_id if self.position is None else f"{self.comparison_id}:{LETTERS[self.position]}"


@dataclass(frozen=True)
class CriterionTable:
    """One criterion: the mean of each contestant."""

    key: str
    label: str
    scale: int | None
    """None where the study does not know the criterion: it came with votes from elsewhere."""

    models: list[Mean]

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        return {**vars(self), "models": [one.to_json() for one in self.models]}


def scores(store: Store, study_id: str, with_excluded: bool = False, without: Iterable[str] = ()) -> list[Scored]:
    """Every value that counts; those on the comparisons `without` (known answers) do not."""
    left_out = set(without)
    votes = kept(store, study_id, criteria(store, study_id), with_excluded).votes
    return [
        Scored(vote.comparison_id, vote.annotator, key, position, value)
        for vote in votes
        if vote.comparison_id not in left_out
        for key, values in json.loads(vote.criteria).items()
        for position, value in _values(values)
    ]


def keys(store: Store, study: str, found: Iterable[Scored]) -> dict[str, tuple[str, int | None]]:
    """The criteria of a study with label and scale: those of its settings, then others as votes name them."""
    known: dict[str, tuple[str, int | None]] = {
        one.key: (one.label, one.scale) for one in settings_of(get_study(store, study)).criteria
    }
    for one in found:
        known.setdefault(one.key, (one.key.replace("_", " "), None))
    return known


def of_criterion(store: Store, study: str, key: str, found: Iterable[Scored]) -> list[Scored]:
    """The values of one criterion; raises NotFound with the criteria there are."""
    listed = list(found)
    known = keys(store, study, listed)
    if key not in known:
        names = ", ".join(known) or "none"
        raise NotFound(f'The study "{study}" has no criterion "{key}"; there are: {names}.')
    return [one for one in listed if one.key == key]


def tables(store: Store, study: str, with_excluded: bool = False) -> list[CriterionTable]:
    """The criteria of a study with the means of its contestants; raises NotFound."""
    counted = count(store, study, with_excluded)
    found = scores(store, counted.study.id, with_excluded, counted.expected)
    return [
        CriterionTable(key, label, scale, means(_ratings(counted, found, key), counted.names))
        for key, (label, scale) in keys(store, study, found).items()
    ]


def _ratings(counted: Counted, found: Iterable[Scored], key: str) -> Iterator[Rating]:
    for one in found:
        models = counted.contests[one.comparison_id].models
        if one.key == key and isinstance(one.value, float) and one.position is not None and one.position < len(models):
            yield Rating(models[one.position], counted.unit(one.comparison_id), one.value)


def _values(values: Any) -> Iterator[tuple[int | None, float | str]]:
    """The values of one criterion as the vote tells them: by position, or one for all."""
    several: Mapping[int | None, Any] = dict(enumerate(values)) if isinstance(values, list) else {None: values}
    for position, value in several.items():
        if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield position, value if isinstance(value, str) else float(value)
