"""The process that answers a dataset: reads its prompts, asks the models, keeps each answer, makes the new dataset.

    python -m studio.task ID --home DIR        # a task of kind "answer"

Killed at any moment it goes on where it stood: the rows are those of a frozen version, and what has been answered lies
in the store by row and model. It asks at the lowest priority, and only for as much at once as the engine has room for
beside those who wait. The engine may end or move aside meanwhile: what was on its way is asked again.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from storage import answerings, tasks, versions
from storage.answerings import Answering, BulkAnswer
from storage.clock import now
from storage.datasets import get_dataset
from storage.errors import BadInput, Conflict, MovedAside, NotFound, NotReady, RatchetError, Refused, Stopped
from storage.models import base_of, get_model
from storage.prompts import Messages
from storage.rows import Version
from storage.rows_training import Model, Task
from storage.store import Store
from studio.clients.answers import Answer, SamplingParams
from studio.clients.engine import Engine
from studio.feedback.answered_rows import Asked, asked_rows, made_already, make_dataset
from studio.feedback.answerings import working
from studio.feedback.contestants import question
from studio.feedback.reuse import Identity, Sharing, identity_of, key_of, proved, standing_answer
from studio.feedback.room import BULK, USUAL, Room
from studio.feedback.sampling import Sampling
from studio.feedback.shuffling import shuffled
from studio.feedback.study_settings import Contestant

_MOST_AT_ONCE = 16
_CHUNK = 200  # rows whose answers are looked up together
_KEEP_SECONDS = 0.3  # answers of so long are written in one commit
_KEEP = 64
_LOOK_SECONDS = 0.2
_TRIES = 6  # engines that may end, or servers that may fail, under one question
_PAUSE = 0.5  # seconds before the second try; doubled for each one after that
_ASIDE_SECONDS = 1.0
GIVE_UP = 10
"""So many questions in a row that cannot be answered end the answering: more would not help."""

T = TypeVar("T")
_BUG = {"kind": "bug", "sentence": "This failed inside the studio; logs/tasks.log says why."}


class Wanted(NamedTuple):
    """One answer to be made."""

    asked: Asked
    model: Model
    identity: Identity | None
    """What answers, by its hashes; None for an endpoint."""


def run_answer(store: Store, task: Task) -> dict[str, Any]:
    """Do an answering to its end; raises Stopped where somebody asked for that."""
    with store.write():
        answering = answerings.get_answering(store, task.payload["answering"])
        if answering.state not in ("running", "stopping") or working(store, answering, before=task.id):
            return {"answering": answering.id, "state": "another process is at it, or nothing is left to do"}
        answering = answerings.change(store, answering.id, task_id=task.id)
    try:
        result = _Bulk(store, task, answering).run()
    except Stopped:
        _ended(store, answering, "stopped", None)
        raise
    except RatchetError as error:
        _ended(store, answering, "failed", {"kind": error.kind, "sentence": str(error)})
        raise
    except Exception:
        _ended(store, answering, "failed", _BUG)
        raise
    return result


def _ended(store: Store, answering: Answering, state: str, error: dict[str, Any] | None) -> None:
    answerings.change(store, answering.id, state=state, error=error, finished_at=now())


class _Bulk:
    """One answering at work."""

    def __init__(self, store: Store, task: Task, answering: Answering) -> None:
        self.store = store
        self.task = task
        self.answering = answering
        self.engine = Engine(store.home)
        self.room = Room(self.engine)
        self.sharing = Sharing()
        self.over = threading.Event()
        self.sampling = Sampling.from_json(answering.params)
        self.contestant = Contestant("", "", answering.system, None)
        self._kept: list[BulkAnswer] = []
        self._kept_at = time.monotonic()
        self._in_a_row = 0
        self._done = 0
        self._told_at = 0.0

    def run(self) -> dict[str, Any]:
        """Count, ask, and make the dataset; what it made."""
        if made := made_already(self.store, self.answering):
            return made
        self._tell("The prompts are counted")
        version = self._version()
        total = sum(1 for _ in self._prompts(version)) * len(self.answering.model_ids)
        if not total:
            raise BadInput("None of these rows asks anything; choose a dataset whose rows have prompts.")
        self.answering = answerings.change(self.store, self.answering.id, total=total)
        self._done = sum(answerings.counts(self.store, self.answering.id)[::2])
        self._tell()
        for group in self._groups():
            self._ask_all(self._missing(version, group))
        self._tell("The new dataset is written")
        return make_dataset(self.store, self.answering, lambda: self._prompts(version))

    def _version(self) -> Version:
        """The rows that are answered, frozen when the answering began."""
        if self.answering.version_id is None:
            dataset = get_dataset(self.store, self.answering.dataset_id)
            frozen = versions.freeze(self.store, dataset, lambda _, sentence: self._tell(sentence))
            self.answering = answerings.change(self.store, self.answering.id, version_id=frozen.id)
        return versions.get_version(self.store, str(self.answering.version_id))

    def _prompts(self, version: Version) -> Iterator[Asked]:
        return asked_rows(self.store, version, self.answering.params.get("count"))

    def _groups(self) -> list[list[Model]]:
        """The models by who answers for them: those on one base share its batches, and no base is loaded twice."""
        models = [get_model(self.store, identity) for identity in self.answering.model_ids]
        order = sorted(models, key=lambda model: base_of(self.store, model).id)
        return [list(group) for _, group in groupby(order, key=lambda model: base_of(self.store, model).id)]

    def _missing(self, version: Version, group: Sequence[Model]) -> Iterator[Wanted]:
        """What is still to be answered, row by row, all models of the group for one row after another."""
        identities = [(model, self._identity(model)) for model in group]
        chunk: list[Asked] = []
        for asked in self._prompts(version):
            chunk.append(asked)
            if len(chunk) == _CHUNK:
                yield from self._missing_of(chunk, identities)
                chunk = []
        yield from self._missing_of(chunk, identities)

    def _missing_of(
        self, chunk: Sequence[Asked], identities: Sequence[tuple[Model, Identity | None]]
    ) -> Iterator[Wanted]:
        given = answerings.given(self.store, self.answering.id, [one.example_id for one in chunk])
        for asked in chunk:
            for model, identity in identities:
                if (asked.example_id, model.id) not in given:
                    yield Wanted(asked, model, identity)

    def _identity(self, model: Model) -> Identity | None:
        """What answers for a model; the engine is waited for, as for an answer."""
        return self._insist(lambda: identity_of(self.engine, self.store, model))

    def _ask_all(self, missing: Iterator[Wanted]) -> None:
        """Ask for all that is missing, as many at once as there is room; raises Stopped, or where it gives up."""
        flying: set[Future[BulkAnswer]] = set()
        left: Wanted | None = next(missing, None)
        pool = ThreadPoolExecutor(_MOST_AT_ONCE, "answer")
        try:
            while flying or left is not None:
                while left is not None and len(flying) < self._slots(left.model, len(flying)):
                    flying.add(pool.submit(self._answer, left))
                    left = next(missing, None)
                done, flying = wait(flying, _LOOK_SECONDS, FIRST_COMPLETED)
                for future in done:
                    self._keep(future.result())
                self._tell()
        except BaseException:
            self.over.set()
            raise
        finally:
            # A server that says nothing would keep a stop waiting: whoever still listens to one writes nothing down.
            pool.shutdown(wait=not self.over.is_set(), cancel_futures=True)
            self._write()

    def _slots(self, model: Model, mine: int) -> int:
        if model.kind == "endpoint":
            return min(_MOST_AT_ONCE, model.at_once or USUAL)
        return min(_MOST_AT_ONCE, self.room.rows(mine))

    def _answer(self, wanted: Wanted) -> BulkAnswer:
        """One answer, or why there is none; runs in a thread of the pool."""
        said = question(self.contestant, wanted.asked.prompt)
        params = self._params(wanted.asked)
        key = key_of(wanted.identity, said, params)
        try:
            answer, reused = self._insist(lambda: self._given(wanted.model, said, params, key))
        except (Conflict, NotFound, Refused, Stopped):
            raise  # it concerns all rows, not this one
        except RatchetError as error:
            return self._row(wanted, None, error=str(error))
        finally:
            self.store.close()
        stamp = {**answer.stamp, "finish_reason": answer.finish_reason}
        return self._row(wanted, proved(key, wanted.identity, stamp), answer, stamp, reused)

    def _given(self, model: Model, said: Messages, params: SamplingParams, key: str | None) -> tuple[Answer, bool]:
        """The answer and whether it stood already, or was on its way for another row."""
        if key is None:
            return self._asked(model, said, params), False
        if standing := standing_answer(self.store, key):
            return standing, True
        return self.sharing.get(key, lambda: self._asked(model, said, params), self.over.is_set)

    def _asked(self, model: Model, said: Messages, params: SamplingParams) -> Answer:
        for delta in self.engine.stream(model, self.store, said, params, BULK):
            if self.over.is_set():
                raise Stopped("Answering was stopped.")
            if delta.answer is not None:
                return delta.answer
        raise AssertionError("a stream ended without its answer")

    def _insist(self, ask: Callable[[], T]) -> T:
        """Ask until it is answered: while the engine is aside, and some times where it ended or a server fails."""
        tries = 0
        while True:
            try:
                return ask()
            except (BadInput, Conflict, NotFound, Refused, Stopped):
                raise
            except MovedAside:
                if self.over.wait(_ASIDE_SECONDS) or self._told_to_stop():
                    raise Stopped("Answering was stopped.") from None
            except RatchetError:
                tries += 1
                if tries == _TRIES or self.over.wait(_PAUSE * 2 ** (tries - 1)):
                    raise

    def _params(self, asked: Asked) -> SamplingParams:
        """A seed for each prompt, which follows from the answering's: the same prompt gets the same one anywhere."""
        seed = shuffled("bulk", self.answering.params["seed"], asked.sha256) % 2**31
        return SamplingParams(self.sampling.max_tokens, self.sampling.temperature, self.sampling.top_p, seed)

    def _row(
        self,
        wanted: Wanted,
        key: str | None,
        answer: Answer | None = None,
        stamp: dict[str, Any] | None = None,
        reused: bool = False,
        error: str | None = None,
    ) -> BulkAnswer:
        text, tokens, seconds = (answer.text, answer.tokens, answer.seconds) if answer else (None, None, None)
        return BulkAnswer(
            self.answering.id, wanted.asked.example_id, wanted.model.id, key, text, stamp, tokens, seconds, error,
            int(reused), now(),
        )  # fmt: skip

    def _keep(self, answer: BulkAnswer) -> None:
        """Take an answer; raises NotReady where too many in a row could not be given."""
        self._kept.append(answer)
        self._done += 1
        self._in_a_row = self._in_a_row + 1 if answer.error else 0
        if self._in_a_row >= GIVE_UP:
            raise NotReady(f"{GIVE_UP} questions in a row could not be answered; the last one: {answer.error}")
        if len(self._kept) >= _KEEP or time.monotonic() - self._kept_at > _KEEP_SECONDS:
            self._write()

    def _write(self) -> None:
        kept, self._kept = self._kept, []
        if kept:
            answerings.keep(self.store, kept)
        self._kept_at = time.monotonic()

    def _tell(self, sentence: str = "") -> bool:
        """Say how far it is, a few times a second; raises Stopped where somebody asked for that."""
        if not sentence and time.monotonic() - self._told_at < _LOOK_SECONDS:
            return False
        self._told_at = time.monotonic()
        total = self.answering.total
        words = sentence or f"{self._done:,} of {total:,} answers"
        tasks.advance(self.store, self.task.id, min(0.99, self._done / total) if total else 0.0, words)
        if self._told_to_stop():
            raise Stopped(f'Answering into "{self.answering.target}" was stopped; what has been answered is kept.')
        return False

    def _told_to_stop(self) -> bool:
        return bool(
            self.store.value(
                "select 1 from answerings a, tasks t where a.id = ? and t.id = ? "
                "and (a.state = 'stopping' or t.cancel_requested)",
                [self.answering.id, self.task.id],
            )
        )
