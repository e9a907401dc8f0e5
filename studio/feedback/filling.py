"""Filling comparisons: both sides are asked at the same moment, so that the engine answers them in one mixed batch.

A comparison is claimed in one statement, answered, and becomes ready in one transaction with all its texts. What a
crash leaves half-done waits again (`storage.comparisons.release`); a failure is kept with its sentence and is
not tried again until somebody asks for it.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from storage.comparisons import answers_of, claim_waiting, fill_answer, get_comparison, get_study, mark
from storage.errors import BadInput, Conflict, MovedAside, NotFound, RatchetError, Refused
from storage.judgements import failed_in_a_row
from storage.models import get_model
from storage.prompts import Messages
from storage.rows import Answer, Comparison
from storage.rows_training import Model
from storage.store import Store
from studio.bugs import report_bug
from studio.clients.answers import Answer as Answered
from studio.clients.answers import SamplingParams
from studio.clients.engine import Engine
from studio.feedback.contestants import contestant_of, question, stamped
from studio.feedback.hub import Hub, Live
from studio.feedback.sampling import Sampling
from studio.feedback.shuffling import shuffled
from studio.feedback.studies import sampling_of

AT_ONCE = 3
"""Comparisons answered at the same time: six rows fill a small engine's batch; more would slow the first one."""

GIVE_UP = 3
"""After so many failures in a row nothing more is asked in a study until somebody says so."""

_TRIES = 2  # an engine that ended while it was asked is started again once
_ASIDE_SECONDS = 1.0  # between two looks whether it is back
_FINAL = (BadInput, Conflict, NotFound, Refused)  # asking again would be refused again


class Filler:
    """Answers claimed comparisons; `stopping` ends it between two pieces of text."""

    def __init__(self, store: Store, engine: Engine, hub: Hub, stopping: threading.Event) -> None:
        self.store = store
        self.engine = engine
        self.hub = hub
        self.stopping = stopping

    def fill(self, comparison: Comparison) -> None:
        """Have a claimed comparison answered; afterwards it is ready, failed, or (when stopping) waiting again."""
        answers = answers_of(self.store, comparison.id)
        live = self.hub.begin(comparison.id, len(answers))
        try:
            made = self._tried(comparison, answers, live)
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

    def _tried(self, comparison: Comparison, answers: Sequence[Answer], live: Live) -> list[Answered]:
        """Ask until there are answers; while the engine has moved aside for a training, wait and ask again."""
        failed = 0
        while True:
            try:
                return self._ask(comparison, answers, live)
            except _FINAL:
                raise
            except MovedAside:
                live.restart()
                live.enter("aside")
                if self.stopping.wait(_ASIDE_SECONDS):
                    raise
            except RatchetError:
                failed += 1
                if failed == _TRIES or self.stopping.is_set():
                    raise
                live.restart()

    def _ask(self, comparison: Comparison, answers: Sequence[Answer], live: Live) -> list[Answered]:
        """All sides at once."""
        models = [self._model(answer) for answer in answers]
        live.enter("loading")
        for model in {model.id: model for model in models}.values():
            if model.kind != "endpoint":
                self.engine.ensure(self.store, model)
        live.enter("answering")
        study = get_study(self.store, comparison.study_id)
        asks = []
        for answer, model in zip(answers, models, strict=True):
            who = contestant_of(study, answer)
            sampling = who.sampling or sampling_of(study)
            said = question(who, comparison.prompt, answer.history)
            params = _params(sampling, comparison, answer.position)
            asks.append(_Ask(self, model, said, params, comparison.source == "free"))
        return [
            replace(made, stamp=stamped(made.stamp, contestant_of(study, answer), sampling_of(study)))
            for answer, made in zip(answers, _together(asks, live), strict=True)
        ]

    def _model(self, answer: Answer) -> Model:
        if answer.model_id is None:
            raise BadInput(f'"{answer.model_name}" is only a name from a file; it cannot answer.')
        return get_model(self.store, answer.model_id)

    def _finish(self, comparison: Comparison, answers: Sequence[Answer], made: Sequence[Answered]) -> None:
        """All texts and the state in one transaction, unless somebody else was quicker."""
        with self.store.write():
            if get_comparison(self.store, comparison.id).comparison.state != "answering":
                return
            for answer, one in zip(answers, made, strict=True):
                stamp = {**one.stamp, "finish_reason": one.finish_reason}
                fill_answer(self.store, answer.id, one.text, stamp, one.tokens, one.seconds)
            mark(self.store, comparison.id, "ready")


class _Ask:
    """One side of a comparison."""

    def __init__(self, filler: Filler, model: Model, prompt: Messages, params: SamplingParams, urgent: bool) -> None:
        self.filler = filler
        self.model = model
        self.prompt = prompt
        self.params = params
        # The engine takes lower numbers first: somebody waits for a typed question.
        self.priority = 0 if urgent else 1
        self.answer: Answered | None = None
        self.error: Exception | None = None

    def run(self, say: Callable[[str], None], over: threading.Event) -> None:
        """Read the answer piece by piece until its end, or until the comparison is given up."""
        filler = self.filler
        stream = filler.engine.stream(self.model, filler.store, self.prompt, self.params, self.priority)
        try:
            for delta in stream:
                if over.is_set() or filler.stopping.is_set():
                    raise RatchetError("Answering was stopped.")
                say(delta.text)
                self.answer = delta.answer or self.answer
        except Exception as error:  # noqa: BLE001 - a thread's error must reach the one that waits for it
            self.error = error
            over.set()
        finally:
            filler.store.close()


def _together(asks: Sequence[_Ask], live: Live) -> list[Answered]:
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
    return [ask.answer for ask in asks if ask.answer is not None]


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
            filler.fill(comparison)
    finally:
        filler.store.close()
