"""The ladder by which a run is stopped: save and stop, stop, kill. Every rung has a deadline, so it always ends.

A run that is asked to save gets as long as a step and a checkpoint take; one that does not answer is told to end at
once, and one that does not do that either (it hangs in a kernel, or its libraries swallow the signal) is killed with
everything that it started. A process that even the system cannot end (it waits for a dead disk) is given up.
"""

from typing import NamedTuple

from storage.clock import now
from trainers.executor import Executor, Order
from trainers.process import GRACE_SECONDS, SAVING_SECONDS


class Patience(NamedTuple):
    """Seconds that a run has on each rung."""

    save: float = GRACE_SECONDS
    saving: float = SAVING_SECONDS  # where it says that it is saving: a large model on a slow disk
    stop: float = 5.0  # to unwind, and to say that it was stopped
    kill: float = 30.0  # the system needs a moment to take back tens of gigabytes


_SAVE, _STOP, _KILL, _GIVE_UP = range(4)


class Ladder:
    """One run's way down. `climb` is called at every look; it never waits."""

    def __init__(self, patience: Patience) -> None:
        self._seconds = patience
        self._rung: int | None = None
        self._since = 0.0

    def climb(self, executor: Executor, order: Order, how: str, phase: str | None) -> bool:
        """Take the rung that is due: `how` it was asked for ("save" or "now"), `phase` of the run.

        Returns False where nothing is left to be tried.
        """
        wanted = _SAVE if how == "save" else _STOP
        if self._rung is None or self._rung < wanted:
            self._step(executor, order, wanted)
        elif now() - self._since > self._patience(phase):
            self._step(executor, order, min(self._rung + 1, _GIVE_UP))
        return self._rung != _GIVE_UP

    def _patience(self, phase: str | None) -> float:
        if self._rung == _SAVE:
            return self._seconds.saving if phase == "saving" else self._seconds.save
        return self._seconds.stop if self._rung == _STOP else self._seconds.kill

    def _step(self, executor: Executor, order: Order, rung: int) -> None:
        self._rung, self._since = rung, now()
        if rung in (_SAVE, _STOP):
            executor.ask_to_stop(order, save=rung == _SAVE)
        elif rung == _KILL:
            executor.kill(order)
