"""Canaries at work: models answer them greedily, and people say what is expected and which answer is better.

The engine answers in float32 and one prompt at a time (`exact`), so that the same weights give the same words whatever
else it does meanwhile. What stands already is not asked again, unless somebody wants that: a server's model may have
changed behind its name.
"""

import os
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from storage import canaries as stored
from storage import tasks
from storage.batches import open_batch, publish
from storage.canaries import CanaryAnswer, CanaryVote, Expectation
from storage.clock import now
from storage.datasets import create_dataset
from storage.errors import BadInput, Conflict, MovedAside, NotFound, NotReady, RatchetError, Stopped
from storage.examples import Draft, add_examples
from storage.models import base_of, get_model, list_models
from storage.prompts import as_messages, content_sha256
from storage.rows_training import ANSWERING, Model, Task
from storage.specs.canaries import DATASET, STARTER
from storage.store import Store
from studio.clients.answers import Answer, SamplingParams
from studio.clients.engine import Engine
from studio.feedback.room import BULK
from studio.people.roles import Action, Actor, require
from studio.rounds.canaries import (
    CHOICES,
    SCORED,
    Canary,
    answerer_of,
    answerers,
    as_stored,
    has_own,
    list_canaries,
    subject_of,
)
from studio.rounds.expectations import checked
from studio.settings import Settings
from studio.training.scoring import Text, score_texts

PARAMS = SamplingParams(max_tokens=256, temperature=0.0, exact=True)
_ASIDE_SECONDS = 1.0

Tell = Callable[[float, str], bool]
"""Is told how far it is, and says whether to stop."""


class Asked(NamedTuple):
    """What became of one model: how many canaries it has answered, how many of them now; why it could not."""

    model: str
    answered: int
    fresh: int
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """For the command line and the task."""
        return self._asdict()


def run(
    store: Store, settings: Settings, names: Sequence[str] = (), again: bool = False, tell: Tell | None = None
) -> list[Asked]:
    """Let models (all that answer, unless named) answer every canary; then reward models score what needs a score.

    A model that cannot be asked is told with its reason and the others go on; so is a canary that a model refuses.
    Raises NotFound, BadInput for names, and Stopped where `tell` says so.
    """
    models = answerers(store, names) or [one for one in list_models(store) if one.kind in ANSWERING]
    everything = list_canaries(store)
    work = _Work(store, Engine(store.home), everything, again, tell or (lambda share, words: False))
    work.total = len(models) * len(everything)
    told: dict[str, Asked] = {}
    for _, group in groupby(sorted(models, key=lambda one: base_of(store, one).id), lambda one: base_of(store, one).id):
        for model in group:
            told[model.id] = work.ask(model)
    _score_all(store, settings, models, everything)
    return [told[model.id] for model in models]


def run_task(store: Store, task: Task) -> dict[str, Any]:
    """The task "canaries"."""
    said = task.payload
    settings = Settings.from_env(os.environ, home=store.home.path)

    def tell(share: float, words: str) -> bool:
        return tasks.advance(store, task.id, share, words)

    return {"models": [one.to_json() for one in run(store, settings, said["models"], said["again"], tell)]}


class _Work:
    """The asking of several models, one after another."""

    def __init__(self, store: Store, engine: Engine, everything: Sequence[Canary], again: bool, tell: Tell) -> None:
        self.store = store
        self.engine = engine
        self.everything = everything
        self.again = again
        self.tell = tell
        self.total = 0
        self.done = 0

    def ask(self, model: Model) -> Asked:
        """Have one model answer what it has not answered yet; the first refusal is told."""
        answerer = answerer_of(self.store, model)
        standing = {} if self.again else stored.answers_of(self.store, answerer)
        fresh, end, refusal = 0, self.done + len(self.everything), None
        for canary in self.everything:
            self._tell(f"{model.name}: canary {canary.number} of {len(self.everything)}")
            if canary.sha256 not in standing:
                try:
                    stored.keep_answer(self.store, self._answer(model, answerer, canary))
                    fresh += 1
                except Stopped:
                    raise
                except RatchetError as error:
                    refusal = refusal or str(error)
                    if isinstance(error, NotReady):
                        break  # who answers is away, for the other canaries too
            self.done += 1
        self.done = end
        return Asked(model.name, self._standing(answerer), fresh, refusal)

    def _standing(self, answerer: str) -> int:
        """How many of the canaries stand answered."""
        said = stored.answers_of(self.store, answerer)
        return sum(canary.sha256 in said for canary in self.everything)

    def _answer(self, model: Model, answerer: str, canary: Canary) -> CanaryAnswer:
        answer = self._patiently(model, canary)
        stamp = {**answer.stamp, "finish_reason": answer.finish_reason}
        return stored.new_answer(
            answerer, canary.sha256, model.id, answer.text, answer.tokens, answer.seconds, stamp
        )  # fmt: skip

    def _patiently(self, model: Model, canary: Canary) -> Answer:
        """The answer; while the engine is aside for a training, it is waited for."""
        while True:
            try:
                return self.engine.complete(model, self.store, canary.messages, PARAMS, BULK)
            except MovedAside as aside:
                self._tell(str(aside))
                time.sleep(_ASIDE_SECONDS)

    def _tell(self, words: str) -> None:
        if self.tell(min(0.99, self.done / self.total) if self.total else 0.0, words):
            raise Stopped("Asking the canaries was stopped; what has been answered is kept.")


def _score_all(store: Store, settings: Settings, models: Sequence[Model], everything: Sequence[Canary]) -> None:
    """Let the reward models that expectations name score the answers; what is scored already costs nothing."""
    texts: dict[str, dict[str, Text]] = {}
    for model in models:
        said = stored.answers_of(store, answerer_of(store, model))
        for canary in everything:
            judges = {one.value["model"] for one in canary.expected if one.kind == "score"}
            if judges and canary.sha256 in said:
                answer = said[canary.sha256].text
                subject = subject_of(canary, answer)
                text = Text(subject, [*canary.messages, {"role": "assistant", "content": answer}])
                for judge in judges:
                    texts.setdefault(judge, {})[subject.id] = text
    for judge, wanted in texts.items():
        score_texts(store, settings, judge, SCORED, list(wanted.values()))


# ---- What people say -------------------------------------------------------------------------------------------------


def begin(store: Store, actor: Actor) -> list[Canary]:
    """Make the dataset `canaries` of the starter set, with what is expected there; Conflict where there is one."""
    require(actor, Action.RUN_STUDIES)
    if has_own(store):
        raise Conflict(f'The project has canaries of its own already: the dataset "{DATASET}".')
    dataset = create_dataset(store, DATASET, "prompts", "Asked of every model, to see what else a training changes.")
    batch = open_batch(store, dataset.id, "import", actor.name)
    add_examples(store, batch, [Draft({"prompt": as_messages(one.prompt)}) for one in STARTER])
    publish(store, batch)
    for one in STARTER:
        for kind, value in one.expected:
            sha256 = content_sha256(as_messages(one.prompt))
            stored.add_expectation(store, sha256, kind, checked(kind, value), actor.name)
    return list_canaries(store)


def expect(store: Store, actor: Actor, canary: Canary, kind: str, value: Any) -> Expectation:
    """Expect something of a canary's answers; raises Forbidden, BadInput, NotFound for a reward model."""
    require(actor, Action.RUN_STUDIES)
    said = checked(kind, value)
    if kind == "score":
        judge = get_model(store, said["model"])
        if judge.kind != "reward":
            raise BadInput(f'"{judge.name}" is of kind {judge.kind} and scores nothing; name a reward model.')
    return stored.add_expectation(store, canary.sha256, kind, said, actor.name)


def lift(store: Store, actor: Actor, expectation_id: str, lifted: bool = True) -> Expectation:
    """Expect it no longer, or again; raises Forbidden, NotFound."""
    require(actor, Action.RUN_STUDIES)
    return stored.set_lifted(store, expectation_id, actor.name, lifted)


class Opinion(NamedTuple):
    """What somebody says of a later text against an earlier one, by their hashes; `word` None takes it back."""

    id: str
    prompt_sha256: str
    before: str
    after: str
    word: str | None


def vote(store: Store, actor: Actor, said: Opinion) -> bool:
    """Keep what somebody says; False where that vote stands already. Raises Forbidden, BadInput, NotFound."""
    require(actor, Action.SEE_RESULTS)
    if said.word is not None and said.word not in CHOICES:
        raise BadInput(f'Say {", ".join(CHOICES)}, not "{said.word}".')
    if said.before == said.after:
        raise BadInput("Both answers are the same words; there is nothing to choose.")
    known = store.value(
        "select count(distinct sha256) from canary_answers where prompt_sha256 = ? and sha256 in (?, ?)",
        [said.prompt_sha256, said.before, said.after],
    )
    if known != 2:
        raise NotFound("These answers have changed since they were shown; look at them again.")
    first, second = sorted((said.before, said.after))
    choice = as_stored(said.word, said.before, said.after)
    return stored.cast(store, CanaryVote(said.id, said.prompt_sha256, first, second, choice, actor.name, now()))
