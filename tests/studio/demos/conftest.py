"""A demo whose models speak over real HTTP, and a visitor who asks and votes."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from storage import demo_talk
from storage.demos import Demo
from storage.models import add_model
from storage.store import Store
from studio.demos import judging, making
from studio.demos.pace import Pace
from studio.demos.talking import Question, Talks
from studio.people.roles import Actor
from tests.event_loop import run_alone
from tests.talker import Talker

OWNER = Actor("owner", "admin")
HERE = "10.0.0.1"
NAMES = ("nimble-otter", "grand-walrus")


class Stage(NamedTuple):
    """A store with two models and the ways in which tests act on it."""

    store: Store
    talker: Talker
    talks: Talks

    def demo(self, name: str = "fair", models: tuple[str, ...] = NAMES, **terms: Any) -> Demo:
        """Make a demo that gives two answers only on wish."""
        return making.make(self.store, OWNER, name, models, {"comparing": "wish", **terms}).demo

    def ask(
        self, demo: Demo, question: Question | str, visitor: str = "vera", address: str = HERE
    ) -> list[dict[str, Any]]:
        """Ask and hear everything."""
        asked = Question(question) if isinstance(question, str) else question

        async def hear() -> list[dict[str, Any]]:
            return [event async for event in self.talks.answer(demo, visitor, address, asked)]

        return run_alone(hear())

    def answered(self, demo: Demo, question: Question | str, visitor: str = "vera") -> list[str]:
        """Ask; the ids of the answers, from left to right."""
        begin, *_ = self.ask(demo, question, visitor, address=f"{HERE}-{visitor}")
        return list(begin["answers"])

    def voted(self, demo: Demo, choice: str, text: str = "Which?", visitor: str = "vera") -> list[str]:
        """Ask for what the choice needs, and choose."""
        answers = self.answered(demo, Question(text, pair=choice not in judging.THUMBS), visitor)
        judging.vote(self.store, demo, visitor, answers, choice)
        return answers

    def tally(self, demo: Demo) -> dict[str, int]:
        """How many votes are in which state."""
        return demo_talk.counts(self.store, demo.id)


@pytest.fixture
def stage(store: Store) -> Iterator[Stage]:
    """Otters say how many turns they were told; walruses are long."""
    talker = Talker(
        {
            "o": lambda messages, seed: f"otter heard {len(messages)}",
            "w": lambda messages, seed: "walrus says a great many words",
        }
    )
    for name in NAMES:
        begins = {"nimble-otter": "o", "grand-walrus": "w"}[name]
        add_model(store, name, "endpoint", url=talker.url, remote_name=begins)
    yield Stage(store, talker, Talks(store, Pace(), random.Random(7)))
    talker.close()
