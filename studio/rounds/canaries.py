"""The project's canaries: the prompts, what every model answered, what is expected, and what people said of changes.

Answers are kept by what gave them (`answerer_of`), so that two names for the same weights share them and a model that
is renamed keeps them. A vote is on two texts: it holds for whichever models say these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import canaries as stored
from storage.canaries import FIRST, SAME, SECOND, CanaryAnswer, CanaryVote, Expectation
from storage.datasets import find_dataset
from storage.errors import BadInput, NotFound
from storage.examples import page
from storage.models import get_model
from storage.prompts import Messages, as_messages, content_sha256
from storage.queries import Query
from storage.rows import FROZEN
from storage.rows_training import ANSWERING, Model
from storage.scores import Subject, known
from storage.specs.canaries import DATASET, STARTER
from storage.store import Store
from studio.rounds.expectations import holds, says

MOST = 200
"""Canaries that are asked; each model answers all of them, one at a time."""

BETTER, WORSE = "better", "worse"
CHOICES = (BETTER, WORSE, SAME)
SCORED = "canary"
"""The subject under which scores of canary answers are kept."""


@dataclass(frozen=True)
class Canary:
    """A prompt with its number (from 1 on) and its hash, and what is expected of answers."""

    number: int
    messages: Messages
    sha256: str
    expected: tuple[Expectation, ...] = ()

    @property
    def text(self) -> str:
        """Its last turn, as people know it."""
        return str(self.messages[-1].get("content", "")) if self.messages else ""


class Verdict(NamedTuple):
    """Whether an answer is as expected; None where nobody knows yet."""

    expectation: Expectation
    holds: bool | None

    def to_json(self) -> dict[str, Any]:
        """For pages and the command line."""
        return {"id": self.expectation.id, "says": says(self.expectation), "holds": self.holds}


class Tally(NamedTuple):
    """How many people found the later of two answers better, worse, or the same."""

    better: int = 0
    worse: int = 0
    same: int = 0


@dataclass(frozen=True)
class Beside:
    """A canary with the answers of two models, None where one has not answered it."""

    canary: Canary
    before: CanaryAnswer | None
    after: CanaryAnswer | None
    before_verdicts: tuple[Verdict, ...]
    after_verdicts: tuple[Verdict, ...]
    votes: Tally

    @property
    def same(self) -> bool:
        """Whether both said the same words."""
        return self.before is not None and self.after is not None and self.before.sha256 == self.after.sha256

    @property
    def lost(self) -> list[Expectation]:
        """What the earlier one meets and the later one does not."""
        met = {one.expectation.id for one in self.before_verdicts if one.holds}
        return [one.expectation for one in self.after_verdicts if one.holds is False and one.expectation.id in met]

    @property
    def unknown(self) -> bool:
        """Whether an answer or a score is missing without which nobody can say that an expectation was lost."""
        pairs = zip(self.before_verdicts, self.after_verdicts, strict=True)
        return any(
            None in (before.holds, after.holds) and after.holds is not True and before.holds is not False
            for before, after in pairs
        )


def list_canaries(store: Store) -> list[Canary]:
    """The project's canaries: the dataset `canaries` where there is one of kind prompts, else the starter set."""
    expected: dict[str, list[Expectation]] = {}
    for one in stored.standing_expectations(store):
        expected.setdefault(one.prompt_sha256, []).append(one)
    found: dict[str, Messages] = {}
    for messages in _prompts(store):
        found.setdefault(content_sha256(messages), messages)
    return [
        Canary(number, messages, sha256, tuple(expected.get(sha256, ())))
        for number, (sha256, messages) in enumerate(list(found.items())[:MOST], 1)
    ]


def has_own(store: Store) -> bool:
    """Whether the project has canaries of its own."""
    dataset = find_dataset(store, DATASET)
    return dataset is not None and dataset.kind == "prompts"


def _prompts(store: Store) -> list[Messages]:
    dataset = find_dataset(store, DATASET)
    if dataset is None or dataset.kind != "prompts":
        return [as_messages(one.prompt) for one in STARTER]
    return [
        as_messages(one.content["prompt"]) for one in page(store, dataset.id, Query(status=FROZEN, limit=MOST)).examples
    ]


def find_canary(store: Store, reference: str) -> Canary:
    """A canary by number, by hash or its beginning, or by the beginning of its words; raises NotFound, BadInput."""
    everything = list_canaries(store)
    for matches in (
        [one for one in everything if str(one.number) == reference or one.sha256 == reference],
        [one for one in everything if len(reference) >= 8 and one.sha256.startswith(reference)],
        [one for one in everything if reference and one.text.casefold().startswith(reference.casefold())],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise BadInput(f'"{reference[:80]}" begins {len(matches)} canaries; name one by its number.')
    raise NotFound(f'There is no canary "{reference[:80]}"; `ratchet canaries` lists the {len(everything)} there are.')


def answerer_of(store: Store, model: Model) -> str:
    """What answers by a model's name, as a hash of weights and template; the model itself where nobody knows them."""
    known_weights = model.adapter_sha256 if model.kind == "adapter" else model.base_sha256
    if model.kind == "endpoint" or known_weights is None:
        return f"model:{model.id}"
    base = model.base_sha256 or get_model(store, model.base_id or model.id).base_sha256
    return content_sha256({"base": base, "adapter": model.adapter_sha256, "template": model.template_sha256})


def answerers(store: Store, names: Sequence[str]) -> list[Model]:
    """Models by name, each once; raises NotFound, or BadInput for one that answers nothing."""
    found = {model.id: model for model in (get_model(store, name) for name in names)}
    for model in found.values():
        if model.kind not in ANSWERING:
            raise BadInput(f'"{model.name}" judges answers and gives none; name a model that answers.')
    return list(found.values())


def subject_of(canary: Canary, text: str) -> Subject:
    """Under which an answer's score is kept: by what was asked and said."""
    sha256 = content_sha256([*canary.messages, {"role": "assistant", "content": text}])
    return Subject(sha256, sha256)


def verdicts(store: Store, canary: Canary, answer: CanaryAnswer | None) -> tuple[Verdict, ...]:
    """What is expected of a canary's answers, and whether this one is like that."""
    if answer is None:
        return tuple(Verdict(one, None) for one in canary.expected)
    return tuple(Verdict(one, holds(one, answer.text, _score(store, canary, answer, one))) for one in canary.expected)


def _score(store: Store, canary: Canary, answer: CanaryAnswer, expectation: Expectation) -> float | None:
    if expectation.kind != "score":
        return None
    subject = subject_of(canary, answer.text)
    try:
        judge = get_model(store, expectation.value["model"])
    except NotFound:
        return None
    said = known(store, judge.id, SCORED, [subject]).get(subject)
    return said.score if said else None


def side_by_side(store: Store, before: Model, after: Model) -> list[Beside]:
    """Every canary with what two models answered."""
    everything = list_canaries(store)
    said = [stored.answers_of(store, answerer_of(store, model)) for model in (before, after)]
    votes = stored.current_votes(store, [one.sha256 for one in everything])
    return [_beside(store, canary, said[0].get(canary.sha256), said[1].get(canary.sha256), votes)
            for canary in everything]  # fmt: skip


def _beside(
    store: Store, canary: Canary, before: CanaryAnswer | None, after: CanaryAnswer | None, votes: Sequence[CanaryVote]
) -> Beside:
    tally = Tally()
    if before is not None and after is not None and before.sha256 != after.sha256:
        tally = tally_of(votes, canary.sha256, before.sha256, after.sha256)
    return Beside(
        canary, before, after, verdicts(store, canary, before), verdicts(store, canary, after), tally,
    )  # fmt: skip


def tally_of(votes: Sequence[CanaryVote], prompt: str, before: str, after: str) -> Tally:
    """Votes on a later text against an earlier one, by their hashes."""
    pair = tuple(sorted((before, after)))
    said = [_as_seen(one.choice, before, after) for one in votes
            if one.prompt_sha256 == prompt and (one.first_sha256, one.second_sha256) == pair]  # fmt: skip
    return Tally(said.count(BETTER), said.count(WORSE), said.count(SAME))


def own_vote(votes: Sequence[CanaryVote], prompt: str, before: str, after: str, annotator: str) -> str | None:
    """What one person said of a later text against an earlier one."""
    pair = tuple(sorted((before, after)))
    said = [_as_seen(one.choice, before, after) for one in votes
            if (one.prompt_sha256, one.annotator) == (prompt, annotator)
            and (one.first_sha256, one.second_sha256) == pair]  # fmt: skip
    return said[-1] if said else None


def _as_seen(choice: str | None, before: str, after: str) -> str | None:
    """A stored choice as a word about the later text."""
    later = FIRST if after < before else SECOND
    return choice if choice in (None, SAME) else BETTER if choice == later else WORSE


def as_stored(word: str | None, before: str, after: str) -> str | None:
    """A word about the later text as a choice between the two, whichever comes first by its hash."""
    if word in (None, SAME):
        return word
    later, earlier = (FIRST, SECOND) if after < before else (SECOND, FIRST)
    return later if word == BETTER else earlier


def row_json(one: Beside, votes: Sequence[CanaryVote], annotator: str) -> Mapping[str, Any]:
    """One canary of two models for the page and `ratchet canaries show`."""
    mine = None
    if one.before is not None and one.after is not None:
        mine = own_vote(votes, one.canary.sha256, one.before.sha256, one.after.sha256, annotator)
    return {
        "number": one.canary.number,
        "prompt": one.canary.text,
        "prompt_sha256": one.canary.sha256,
        "before": _answer_json(one.before, one.before_verdicts),
        "after": _answer_json(one.after, one.after_verdicts),
        "same": one.same,
        "lost": [says(expectation) for expectation in one.lost],
        "votes": one.votes._asdict(),
        "mine": mine,
    }


def _answer_json(answer: CanaryAnswer | None, found: Sequence[Verdict]) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {"text": answer.text, "sha256": answer.sha256, "verdicts": [one.to_json() for one in found]}
