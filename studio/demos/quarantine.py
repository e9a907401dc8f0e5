"""Votes from demos, before and after a curator decides.

Until then they are in no study: no number, no export and no training knows them. Accepted, each becomes a comparison
with the answers that the visitor saw and a vote from the source "demo", in a study of that demo's own, closed, because
nobody else is to judge there; refused, it stays where it is. Either is taken back as a whole: votes that were accepted
are withdrawn as any other, by a row that supersedes them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from storage import comparisons, demo_talk, demos, votes
from storage.clock import new_id
from storage.comparisons import NewComparison
from storage.demo_talk import ACCEPTED, PENDING, REFUSED, Said, Thought
from storage.demos import Demo
from storage.errors import Conflict, NotFound
from storage.prompts import text_sha256
from storage.rows import RATED, Study, Vote
from storage.store import Store
from studio.demos.judging import DOWN, THUMBS, UP
from studio.feedback.voting import withdrawal
from studio.people.roles import Action, Actor, require

SOURCE = "demo"
_RATINGS = {UP: 2.0, DOWN: 1.0}
_SETTINGS = {"scale": 2}
_MOST_LISTED = 200
_PART = 200
"""Votes decided in one write: some 0.3 s."""


def waiting(store: Store, actor: Actor, name: str, state: str = PENDING, limit: int = 50) -> list[dict[str, Any]]:
    """Votes of a demo with what was asked and answered, newest first; raises Forbidden, NotFound."""
    require(actor, Action.SEE_RESULTS)
    demo = demos.get(store, name)
    found = demo_talk.thoughts(store, demo.id, state, limit=min(limit, _MOST_LISTED))
    return [_to_json(store, demo, one) for one in found]


def accept(store: Store, actor: Actor, name: str, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Let votes that wait count (those named, or all); raises Forbidden, NotFound, Conflict where none waits."""
    require(actor, Action.RUN_STUDIES)
    demo = demos.get(store, name)
    decision = new_id()

    def take_in(one: Thought) -> None:
        study = _study(store, demos.get(store, name))
        comparison_id = _take_in(store, study, one, _answers(store, demo, one))
        demo_talk.decide(store, one, ACCEPTED, actor.name, decision, comparison_id)

    done = _decide_each(store, demo, only, take_in)
    study = _study(store, demos.get(store, name))
    return {"demo": demo.name, "accepted": done, "study": study.name, "decision": decision}


def refuse(store: Store, actor: Actor, name: str, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Leave votes that wait out for good (those named, or all); raises as `accept`."""
    require(actor, Action.RUN_STUDIES)
    demo = demos.get(store, name)
    decision = new_id()
    done = _decide_each(store, demo, only, lambda one: demo_talk.decide(store, one, REFUSED, actor.name, decision))
    return {"demo": demo.name, "refused": done, "decision": decision}


def take_back(store: Store, actor: Actor, name: str, decision: str | None = None) -> dict[str, Any]:
    """Put the votes of a decision (else the last one) back to where they waited; raises Forbidden, NotFound."""
    require(actor, Action.RUN_STUDIES)
    demo = demos.get(store, name)
    last = decision or demo_talk.last_decision(store, demo.id)
    done = 0
    while found := _undo_some(store, demo, last, actor) if last else 0:
        done += found
    if not done:
        raise NotFound(f'Nothing is decided about the votes of "{name}" that could be taken back.')
    return {"demo": demo.name, "taken_back": done}


def annotator_of(visitor: str) -> str:
    """The name under which a visitor's accepted votes stand."""
    return f"visitor {visitor}"


def _chosen(store: Store, demo: Demo, only: Sequence[str] | None) -> list[Thought]:
    """The votes that wait, oldest first; raises Conflict where a named one does not wait any more, or none does."""
    found = demo_talk.thoughts(store, demo.id, PENDING)[::-1]
    if only is not None:
        found = [one for one in found if one.id in set(only)]
    if not found or (only is not None and len(found) != len(set(only))):
        raise Conflict("Some of these votes do not wait any more; reload the page." if only else "No vote waits here.")
    return found


def _decide_each(store: Store, demo: Demo, only: Sequence[str] | None, act: Callable[[Thought], None]) -> int:
    """Do it to each vote that is meant, in parts, so that nobody's voting waits for thousands; how many it was.

    What a visitor changes between two parts waits on, under another id.
    """
    with store.write():
        chosen = _chosen(store, demo, only)
        for one in chosen[:_PART]:
            act(one)
    done = len(chosen[:_PART])
    for start in range(_PART, len(chosen), _PART):
        with store.write():
            for one in chosen[start : start + _PART]:
                if demo_talk.waits(store, one):
                    act(one)
                    done += 1
    return done


def _undo_some(store: Store, demo: Demo, decision: str, actor: Actor) -> int:
    """Take back a part of a decision, in one write; how many votes it was."""
    with store.write():
        found = demo_talk.thoughts(store, demo.id, decision=decision, limit=_PART)
        for one in found:
            if one.comparison_id is not None:
                _withdraw(store, one.comparison_id, annotator_of(one.visitor))
            demo_talk.decide(store, one, PENDING, actor.name, None)
    return len(found)


def _study(store: Store, demo: Demo) -> Study:
    """The study of a demo's accepted votes, made with the first of them."""
    if demo.study_id is not None:
        return comparisons.get_study(store, demo.study_id)
    taken = {study.name for study in comparisons.list_studies(store)}
    wish = f"demo-{demo.name}"[:60]
    name = next(one for number in range(1, len(taken) + 3) if (one := wish + f"-{number}" * (number > 1)) not in taken)
    made = comparisons.create_study(store, name, [], None, dict(_SETTINGS))
    comparisons.set_state(store, made.id, "closed")
    demos.set_study(store, demo, made.id)
    return made


def _answers(store: Store, demo: Demo, one: Thought) -> list[Said]:
    """What a vote is about, from left to right; answers with a vote are never forgotten."""
    found = [demo_talk.answer(store, demo.id, answer_id) for answer_id in one.answers]
    return [said for said in found if said is not None]


def _take_in(store: Store, study: Study, one: Thought, said: Sequence[Said]) -> str:
    """Write the comparison and the vote; positions are as the visitor saw them."""
    new = NewComparison(
        said[0].prompt, [(answer.model_id, answer.model_name) for answer in said], SOURCE,
        texts=[answer.text for answer in said],
    )  # fmt: skip
    made = comparisons.add_comparison(store, study, new)
    for place, answer in zip(comparisons.answers_of(store, made.id), said, strict=True):
        comparisons.fill_answer(
            store, place.id, answer.text, answer.stamp, answer.tokens or 0, answer.seconds or 0.0
        )  # fmt: skip
    votes.cast(store, _vote(study, made.id, one, said))
    return made.id


def _vote(study: Study, comparison_id: str, one: Thought, said: Sequence[Said]) -> Vote:
    thumb = one.choice in THUMBS
    return Vote(
        id=new_id(), comparison_id=comparison_id, study_id=study.id, annotator=annotator_of(one.visitor),
        choice=RATED if thumb else one.choice, ranking=None, strength=None, criteria=None, rationale=None, edited=None,
        shown_order=list(range(len(said))), shown_sha256=[text_sha256(answer.text) for answer in said], seconds=None,
        source=SOURCE, supersedes=None, created_at=one.created_at, rating=_RATINGS[one.choice] if thumb else None,
    )  # fmt: skip


def _withdraw(store: Store, comparison_id: str, annotator: str) -> None:
    standing = votes.current_vote(store, comparison_id, annotator)
    if standing is not None:
        votes.cast(store, withdrawal(standing))
    comparisons.mark(store, comparison_id, "retired")


def _to_json(store: Store, demo: Demo, one: Thought) -> dict[str, Any]:
    said = _answers(store, demo, one)
    return {
        "id": one.id, "visitor": one.visitor, "choice": one.choice, "state": one.state, "created_at": one.created_at,
        "decided_by": one.decided_by, "prompt": said[0].prompt if said else [],
        "answers": [{"model": answer.model_name, "text": answer.text} for answer in said],
    }  # fmt: skip
