"""One thread that writes for many: what waits at the same moment is committed in one transaction.

Making a commit last on the disk costs milliseconds however much is in it, and writers that wait for each other's
commits by asking SQLite again and again wait at random. So the short writes of a web process queue here; each runs
inside a savepoint of its own, so that one that fails takes nothing of the others with it, and nobody is told of
success before the commit that holds it is on the disk.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from storage.store import Store

MOST = 64
"""Writes of one transaction: the first of them waits for the last."""

_IDLE = 5.0  # seconds without work after which the thread ends; the next write starts another

Result = TypeVar("Result")


class _Wish(NamedTuple):
    """A write that waits, and where its outcome goes."""

    work: Callable[[], Any]
    future: "Future[Any]"


class _Outcome(NamedTuple):
    """What came of a write, before the commit."""

    future: "Future[Any]"
    value: Any
    error: BaseException | None


class Committer:
    """Runs short writes one after the other and commits them together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[_Wish] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[[], Result]) -> "Future[Result]":
        """Have `work` run in the writing thread; its result, or what it raised, comes after the commit.

        `work` writes through the same store, quickly, and leaves nothing behind that a rollback would not undo.
        """
        future: Future[Result] = Future()
        with self._changed:
            self._waiting.append(_Wish(work, future))
            if self._thread is None:
                self._begin()
            self._changed.notify()
        return future

    def _run(self) -> None:
        try:
            while wishes := self._next():
                self._commit(wishes)
        finally:
            self._store.close()
            self._hand_on()

    def _hand_on(self) -> None:
        """Where something stopped this thread, the next one goes on with what waits."""
        with self._changed:
            if self._thread is threading.current_thread():
                self._thread = None
                if self._waiting:
                    self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def _next(self) -> list[_Wish]:
        """What waits; nothing where nobody has come for a while, and the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout=_IDLE)
            if not self._waiting:
                self._thread = None
            return [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]

    def _commit(self, wishes: list[_Wish]) -> None:
        try:
            with self._store.write():
                outcomes = [self._try(wish) for wish in wishes if wish.future.set_running_or_notify_cancel()]
        except BaseException as error:  # noqa: BLE001 - the disk is full, the database busy: who waits is told
            for wish in wishes:
                _refuse(wish.future, error)
            return
        for outcome in outcomes:
            if outcome.error is not None:
                outcome.future.set_exception(outcome.error)
            else:
                outcome.future.set_result(outcome.value)

    def _try(self, wish: _Wish) -> _Outcome:
        """Run one write; where it fails nothing of it stays."""
        run = self._store.db.conn.execute
        run("savepoint wish")
        try:
            value, error = wish.work(), None
        except BaseException as raised:  # noqa: BLE001 - it belongs to who asked for this write, whatever it is
            value, error = None, raised
            run("rollback to wish")
        run("release wish")
        return _Outcome(wish.future, value, error)


def _refuse(future: "Future[Any]", error: BaseException) -> None:
    """Tell who waits; one whose write has not begun may be giving up at this very moment."""
    if future.running() or (not future.done() and future.set_running_or_notify_cancel()):
        future.set_exception(error)
