"""Conversations of several turns: somebody writes on, and the contestants answer again.

"both": every side goes on from its own answer, and only the conversation's end is judged; left stays left, for nobody
knows yet who that is. "chosen": the vote decides which answer becomes part of the conversation, for both sides; as
names may be known after a vote, the sides are drawn anew.

The conversation keeps the split of its first prompt: what measures at its beginning does not train later on. The
same words sent twice go on once.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from storage import gold, leases
from storage.clock import blind_id
from storage.comparisons import NewComparison, Whole, add_comparison, children, get_comparison, mark
from storage.errors import BadInput, Conflict, Forbidden, NotReady
from storage.prompts import Messages
from storage.rows import Study, Vote
from storage.store import Store
from storage.votes import current_vote
from studio.feedback.ballots import SIDES, Ballot
from studio.feedback.conversations import tail
from studio.feedback.outcomes import LETTERS
from studio.feedback.queue import closed_to, find, present, reserve
from studio.feedback.showing import Shown, shown_order
from studio.feedback.study_settings import settings_of
from studio.feedback.voting import cast

BOTH = "both"
MODES = (BOTH, *SIDES)

_LONGEST = 50_000  # characters that somebody may type or paste as one turn
_MOST_TURNS = 100


class GoneOn(NamedTuple):
    """The comparison in which a conversation goes on, and the vote that chose for it, where there is one."""

    shown: Shown
    vote: Vote | None


def go_on(
    store: Store, study: Study, annotator: str, shown: Shown, mode: str, prompt: str, ballot: Ballot | None = None
) -> GoneOn:
    """Write on in a conversation; the comparison that follows is kept for this person.

    `mode`: "both", or the side whose answer both go on from. `ballot`: the vote that this counts as, where none was
    given before. Raises BadInput, Conflict, NotReady or Forbidden with what stands against it.
    """
    text = _checked(store, study, annotator, shown, mode, prompt)
    if mode == BOTH:
        return GoneOn(_both(store, study, annotator, shown, text), None)
    vote = _chosen_vote(store, study, annotator, shown, mode, ballot)
    return GoneOn(_chosen(store, study, annotator, shown, SIDES.index(mode), text), vote)


def _checked(store: Store, study: Study, annotator: str, shown: Shown, mode: str, prompt: str) -> str:
    """The text of the turn, where this conversation can go on so."""
    settings = settings_of(study)
    if sentence := closed_to(settings, annotator):
        raise Forbidden(sentence)
    if mode not in MODES:
        raise BadInput(f'A conversation goes on by one of {", ".join(MODES)}, not by "{mode[:40]}".')
    if shown.layout != "turns":
        raise BadInput(f'Study "{study.name}" judges single answers; conversations need the layout "turns".')
    if (settings.continues == BOTH) != (mode == BOTH):
        way = "both sides go on" if settings.continues == BOTH else "the chosen answer goes on"
        raise BadInput(f'In study "{study.name}" {way}; that is its setting "continues".')
    if shown.whole.comparison.state not in ("ready", "retired", "continued"):
        raise NotReady("These answers are not complete yet; go on when both are.")
    if any(answer.model_id is None for answer in shown.answers):
        raise BadInput("These answers come from a file; there is no model that could go on.")
    text = prompt.strip()
    if not text:
        raise BadInput("Write the next turn first.")
    if len(text) > _LONGEST:
        raise BadInput(f"That turn has {len(text):,} characters; {_LONGEST:,} is the most.")
    if len(shown.whole.comparison.prompt) + len(shown.answers[0].history or ()) >= _MOST_TURNS:
        raise BadInput(f"This conversation has {_MOST_TURNS} turns, which is the most.")
    return text


def _both(store: Store, study: Study, annotator: str, shown: Shown, text: str) -> Shown:
    """Every side goes on by itself."""
    whole = shown.whole
    histories = [_went_on(tail(answer), text) for answer in whole.answers]
    with store.write():
        for child in children(store, whole.comparison.id):
            if _alike(_histories(child), histories):
                return _leased(store, study, annotator, child)
        if shown.alias is None and current_vote(store, whole.comparison.id, annotator):
            raise Conflict("You have voted on this conversation, so it has ended; take the vote back to go on.")
        if get_comparison(store, whole.comparison.id).comparison.state == "continued":
            raise Conflict("This conversation goes on with other words already; reload the page.")
        new_comparison = blind_id()
        places = _same_sides(study, new_comparison, annotator, shown)
        new = NewComparison(
            whole.comparison.prompt,
            _contestants(whole, places),
            histories=[histories[place] for place in places],
            id=new_comparison,
        )
        child = _add(store, study, whole, new)
        # What checks the person stays as it is for the next one.
        if shown.alias is None and whole.comparison.id not in gold.standing(store, study.id):
            mark(store, whole.comparison.id, "continued")
        leases.end(store, whole.comparison.id, annotator)
        return _leased(store, study, annotator, child)


def _same_sides(study: Study, new_comparison: str, annotator: str, shown: Shown) -> list[int]:
    """Which answer takes which position, so that for this person all stay on their sides."""
    drawn = shown_order(study.seed, new_comparison, annotator, len(shown.order))
    return [shown.order[drawn.index(position)] for position in range(len(drawn))]


def _chosen_vote(
    store: Store, study: Study, annotator: str, shown: Shown, mode: str, ballot: Ballot | None
) -> Vote | None:
    """The vote on what was chosen from: given before, or given by this."""
    given = current_vote(store, shown.whole.comparison.id, annotator)
    if given is None or given.choice == "skip":
        if ballot is None:
            raise Conflict("Vote first; the conversation goes on from the answer that you choose.")
        return cast(store, study, annotator, ballot).vote
    chosen = LETTERS[shown.order[SIDES.index(mode)]]
    if given.choice in LETTERS[:2] and given.choice != chosen:
        raise Conflict(f"Your vote chose the other answer; change it, or go on without the {mode} one.")
    return given


def _chosen(store: Store, study: Study, annotator: str, shown: Shown, side: int, text: str) -> Shown:
    """The answer on a side becomes part of what both go on from."""
    whole = shown.whole
    prompt = _went_on([*whole.comparison.prompt, *tail(shown.answers[side])], text)
    with store.write():
        for child in children(store, whole.comparison.id):
            if child.comparison.prompt == prompt:
                return _leased(store, study, annotator, child)
        child = _add(store, study, whole, NewComparison(prompt, _contestants(whole, range(len(whole.answers)))))
        return _leased(store, study, annotator, child)


def _contestants(whole: Whole, places: Sequence[int]) -> list[tuple[str | None, str]]:
    return [(whole.answers[place].model_id, whole.answers[place].model_name) for place in places]


def _add(store: Store, study: Study, parent: Whole, new: NewComparison) -> Whole:
    """The next comparison of a conversation. Somebody sits before it, as before a typed question."""
    before = parent.comparison
    made = add_comparison(store, study, replace(new, source="free", parent_id=before.id, split=before.split))
    return Whole(made, [])


def _leased(store: Store, study: Study, annotator: str, child: Whole) -> Shown:
    """Kept for who wrote on, and shown before all others, unless they have judged it."""
    if current_vote(store, child.comparison.id, annotator):
        return find(store, study, annotator, child.comparison.id)
    return present(store, study, reserve(store, study, annotator, child.comparison.id, leases.TYPED))


def _histories(whole: Whole) -> list[Messages]:
    return [answer.history or [] for answer in whole.answers]


def _alike(first: list[Messages], second: list[Messages]) -> bool:
    """Whether the same turns stand in both, at whichever positions."""
    return sorted(map(json.dumps, first)) == sorted(map(json.dumps, second))


def _went_on(turns: Messages, text: str) -> Messages:
    return [*turns, {"role": "user", "content": text}]
