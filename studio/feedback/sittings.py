"""A person at /compare: what lies before them, how far they are, and what their votes will do.

Nothing here names a model; names come with the answer to a vote, and with the standings when somebody asks for them.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from storage import standings, workdays
from storage.comparisons import get_study, list_studies
from storage.errors import NotFound
from storage.judgements import failed_in_a_row
from storage.models import get_model
from storage.rows import Study
from storage.standings import Standing
from storage.store import Store
from studio.feedback.amounts import amount
from studio.feedback.contestants import enough
from studio.feedback.filling import GIVE_UP
from studio.feedback.queue import closed_to, pairs
from studio.feedback.showing import without_names
from studio.feedback.studies import judgeable, newest_open, sampling_of
from studio.feedback.study_settings import StudySettings, settings_of

ENOUGH = 10
"""Pairs from which training on votes is offered; fewer leave too faint a mark."""


# Settings that a person who judges may know: nothing of who competes, who else judges, or how they are checked.
_TOLD = ("layout", "sides", "scale", "continues", "strength", "rationale", "pace", "overlap")


class Tally(NamedTuple):
    """How far a person is in a study, and how far the study is. `target`: votes that one sitting aims at.

    `round_done` of `round_total` slots are filled, by whomever; `left_of`: votes of this person that chose a side.
    """

    mine: int
    today: int
    target: int
    seconds_today: float
    left_chosen: int
    left_of: int
    round_done: int
    round_total: int


@dataclass(frozen=True)
class Sitting:
    """What the page needs to go on."""

    study: Study
    settings: StudySettings
    pairs: list[dict[str, Any]]
    tally: Tally
    standing: Standing
    guidelines: dict[str, Any] | None
    closed_to_me: str | None
    stuck: bool
    error: str | None
    """Why nothing more is asked, where the last comparisons failed."""

    def to_json(self) -> dict[str, Any]:
        """For the browser."""
        return {
            "study": self.study.name,
            "open": self.study.state == "open",
            "can_ask": enough(self.study),
            "has_prompts": self.study.prompts_id is not None,
            "sampling": asdict(sampling_of(self.study)),
            "settings": _told(self.settings),
            "guidelines": self.guidelines,
            "closed_to_me": self.closed_to_me,
            "pairs": self.pairs,
            "tally": self.tally._asdict(),
            "coming": self.standing.coming,
            "failed": self.standing.failed if self.stuck else 0,
            "error": self.error,
        }


def find_study(store: Store, name: str | None, annotator: str | None = None) -> Study | None:
    """The study asked for, or the newest open one in which this person takes part; None where there is none."""
    if name:
        return get_study(store, name)
    newest = newest_open(store)
    if newest is None or annotator is None or not closed_to(settings_of(newest), annotator):
        return newest
    theirs = (one["name"] for one in choices(store, annotator, sees_all=False) if one["open"])
    return next((get_study(store, one) for one in theirs), newest)


def sit(store: Store, study: Study, annotator: str, hold: Collection[str] = ()) -> Sitting:
    """What lies before a person in a study now; it is leased to them. `hold`: what the browser has already."""
    settings = settings_of(study)
    before = pairs(store, study, annotator, hold)
    standing = standings.standing(store, study.id, settings.overlap)
    stuck = bool(standing.failed) and failed_in_a_row(store, study.id, GIVE_UP) >= GIVE_UP
    return Sitting(
        study,
        settings,
        before,
        _tally(store, study, annotator, settings, standing),
        standing,
        store.one("select number, text from guidelines where study_id = ? order by number desc limit 1", [study.id]),
        closed_to(settings, annotator),
        stuck,
        without_names(standing.error or "", _names(store, study)) if stuck else None,
    )


def _names(store: Store, study: Study) -> list[str]:
    """What nobody may read before the vote: the models' own names, and those of the contestants."""
    models = [get_model(store, model_id) for model_id in study.models]
    known = [name for model in models for name in (model.name, model.remote_name) if name]
    return [*known, *(one.name for one in settings_of(study).contestants)]


def tally(store: Store, study: Study, annotator: str) -> Tally:
    """How far a person is."""
    settings = settings_of(study)
    return _tally(store, study, annotator, settings, standings.standing(store, study.id, settings.overlap))


def _tally(store: Store, study: Study, annotator: str, settings: StudySettings, standing: Standing) -> Tally:
    work = workdays.work(store, study.id, annotator)
    return Tally(
        mine=work.mine, today=work.today, target=settings.target, seconds_today=work.seconds_today,
        left_chosen=work.left_chosen, left_of=work.left_of, round_done=standing.done, round_total=standing.total,
    )  # fmt: skip


def _told(settings: StudySettings) -> dict[str, Any]:
    """The settings for the browser."""
    return {
        **{name: getattr(settings, name) for name in _TOLD},
        "criteria": [asdict(one) for one in settings.criteria],
        "chips": list(settings.chips),
        "skip_reasons": list(settings.skip_reasons),
    }


@dataclass(frozen=True)
class Progress:
    """What the votes of a study amount to so far, and how often this person chose the left answer."""

    study: str
    votes: int
    pairs: int
    dropped: dict[str, int]
    left_chosen: int
    left_of: int

    def to_json(self) -> dict[str, Any]:
        """For the browser."""
        return {
            **asdict(self),
            "enough": self.pairs >= ENOUGH,
            "missing": max(0, ENOUGH - self.pairs),
            "train": f"/train?method=dpo&study={self.study}",
        }


def progress(store: Store, study: Study, annotator: str) -> Progress:
    """What the votes will do."""
    found = amount(store, study)
    work = workdays.work(store, study.id, annotator)
    return Progress(study.name, found.votes, found.pairs, found.dropped, work.left_chosen, work.left_of)


def choices(store: Store, annotator: str, sees_all: bool = True) -> list[dict[str, Any]]:
    """The studies to choose from, newest first; those that hold only votes from files cannot be judged.

    `sees_all`: also those in which this person takes no part.
    """
    mine = workdays.given_by(store, annotator)
    return [
        {"name": study.name, "open": study.state == "open", "mine": mine.get(study.id, 0)}
        for study in list_studies(store)
        if judgeable(study) and (sees_all or not closed_to(settings_of(study), annotator))
    ]


def require(store: Store, name: str | None) -> Study:
    """The study asked for; raises NotFound where there is none at all."""
    study = find_study(store, name)
    if study is None:
        raise NotFound("There is nothing to compare yet: train a model, or make a study with `ratchet compare`.")
    return study
