"""Studies whose answers stand already, for tests of the layouts: what is judged needs no model."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.comparisons import NewComparison, add_comparison, create_study
from storage.models import add_model
from storage.prompts import as_messages
from storage.rows import Study, Vote
from storage.store import Store
from storage.votes import current_votes

ROOT = "[data-widget=compare]"
NAMES = ("nimble-otter", "grand-walrus", "quiet-heron", "brisk-marten", "pale-newt", "stout-ibis", "keen-lynx", "vole")


class Court(NamedTuple):
    """A study on a served site, and what was said in it."""

    url: str
    store: Store
    study: Study

    @property
    def path(self) -> str:
        """The page on which it is judged."""
        return f"/compare?study={self.study.name}"

    def votes(self) -> list[Vote]:
        """The votes that count, oldest first."""
        return sorted(current_votes(self.store, self.study.id), key=lambda vote: vote.created_at)


def hold(url: str, store: Store, name: str, answers: Sequence[Sequence[str]], **settings: Any) -> Court:
    """A study with one comparison for each list of answers; each position's model is the same throughout."""
    count = len(answers[0])
    known = {row["name"]: row["id"] for row in store.rows("select id, name from models")}
    models = [
        known.get(model) or add_model(store, model, "endpoint", url="http://127.0.0.1:9/v1", remote_name=model).id
        for model in NAMES[:count]
    ]
    study = create_study(store, name, [], None, {"sides": count, **settings}, seed=3)
    for number, texts in enumerate(answers):
        contestants = list(zip(models, NAMES, strict=False))
        add_comparison(store, study, NewComparison(as_messages(f"Question {number}?"), contestants, texts=list(texts)))
    return Court(url, store, study)


def ready(page: Any) -> None:
    """Wait until what is on the screen takes votes."""
    page.wait_for_selector(f"{ROOT}[data-state=ready]")


def on_to_the_next(page: Any, act: Any) -> None:
    """Do what votes, and wait until something else is on the screen or nothing is left."""
    before = page.get_attribute(ROOT, "data-comparison")
    act()
    page.wait_for_function(
        "([root, before]) => document.querySelector(root).dataset.comparison !== before", arg=[ROOT, before]
    )


def shown(page: Any) -> list[str]:
    """The answers as they stand, from left to right."""
    texts: list[str] = page.locator(".seat .answer").all_inner_texts()
    return [text.strip() for text in texts]
