"""Voting: what a person is shown, and what becomes of a vote.

Blind by construction: what is shown carries texts and their hashes and nothing that says who wrote them. Which answer
stands left is drawn from a hash of comparison, person and study, so that it is the same after a refresh, different for
the next person, and stored with the vote.

A vote is one insert under an id that the browser made: sent twice it counts once. It names the hashes of the texts
that were shown; where the stored texts are others by now, it is refused, because it would judge something unseen.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import votes
from storage.clock import new_id, now
from storage.comparisons import Whole, get_comparison
from storage.errors import BadInput, Conflict, NotReady
from storage.judgements import unjudged, vote_count
from storage.rows import Answer, Study, Vote
from storage.store import Store
from studio.feedback.shuffling import shuffled

SIDES = ("left", "right")
BALLOTS = (*SIDES, "tie", "both_bad", "skip")
_LETTERS = "abcdefgh"
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

# Names by which models call themselves; an answer with one of them is judged by its name, not by its words.
_IDENTITIES = re.compile(
    r"\b(chat\s?gpt|gpt-?\d\w*|open\s?ai|claude|anthropic|llama|meta ai|mistral|mixtral|gemini|gemma|bard|deepmind|"
    r"qwen|tongyi|alibaba cloud|deepseek|phi-?\d|falcon|vicuna|alpaca|command r|cohere|grok|yi-\d+b|smollm|olmo|"
    r"granite|nemotron|internlm|baichuan|chatglm|zephyr|kimi|moonshot)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Ballot:
    """What the browser sends: the choice as it was seen, left or right, and the hashes of what was shown."""

    id: str
    comparison_id: str
    choice: str
    shown_sha256: Sequence[str]
    """From left to right."""

    seconds: float | None = None
    """Reading time."""


class Shown(NamedTuple):
    """A comparison as one person sees it: answers from left to right; no names."""

    whole: Whole
    order: list[int]
    answers: list[Answer]

    def to_json(self) -> dict[str, Any]:
        """For the browser: nothing in it depends on who answered, but for the words themselves."""
        comparison = self.whole.comparison
        return {
            "comparison": comparison.id,
            "state": comparison.state,
            "source": comparison.source,
            "prompt": [
                {"role": turn.get("role"), "content": as_text(turn.get("content"))} for turn in comparison.prompt
            ],
            "error": without_names(comparison.error, (answer.model_name for answer in self.answers))
            if comparison.error
            else None,
            "sides": [{"text": answer.text, "sha256": answer.sha256} for answer in self.answers],
            "names_a_model": names_a_model(self.whole.answers),
        }


class Given(NamedTuple):
    """A stored vote, whether it was new, and who wrote what was shown, from left to right."""

    vote: Vote
    new: bool
    reveal: list[str]


def shown_order(study_seed: int, comparison_id: str, annotator: str, count: int) -> list[int]:
    """Positions from left to right: a permutation drawn from a hash, each one as likely as the others."""
    return sorted(range(count), key=lambda place: shuffled("side", study_seed, comparison_id, annotator, place))


def show(study: Study, whole: Whole, annotator: str) -> Shown:
    """The comparison as this person sees it."""
    order = shown_order(study.seed, whole.comparison.id, annotator, len(whole.answers))
    return Shown(whole, order, [whole.answers[position] for position in order])


def upcoming(store: Store, study: Study, annotator: str, limit: int = 4) -> list[Shown]:
    """What this person is to judge next, the first one now and the others to be kept ready."""
    return [
        show(study, get_comparison(store, comparison.id), annotator)
        for comparison in unjudged(store, study.id, annotator, limit)
    ]


def cast(store: Store, study: Study, annotator: str, ballot: Ballot) -> Given:
    """Store a vote, once whatever happens; a second one on the same comparison supersedes the first.

    Raises BadInput for a choice or id that cannot be, NotReady before the answers are whole, Conflict where the
    texts shown are not the stored ones (stale) or the id belongs to another comparison.
    """
    _check(ballot)
    whole = get_comparison(store, ballot.comparison_id)
    if whole.comparison.study_id != study.id:
        raise Conflict("This comparison belongs to another study; reload the page.")
    shown = show(study, whole, annotator)
    if not votes.has_vote(store, ballot.id):
        _refuse_unseen(shown, ballot)
    before = votes.current_vote(store, whole.comparison.id, annotator)
    stored = votes.cast(store, _vote(study, annotator, ballot, shown, before))
    if stored.vote.comparison_id != whole.comparison.id or stored.vote.annotator != annotator:
        raise Conflict("A vote with this id was given on another comparison; reload the page.")
    return Given(stored.vote, stored.new, [answer.model_name for answer in shown.answers])


def undo(store: Store, study: Study, annotator: str, undo_id: str, comparison_id: str | None = None) -> Vote | None:
    """Withdraw the last vote of a person (or the one on a comparison) by a superseding row; returns the vote.

    The same `undo_id` a second time withdraws nothing more. None where there is nothing to withdraw.
    """
    if not _ID.fullmatch(undo_id):
        raise BadInput("An undo needs an id of 8 to 64 letters, digits, dashes and underscores.")
    with store.write():
        if votes.has_vote(store, undo_id):
            return None
        if comparison_id:
            vote = votes.current_vote(store, comparison_id, annotator)
        else:
            vote = votes.newest_vote(store, study.id, annotator)
        if vote is None:
            return None
        votes.cast(store, _withdrawal(vote, undo_id))
    return vote


def given(store: Store, study: Study, annotator: str, since: float = 0.0) -> int:
    """How many votes of this person count in the study, given since a moment; skips do not."""
    return vote_count(store, study.id, annotator, since)


def names_a_model(answers: Sequence[Answer]) -> bool:
    """Whether an answer mentions a model: one that everybody knows, or a contestant, its own name or the other's.

    It is said of the comparison, never of one side: "this one names itself" would tell who it is.
    """
    # A name like "a1" occurs in answers by chance.
    names = "|".join({re.escape(answer.model_name) for answer in answers if len(answer.model_name) > 3})
    contestants = re.compile(rf"(?<![\w-])({names})(?![\w-])", re.IGNORECASE) if names else _IDENTITIES
    texts = [answer.text or "" for answer in answers]
    return any(_IDENTITIES.search(text) or contestants.search(text) for text in texts)


def without_names(sentence: str, names: Iterable[str]) -> str:
    """The sentence of a failure without the contestants' names: it is shown before any vote."""
    for name in set(names):
        sentence = sentence.replace(f'"{name}"', "a model")
    return sentence[:1].upper() + sentence[1:]


def as_text(content: Any) -> str:
    """A turn's content as text; the parts of a list are joined."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in content)
    return "" if content is None else str(content)


def _check(ballot: Ballot) -> None:
    if ballot.choice not in BALLOTS:
        raise BadInput(f'A vote is one of {", ".join(BALLOTS)}, not "{ballot.choice[:40]}".')
    if not _ID.fullmatch(ballot.id):
        raise BadInput("A vote needs an id of 8 to 64 letters, digits, dashes and underscores.")


def _refuse_unseen(shown: Shown, ballot: Ballot) -> None:
    """A skip judges nothing and is always taken."""
    if ballot.choice == "skip":
        return
    if shown.whole.comparison.state not in ("ready", "retired"):
        raise NotReady("These answers are not complete yet; vote when both are.")
    if list(ballot.shown_sha256) != [answer.sha256 for answer in shown.answers]:
        raise Conflict("The answers have changed since they were shown, so this vote was not kept; look at them again.")


def _vote(study: Study, annotator: str, ballot: Ballot, shown: Shown, before: Vote | None) -> Vote:
    choice = ballot.choice
    if choice in SIDES:
        choice = _LETTERS[shown.order[SIDES.index(choice)]]
    return Vote(
        id=ballot.id, comparison_id=ballot.comparison_id, study_id=study.id, annotator=annotator, choice=choice,
        ranking=None, strength=None, criteria=None, rationale=None, edited=None, shown_order=shown.order,
        shown_sha256=[answer.sha256 or "" for answer in shown.whole.answers], seconds=ballot.seconds, source="studio",
        supersedes=before.id if before else None, created_at=now(),
    )  # fmt: skip


def _withdrawal(vote: Vote, undo_id: str | None = None) -> Vote:
    """The row that takes a vote back."""
    return Vote(
        id=undo_id or new_id(), comparison_id=vote.comparison_id, study_id=vote.study_id, annotator=vote.annotator,
        choice="undo", ranking=None, strength=None, criteria=None, rationale=None, edited=None,
        shown_order=vote.shown_order, shown_sha256=vote.shown_sha256, seconds=None, source=vote.source,
        supersedes=vote.id, created_at=now(),
    )  # fmt: skip
