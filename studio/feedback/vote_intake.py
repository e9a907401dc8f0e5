"""Votes from files become rows: each line finds its comparison in the study, or makes it.

A line joins the comparison that has the same prompt, models and answers (in any order), so that the votes of several
people on one comparison meet. A second vote of the same person there is no change of mind but another judgement (two
samples, two sessions): it gets a comparison of its own, and both count.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.clock import now
from storage.comparisons import NewComparison, add_comparison, mark
from storage.details import histories
from storage.judgements import contests, voters
from storage.prompts import Messages, content_sha256, text_sha256
from storage.rows import Study, Vote
from storage.store import Store
from storage.votes import add_label, cast, has_vote
from studio.feedback.outcomes import LETTERS
from studio.feedback.vote_lines import LabelLine, VoteLine

_LONGEST_ID = 64


class _Answer(NamedTuple):
    """An answer as it is told from others: whose it is, and the hash of its text and history ("" where not known)."""

    name: str
    sha256: str


class _Comparison(NamedTuple):
    """A comparison of the study with its answers, by position."""

    comparison_id: str
    answers: list[_Answer]


class _Place(NamedTuple):
    """A comparison, and where each answer of a line stands in it: position in the file → position in the store."""

    comparison_id: str
    order: list[int]


class Intake:
    """Takes votes and labels into one study; remembers the study's comparisons for the length of an import."""

    def __init__(self, store: Store, study: Study) -> None:
        self.store = store
        self.study = study
        self._known = {model["name"]: model["id"] for model in store.rows("select id, name from models")}
        self._voters = voters(store, study.id)
        self._known_as: dict[str, list[_Comparison]] = {}
        went_on = histories(store, study.id)
        for comparison_id, contest in contests(store, study.id).items():
            texts = contest.sha256 if len(contest.sha256) == len(contest.models) else [""] * len(contest.models)
            answers = [
                _answer(name, text, went_on.get((comparison_id, position)))
                for position, (name, text) in enumerate(zip(contest.models, texts, strict=True))
            ]
            self._remember(contest.prompt_sha256, _Comparison(comparison_id, answers))

    def _remember(self, digest: str, known: _Comparison) -> None:
        self._known_as.setdefault(_key(digest, known.answers), []).append(known)

    def label(self, line: LabelLine) -> bool:
        """Store a label; False where that person labelled that item before."""
        row = {"study_id": self.study.id, "item": line.item, "annotator": line.annotator, "label": line.label,
               "created_at": now()}  # fmt: skip
        return add_label(self.store, row)

    def vote(self, line: VoteLine, identity: str) -> bool:
        """Store a vote; False where the study has it already."""
        vote_id = self._vote_id(identity)
        if has_vote(self.store, vote_id):
            return False
        place = self._place(line)
        self._voters.add((place.comparison_id, line.annotator))
        return cast(self.store, self._row(line, vote_id, place)).new

    def _vote_id(self, identity: str) -> str:
        """The line's id, or one made from it where a vote of another study has that id (or it is very long)."""
        taken = self.store.one("select study_id from votes where id = ?", [identity])
        if len(identity) <= _LONGEST_ID and (taken is None or taken["study_id"] == self.study.id):
            return identity
        return hashlib.sha256(f"{self.study.id}\x1f{identity}".encode("utf-8", "surrogatepass")).hexdigest()[:40]

    def _place(self, line: VoteLine) -> _Place:
        """The comparison that a line is about, on which its author has not voted yet; made if absent."""
        digest, answers = content_sha256(line.prompt), _answers(line)
        # A line that tells neither prompt nor answers is about something of its own.
        if line.prompt or line.answers:
            for known in self._known_as.get(_key(digest, answers), ()):
                if (known.comparison_id, line.annotator) not in self._voters:
                    return _Place(known.comparison_id, _order(answers, known.answers))
        contestants = [(self._known.get(name), name) for name in line.models]
        new = NewComparison(
            line.prompt, contestants, source="import", texts=list(line.answers), histories=list(line.histories)
        )
        made = add_comparison(self.store, self.study, new)
        if not line.answers:
            mark(self.store, made.id, "retired")  # votes count, but there is nothing to show or to answer
        self._remember(digest, _Comparison(made.id, answers))
        return _Place(made.id, list(range(len(line.models))))

    def _row(self, line: VoteLine, vote_id: str, place: _Place) -> Vote:
        order = place.order
        choice = LETTERS[order[LETTERS.index(line.choice)]] if line.choice in ("a", "b") else line.choice
        hashes = [text_sha256(answer) for answer in line.answers]
        edited = line.edited_position
        return Vote(
            id=vote_id, comparison_id=place.comparison_id, study_id=self.study.id, annotator=line.annotator,
            choice=choice, ranking=_moved(line.ranking, order), strength=line.strength,
            criteria=_turned(line.criteria, order), rationale=line.rationale, edited=line.edited,
            shown_order=[order[place] for place in line.shown_order],
            shown_sha256=[hashes[order.index(position)] for position in range(len(hashes))], seconds=line.seconds,
            source="import", supersedes=None, created_at=line.created_at if line.created_at is not None else now(),
            chips=line.chips, rating=line.rating, reason=line.reason,
            edited_position=None if edited is None else order[edited],
        )  # fmt: skip


def _answers(line: VoteLine) -> list[_Answer]:
    """Who said what in a line, by its positions; a history is part of what was said."""
    texts = [text_sha256(answer) for answer in line.answers] or [""] * len(line.models)
    went_on = list(line.histories) or [None] * len(line.models)
    return [_answer(*one) for one in zip(line.models, texts, went_on, strict=True)]


def _answer(name: str, text: str, history: Messages | None) -> _Answer:
    return _Answer(name, text + (content_sha256(history) if history else ""))


def _order(answers: Sequence[_Answer], stored: Sequence[_Answer]) -> list[int]:
    """For each position of a line the one in the store; equal answers stand in their own order."""
    left = list(enumerate(stored))
    order = []
    for answer in answers:
        found = next(one for one in left if one[1] == answer)
        left.remove(found)
        order.append(found[0])
    return order


def _turned(criteria: dict[str, Any] | None, order: Sequence[int]) -> dict[str, Any] | None:
    """Values by the positions of the store; what is no value for each answer stays as it is."""
    if criteria is None:
        return None
    return {
        key: [values[order.index(position)] for position in range(len(order))]
        if isinstance(values, list) and len(values) == len(order)
        else values
        for key, values in criteria.items()
    }


def _moved(ranking: list[Any] | None, order: Sequence[int]) -> list[Any] | None:
    """A ranking by the positions of the store."""
    if ranking is None:
        return None
    return [[order[item] for item in group] if isinstance(group, list) else order[group] for group in ranking]


def _key(digest: str, answers: Sequence[_Answer]) -> str:
    """The same for every order of the answers."""
    return "\x1f".join([digest, *sorted(f"{answer.name}\x1e{answer.sha256}" for answer in answers)])
