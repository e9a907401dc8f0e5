"""Filling comparisons: both sides are asked at the same moment, so that the engine answers them in one mixed batch.

A comparison is claimed in one statement, answered, and becomes ready in one transaction with all its texts. What a
crash leaves half-done waits again (`storage.comparisons.release`); a failure is kept with its sentence and is
not tried again until somebody asks for it. An engine that ends in the middle is started again, and the answers begin
anew; nothing of the first attempt is kept.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from storage.comparisons import answers_of, claim_waiting, fill_answer, get_comparison, get_study, mark
from storage.errors import BadInput, Conflict, MovedAside, NotFound, NotReady, RatchetError, Refused
from storage.judgements import failed_in_a_row
from storage.models import get_model
from storage.prompts import Messages
from storage.rows import Answer, Comparison, Study
from storage.rows_training import Model
from storage.store import Store
from studio.bugs import report_bug
from studio.clients.answers import Answer as Answered
from studio.clients.answers import SamplingParams
from studio.clients.connection import Connection, find
from studio.clients.engine import Engine
from studio.feedback.contestants import contestant_of, question, stamped
from studio.feedback.hub import Hub, Live
from studio.feedback.reuse import Sharing, identity_of, key_of, proved, standing_answer
from studio.feedback.room import BULK, NEXT, WAITED_FOR
from studio.feedback.sampling import Sampling
from studio.feedback.shuffling import shuffled
from studio.feedback.studies import sampling_of
from studio.feedback.study_settings import Contestant

AT_ONCE = 3
"""Comparisons answered at the same time: six rows fill a small engine's batch; more would slow the first one."""

GIVE_UP = 3
"""After so many failures in a row nothing more is asked in a study until somebody says so."""

_TRIES = 2  # a question that failed is asked once more
_RESTARTS = 5  # engines that may end under one comparison: it may be what ends them
_PAUSE = 0.3  # seconds before the second of them, times two, three … before the others
_ASIDE_SECONDS = 1.0  # between two looks whether it is back
_FINAL = (BadInput, Conflict, NotFound, Refused)  # asking again would be refused again


class EngineEnded(NotReady):
    """The engine has ended while it was asked."""

    def __init__(self) -> None:
        super().__init__(
            "The engine has ended by itself while it answered this, again and again (logs/engine.log says why); "
            "ask for shorter answers or a smaller model, or ask again."
        )


class Filler:
    """Answers claimed comparisons; `stopping` ends it between two pieces of text."""

    def __init__(self, store: Store, engine: Engine, hub: Hub, stopping: threading.Event) -> None:
        self.store = store
        self.engine = engine
        self.hub = hub
        self.stopping = stopping
        self.sharing = Sharing()

    def fill(self, comparison: Comparison, priority: int = NEXT) -> None:
        """Have a claimed comparison answered; afterwards it is ready, failed, or (when stopping) waiting again.

        A typed question is answered as what somebody waits for, whatever `priority` says.
        """
        answers = answers_of(self.store, comparison.id)
        live = self.hub.begin(comparison.id, len(answers))
        try:
            made = self._tried(comparison, answers, live, WAITED_FOR if comparison.source == "free" else priority)
            self._finish(comparison, answers, made)
        except RatchetError as error:
            if self.stopping.is_set():
                mark(self.store, comparison.id, "waiting")
            else:
                mark(self.store, comparison.id, "failed", str(error))
        except Exception:  # noqa: BLE001 - whatever it is: nobody shall wait for these answers for ever
            mark(self.store, comparison.id, "failed", report_bug(f"answering {comparison.id}"))
        finally:
            self.hub.end(comparison.id)

    def _tried(self, comparison: Comparison, answers: Sequence[Answer], live: Live, priority: int) -> "list[_Given]":
        """Ask until there are answers; while the engine has moved aside for a training, wait and ask again."""
        failed = ended = 0
        while True:
            try:
                return self._ask(comparison, answers, live, priority)
            except _FINAL:
                raise
            except MovedAside:
                live.restart()
                live.enter("aside")
                if self.stopping.wait(_ASIDE_SECONDS):
                    raise
            except EngineEnded:
                ended += 1
                live.restart()
                live.enter("restarting")
                if ended == _RESTARTS or self.stopping.wait(_PAUSE * (ended - 1)):
                    raise
            except RatchetError:
                failed += 1
                if failed == _TRIES or self.stopping.is_set():
                    raise
                live.restart()

    def _ask(self, comparison: Comparison, answers: Sequence[Answer], live: Live, priority: int) -> "list[_Given]":
        """All sides at once; raises EngineEnded where the engine has gone meanwhile."""
        models = [self._model(answer) for answer in answers]
        if live.phase != "restarting":
            live.enter("loading")
        connection = self._loaded(models)
        study = get_study(self.store, comparison.study_id)
        try:
            asks = []
            for answer, model in zip(answers, models, strict=True):
                who = contestant_of(study, answer)
                sampling = who.sampling or sampling_of(study)
                said = question(who, comparison.prompt, answer.history)
                params = _params(sampling, comparison, answer.position)
                asks.append(_Ask(self, model, said, params, priority))
            live.enter("answering")
            return [
                made._replace(answer=replace(made.answer, stamp=_stamp(made, contestant_of(study, answer), study)))
                for answer, made in zip(answers, _together(asks, live), strict=True)
            ]
        except RatchetError as error:
            if connection is not None and not isinstance(error, _FINAL) and connection.gone():
                raise EngineEnded from error
            raise

    def _loaded(self, models: Sequence[Model]) -> Connection | None:
        """See that the engine holds what is asked; the way to it, None where endpoints alone are asked."""
        before = find(self.engine.home)
        connection: Connection | None = None
        try:
            for model in {model.id: model for model in models}.values():
                if model.kind != "endpoint":
                    connection = self.engine.ensure(self.store, model) or connection
        except NotReady as error:
            if before is not None and not isinstance(error, MovedAside) and before.gone():
                raise EngineEnded from error
            raise
        return connection

    def _model(self, answer: Answer) -> Model:
        if answer.model_id is None:
            raise BadInput(f'"{answer.model_name}" is only a name from a file; it cannot answer.')
        return get_model(self.store, answer.model_id)

    def _finish(self, comparison: Comparison, answers: Sequence[Answer], made: "Sequence[_Given]") -> None:
        """All texts and the state in one transaction, unless somebody else was quicker."""
        with self.store.write():
            if get_comparison(self.store, comparison.id).comparison.state != "answering":
                return
            for answer, (one, key) in zip(answers, made, strict=True):
                stamp = {**one.stamp, "finish_reason": one.finish_reason}
                fill_answer(self.store, answer.id, one.text, stamp, one.tokens, one.seconds, key)
            mark(self.store, comparison.id, "ready")


class _Given(NamedTuple):
    """An answer, and what decides it, if that is known."""

    answer: Answered
    key: str | None


def _stamp(made: _Given, who: Contestant, study: Study) -> dict[str, Any]:
    return stamped(made.answer.stamp, who, sampling_of(study))


class _Ask:
    """One side of a comparison."""

    def __init__(self, filler: Filler, model: Model, prompt: Messages, params: SamplingParams, priority: int) -> None:
        self.filler = filler
        self.model = model
        self.prompt = prompt
        self.params = params
        self.priority = priority
        self.given: _Given | None = None
        self.error: Exception | None = None

    def run(self, say: Callable[[str], None], over: threading.Event) -> None:
        """Read the answer piece by piece until its end, or until the comparison is given up."""
        filler = self.filler
        try:
            self.given = self._given(say, over)
        except Exception as error:  # noqa: BLE001 - a thread's error must reach the one that waits for it
            self.error = error
            over.set()
        finally:
            filler.store.close()

    def _given(self, say: Callable[[str], None], over: threading.Event) -> _Given:
        """The answer that stands already where nothing but chance could make another one, else a new one."""
        filler = self.filler
        if self.params.temperature > 0:  # each side has a seed of its own: there is none like it
            return _Given(self._asked(say, over), None)
        identity = identity_of(filler.engine, filler.store, self.model)
        key = key_of(identity, self.prompt, self.params)
        if key is None:
            return _Given(self._asked(say, over), None)
        answer, told = standing_answer(filler.store, key), True
        if answer is None:
            answer, told = filler.sharing.get(key, lambda: self._asked(say, over), lambda: self._left(over))
        if told:
            say(answer.text)
        return _Given(answer, proved(key, identity, answer.stamp))

    def _asked(self, say: Callable[[str], None], over: threading.Event) -> Answered:
        filler = self.filler
        answer = None
        for delta in filler.engine.stream(self.model, filler.store, self.prompt, self.params, self.priority):
            if self._left(over):
                raise RatchetError("Answering was stopped.")
            say(delta.text)
            answer = delta.answer or answer
        assert answer is not None, "a stream ended without its answer"
        return answer

    def _left(self, over: threading.Event) -> bool:
        return over.is_set() or self.filler.stopping.is_set()


def _together(asks: Sequence[_Ask], live: Live) -> list[_Given]:
    """Run all sides, each in its own thread; raises the error of the first that failed."""
    over = threading.Event()

    def run(position: int, ask: _Ask) -> None:
        ask.run(live.speaker(position), over)
        live.end(position)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(asks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [ask.error for ask in asks if ask.error is not None]
    if errors:
        raise errors[0]
    return [ask.given for ask in asks if ask.given is not None]


def _params(sampling: Sampling, comparison: Comparison, position: int) -> SamplingParams:
    """The study's settings with a seed of its own for each side, so that one model twice gives two answers."""
    seed = shuffled("answer", comparison.id, position) % 2**31
    return SamplingParams(sampling.max_tokens, sampling.temperature, sampling.top_p, seed)


def fill_all(store: Store, engine: Engine, study_id: str) -> None:
    """Answer everything that waits in a study, and return when that is done (the command line's way)."""
    filler = Filler(store, engine, Hub(), threading.Event())
    threads = [threading.Thread(target=_drain, args=(filler, study_id), daemon=True) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _drain(filler: Filler, study_id: str) -> None:
    """Claim and answer until nothing waits, or until it plainly does not work."""
    try:
        while failed_in_a_row(filler.store, study_id, GIVE_UP) < GIVE_UP:
            comparison = claim_waiting(filler.store, study_id)
            if comparison is None:
                return
            filler.fill(comparison, BULK)
    finally:
        filler.store.close()
