"""Votes from files become rows: each line finds its comparison in the study, or makes it.

A line joins the comparison that has the same prompt, models and answers (in either order), so that the votes of several
people on one comparison meet. A second vote of the same person there is no change of mind but another judgement (two
samples, two sessions): it gets a comparison of its own, and both count.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.clock import now
from storage.comparisons import NewComparison, add_comparison, mark
from storage.judgements import contests, voters
from storage.prompts import content_sha256, text_sha256
from storage.rows import Study, Vote
from storage.store import Store
from storage.votes import add_label, cast, has_vote
from studio.feedback.outcomes import LETTERS
from studio.feedback.vote_lines import LabelLine, VoteLine

_LONGEST_ID = 64


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
        self._places: dict[str, list[_Place]] = {}
        for comparison_id, contest in contests(store, study.id).items():
            self._remember(comparison_id, contest.prompt_sha256, contest.models, contest.sha256)

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
        hashes = [text_sha256(answer) for answer in line.answers]
        digest = content_sha256(line.prompt)
        # A line that tells neither prompt nor answers is about something of its own.
        if line.prompt or line.answers:
            for place in self._places.get(_key(digest, line.models, hashes), ()):
                if (place.comparison_id, line.annotator) not in self._voters:
                    return place
        contestants = [(self._known.get(name), name) for name in line.models]
        new = NewComparison(line.prompt, contestants, source="import", texts=list(line.answers))
        made = add_comparison(self.store, self.study, new)
        if not line.answers:
            mark(self.store, made.id, "retired")  # votes count, but there is nothing to show or to answer
        self._remember(made.id, digest, line.models, hashes)
        return self._places[_key(digest, line.models, hashes)][-1]

    def _remember(self, comparison_id: str, digest: str, models: Sequence[str], hashes: Sequence[str]) -> None:
        """Find this comparison again, from lines that name its answers in any order."""
        straight = list(range(len(models)))
        self._places.setdefault(_key(digest, models, hashes), []).append(_Place(comparison_id, straight))
        if len(models) == 2:
            turned = _key(digest, models[::-1], hashes[::-1])
            if turned != _key(digest, models, hashes):
                self._places.setdefault(turned, []).append(_Place(comparison_id, [1, 0]))

    def _row(self, line: VoteLine, vote_id: str, place: _Place) -> Vote:
        order = place.order
        choice = LETTERS[order[LETTERS.index(line.choice)]] if line.choice in ("a", "b") else line.choice
        hashes = [text_sha256(answer) for answer in line.answers]
        return Vote(
            id=vote_id, comparison_id=place.comparison_id, study_id=self.study.id, annotator=line.annotator,
            choice=choice, ranking=_moved(line.ranking, order), strength=line.strength, criteria=line.criteria,
            rationale=line.rationale, edited=line.edited, shown_order=[order[place] for place in line.shown_order],
            shown_sha256=[hashes[order.index(position)] for position in range(len(hashes))], seconds=line.seconds,
            source="import", supersedes=None, created_at=line.created_at if line.created_at is not None else now(),
        )  # fmt: skip


def _moved(ranking: list[Any] | None, order: Sequence[int]) -> list[Any] | None:
    """A ranking by the positions of the store."""
    if ranking is None:
        return None
    return [[order[item] for item in group] if isinstance(group, list) else order[group] for group in ranking]


def _key(digest: str, models: Sequence[str], hashes: Sequence[str]) -> str:
    return "\x1f".join([digest, *models, "\x1e", *hashes])
