"""A person at /compare: what lies before them, how far they are, and what their votes will do.

Nothing here names a model; names come with the answer to a vote, and with the standings when somebody asks for them.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from storage.comparisons import get_study, list_studies
from storage.errors import NotFound
from storage.judgements import Counts, counts, failed_in_a_row
from storage.models import get_model
from storage.rows import Study
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.filling import GIVE_UP
from studio.feedback.outcomes import left_chosen
from studio.feedback.preferences import preferences
from studio.feedback.showing import Shown, without_names
from studio.feedback.studies import newest_open, sampling_of, target_of
from studio.feedback.voting import given, upcoming

ENOUGH = 10
"""Pairs from which training on votes is offered; fewer leave too faint a mark."""


class Tally(NamedTuple):
    """How many votes of a person count in a study: in all, and since midnight."""

    mine: int
    today: int
    target: int


@dataclass(frozen=True)
class Sitting:
    """What the page needs to go on. `hold`: comparisons that the browser has already; only their ids are sent."""

    study: Study
    shown: list[Shown]
    tally: Tally
    waiting: Counts
    stuck: bool
    error: str | None
    """Why nothing more is asked, where the last comparisons failed."""

    def to_json(self, hold: Collection[str] = ()) -> dict[str, Any]:
        """For the browser."""
        return {
            "study": self.study.name,
            "open": self.study.state == "open",
            "can_ask": len(self.study.models) >= 2,
            "has_prompts": self.study.prompts_id is not None,
            "sampling": asdict(sampling_of(self.study)),
            "pairs": [
                {"comparison": shown.whole.comparison.id, "held": True} if _held(shown, hold) else shown.to_json()
                for shown in self.shown
            ],
            "tally": self.tally._asdict(),
            "coming": self.waiting.coming,
            "failed": self.waiting.failed if self.stuck else 0,
            "error": self.error,
        }


def find_study(store: Store, name: str | None) -> Study | None:
    """The study asked for, or the newest open one; None where there is none to choose."""
    return get_study(store, name) if name else newest_open(store)


def sit(store: Store, study: Study, annotator: str) -> Sitting:
    """What lies before a person in a study now."""
    waiting = counts(store, study.id, annotator)
    stuck = failed_in_a_row(store, study.id, GIVE_UP) >= GIVE_UP
    error = without_names(waiting.error or "", _names(store, study)) if stuck else None
    return Sitting(study, upcoming(store, study, annotator), tally(store, study, annotator), waiting, stuck, error)


def _names(store: Store, study: Study) -> list[str]:
    return [get_model(store, model_id).name for model_id in study.models]


def tally(store: Store, study: Study, annotator: str) -> Tally:
    """How far a person is."""
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    mine = given(store, study, annotator)
    return Tally(mine, given(store, study, annotator, midnight) if mine else 0, target_of(study))


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
    votes = [vote for vote in current_votes(store, study.id) if vote.choice != "skip"]
    made = preferences(store, study.name, "each")
    lefts = [left for vote in votes if vote.annotator == annotator and (left := left_chosen(vote)) is not None]
    return Progress(study.name, len(votes), len(made.pairs), made.dropped, sum(lefts), len(lefts))


def choices(store: Store, annotator: str) -> list[dict[str, Any]]:
    """The studies to choose from, newest first; those that hold only votes from files cannot be judged."""
    return [
        {"name": study.name, "open": study.state == "open", "mine": given(store, study, annotator)}
        for study in list_studies(store)
        if study.models
    ]


def require(store: Store, name: str | None) -> Study:
    """The study asked for; raises NotFound where there is none at all."""
    study = find_study(store, name)
    if study is None:
        raise NotFound("There is nothing to compare yet: train a model, or make a study with `ratchet compare`.")
    return study


def _held(shown: Shown, hold: Collection[str]) -> bool:
    """Whether the browser has all of this: a comparison that was incomplete is sent again."""
    return shown.whole.comparison.state == "ready" and shown.whole.comparison.id in hold
