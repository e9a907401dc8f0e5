"""What visitors think of answers: a thumb for one, or which of two is better. It waits in quarantine."""

from collections.abc import Sequence
from typing import Any

from storage import demo_talk
from storage.demos import Demo
from storage.errors import BadInput, Conflict, NotFound, TooMany
from storage.store import Store
from studio.demos.talking import FORGOTTEN, STOPPED
from studio.demos.terms import Terms

UP, DOWN = "up", "down"
THUMBS = (UP, DOWN)
BETTER = ("a", "b", "tie", "both_bad")
MOST_WAITING = 10_000
"""Votes of one demo that wait for a curator: strangers fill no disk."""


def vote(store: Store, demo: Demo, visitor: str, answers: Sequence[str], choice: str | None) -> dict[str, Any]:
    """Keep what a visitor thinks of one answer, or of two as they stood from left to right; None takes it back.

    Raises BadInput for what no vote can say, NotFound for answers that are not this visitor's, Conflict where a
    curator has decided it already, TooMany. Names of models are told where the demo shows them.
    """
    words = {1: THUMBS, 2: BETTER}.get(len(answers))
    if words is None or len(set(answers)) != len(answers):
        raise BadInput("A vote is about one answer, or about two.")
    if choice is not None and choice not in words:
        raise BadInput(f"The choice is one of {', '.join(words)}.")
    said = [demo_talk.answer(store, demo.id, one, visitor) for one in answers]
    whole = [one for one in said if one is not None and one.finish != STOPPED]
    if len(whole) != len(answers):
        raise NotFound(FORGOTTEN if None in said else "An answer that was stopped cannot be judged.")
    if any(one.prompt != whole[0].prompt for one in whole):
        raise BadInput("Two answers are compared on the same question.")
    if choice is not None and demo_talk.counts(store, demo.id)[demo_talk.PENDING] >= MOST_WAITING:
        raise TooMany("This demo has as many votes as can be looked at for now; thank you.")
    if not demo_talk.think(store, demo.id, visitor, answers, choice):
        raise Conflict("Your vote has been taken in already; thank you.")
    told: dict[str, Any] = {"kept": choice is not None}
    if Terms.from_json(demo.settings).names:
        told["models"] = [one.model_name for one in whole]
    return told
