"""A study of two models on a few prompts, with answers that stand already, for tests about votes."""

from typing import NamedTuple

import pytest

from storage.comparisons import NewComparison, Whole, add_comparison, create_study, get_comparison
from storage.models import add_model
from storage.prompts import as_messages
from storage.rows import Study
from storage.rows_training import Model
from storage.store import Store
from studio.feedback.ballots import SIDES, Ballot
from studio.feedback.showing import show
from studio.feedback.voting import cast

# By hash, votes on this prompt only measure; those on the others train.
MEASURING = "What is 7 plus 7?"
TRAINING = "What is 1 plus 1?"


class Bench(NamedTuple):
    """A study and the ways in which tests act on it."""

    store: Store
    study: Study
    models: tuple[Model, Model]

    def compare(self, prompt: str = TRAINING, texts: tuple[str, str] = ("yes", "no")) -> Whole:
        """A comparison that is ready for voting."""
        contestants = [(model.id, model.name) for model in self.models]
        new = NewComparison(as_messages(prompt), contestants, texts=list(texts))
        return get_comparison(self.store, add_comparison(self.store, self.study, new).id)

    def vote(self, whole: Whole, choice: str, annotator: str = "ann", vote_id: str | None = None) -> str:
        """Vote for position "a" or "b" (wherever it is shown), "tie", "both_bad" or "skip"; returns the vote's id."""
        shown = show(self.study, whole, annotator)
        seen = SIDES[shown.order.index("ab".index(choice))] if choice in ("a", "b") else choice
        identity = vote_id or f"{whole.comparison.id}-{annotator}"
        hashes = [answer.sha256 or "" for answer in shown.answers]
        return cast(self.store, self.study, annotator, Ballot(identity, whole.comparison.id, seen, hashes)).vote.id


@pytest.fixture
def bench(store: Store) -> Bench:
    models = (
        add_model(store, "nimble-otter", "endpoint", url="http://127.0.0.1:9/v1", remote_name="o"),
        add_model(store, "grand-walrus", "endpoint", url="http://127.0.0.1:9/v1", remote_name="w"),
    )
    return Bench(store, create_study(store, "first-look", models, None, seed=3), models)
