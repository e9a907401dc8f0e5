"""What visitors think of answers: a thumb for one, or which of two is better. It waits in quarantine."""

from collections.abc import Sequence
from typing import Any

from storage import demo_talk
from storage.demo_talk import Said
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

    Names of two models are told for the vote, where the demo shows them; from then on it stands, for it was blind.
    Raises BadInput for what no vote can say, NotFound for answers that are not this visitor's, Conflict where the vote
    stands or a curator has decided it already, TooMany.
    """
    said = _judged(store, demo, visitor, answers, choice)
    names = len(answers) == 2 and Terms.from_json(demo.settings).names
    with store.write():
        before = demo_talk.standing(store, demo.id, visitor, answers)
        if before is not None and before.state != demo_talk.PENDING:
            raise Conflict("Your vote has been taken in already; thank you.")
        same = before is not None and (before.answers, before.choice) == (list(answers), choice)
        if before is not None and names and not same:
            raise Conflict("The names were told for your vote, so it stays as it is; thank you.")
        if not same:
            demo_talk.think(store, demo.id, visitor, answers, choice)
    kept = choice is not None
    return {"kept": kept, **({"models": [one.model_name for one in said]} if names and kept else {})}


def _judged(store: Store, demo: Demo, visitor: str, answers: Sequence[str], choice: str | None) -> list[Said]:
    """The answers of a vote that can be; raises BadInput, NotFound, TooMany."""
    words = {1: THUMBS, 2: BETTER}.get(len(answers))
    if words is None or len(set(answers)) != len(answers):
        raise BadInput("A vote is about one answer, or about two.")
    if choice is not None and choice not in words:
        raise BadInput(f"The choice is one of {', '.join(words)}.")
    said = [demo_talk.answer(store, demo.id, one, visitor) for one in answers]
    whole = [one for one in said if one is not None and one.finish != STOPPED]
    if len(whole) != len(answers):
        raise NotFound(FORGOTTEN if None in said else "An answer that was stopped cannot be judged.")
    if len(whole) > 1 and (whole[0].question is None or whole[0].question != whole[1].question):
        raise BadInput("Two answers are compared where they were given side by side.")
    if choice is not None and demo_talk.counts(store, demo.id)[demo_talk.PENDING] >= MOST_WAITING:
        raise TooMany("This demo has as many votes as can be looked at for now; thank you.")
    return whole
