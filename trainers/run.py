"""A run from its first line to its exit code: options, lock, signals, phases, and the error in plain words.

Every training script is `main = perform("<method>", train)`; what follows here happens around `train`.
"""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from storage.clock import now
from storage.processes import identify
from storage.runs import append_event, write_error
from storage.specs.options import parse_options
from storage.specs.registry import method_named
from storage.specs.run import RunSpec
from trainers.checkpoints import drop_torn, newest_complete
from trainers.failures import Failure, RunFailed, explain
from trainers.process import DONE, FAILED, STOPPED, TAKEN, environment, taken
from trainers.ranks import rank, take_device, wait_for_leader


class Stopped(BaseException):
    """The run was asked to stop; not an Exception, so that no library swallows it."""


class Followed(BaseException):
    """The training of which this process computed a share is over; the leader does the rest."""


class Run:
    """One run: its folder, what was asked for, and its voice (events), which only the process that leads has."""

    def __init__(self, folder: Path, spec: RunSpec, resume: bool = False) -> None:
        self.folder = folder
        self.spec = spec
        self.resume = resume
        self.stop_requested = False
        self.training = False
        self.finished = False
        self.leads = rank() == 0
        process = identify(os.getpid())
        self.started = process.started if process else now()

    @property
    def options(self) -> Any:
        """The method's options, checked; `spec.seed` stands in where the options name no seed."""
        return parse_options(method_named(self.spec.method).options, {"seed": self.spec.seed, **self.spec.options})

    @property
    def adapter(self) -> Path:
        """Where the finished adapter lies."""
        return self.folder / "adapter"

    @property
    def data(self) -> Path:
        """The frozen rows."""
        return self.folder / "data.parquet"

    def checkpoint(self) -> Path | None:
        """The checkpoint to go on from: the newest whole one, if the run was told to resume."""
        return newest_complete(self.folder / "checkpoints") if self.resume else None

    def event(self, kind: str, **values: Any) -> None:
        """Append an event."""
        if self.leads:
            append_event(self.folder, kind, **values)

    def say(self, sentence: str, **values: Any) -> None:
        """Tell people something worth knowing, in events and log."""
        print(sentence, flush=True)
        self.event("log", sentence=sentence, **values)

    def warn(self, sentence: str) -> None:
        """Tell people something that may spoil the result."""
        print(f"Warning: {sentence}", flush=True)
        self.event("warning", sentence=sentence)

    def phase(self, name: str, step: int = 0, total_steps: int = 0) -> None:
        """Say what is being done: loading, training, saving or probing."""
        self.event("progress", phase=name, step=step, total_steps=total_steps, eta_seconds=None)

    def done(self, **values: Any) -> None:
        """Say that everything is finished; a stop that comes later changes nothing."""
        self.finished = True
        self.event("done", seconds=round(now() - self.started, 3), **values)

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Within it a stop waits for the end of the step; elsewhere it ends the run at once.

        All training happens here: a process that does not lead has nothing to do after it.
        """
        self.training = True
        try:
            yield
        finally:
            self.training = False
        if not self.leads:
            raise Followed

    def on_signal(self, signal_number: int, _frame: FrameType | None) -> None:
        """SIGTERM or Ctrl+C: stop after this step, or now where no step is being taken. SIGUSR1: now in any case."""
        if self.finished:
            return
        asked, self.stop_requested = self.stop_requested, True
        if signal_number == signal.SIGUSR1 or not (asked or self.training):
            raise Stopped


def perform(method: str, train: Callable[[Run], None], argv: Sequence[str] | None = None) -> int:
    """Run a method's `train` on the folder named on the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m trainers.{method}", description=method_named(method).summary)
    parser.add_argument("folder", type=Path, help="run folder with spec.json and data.parquet")
    parser.add_argument("--resume", action="store_true", help="go on from the newest whole checkpoint, if any")
    parser.add_argument("--attempt", default="", help="name of this attempt, set by the worker")
    given = parser.parse_args(argv)
    folder: Path = given.folder.resolve()
    if rank():
        return _follow(folder, given.resume, train)
    with taken(folder, given.attempt) as mine:
        if not mine:
            print(f"Another process is doing the run in {folder}.", file=sys.stderr)
            return TAKEN
        return _outcome(folder, given.attempt, given.resume, train)


def _follow(folder: Path, resume: bool, train: Callable[[Run], None]) -> int:
    """Compute a share of a run that another process leads; only why it failed is told, before that one is ended."""
    try:
        _begin(folder, resume, train)
    except (Followed, Stopped):
        wait_for_leader(folder)
        return DONE
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a sentence
        traceback.print_exc()
        append_event(folder, "failed", error=write_error(folder, *explain(error)))
        return FAILED
    return DONE


def _begin(folder: Path, resume: bool, train: Callable[[Run], None]) -> None:
    """Set the process up as the spec says, hear signals, and train."""
    spec = RunSpec.read(folder)
    os.environ.update(environment(spec.threads, offline=Path(spec.base_path).exists()))
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # TRL refuses to see several devices in one process
    take_device()
    run = Run(folder, spec, resume)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, run.on_signal)
    train(run)


def _outcome(folder: Path, attempt: str, resume: bool, train: Callable[[Run], None]) -> int:
    """Call `train` and turn whatever comes out into events and an exit code."""
    (folder / "error.json").unlink(missing_ok=True)
    _end_torn_line(folder / "events.jsonl")
    append_event(folder, "log", sentence="The run's process has started.", attempt=attempt, pid=os.getpid())
    try:
        _begin(folder, resume, train)
    except Stopped:
        append_event(folder, "log", sentence="The run was stopped on request.", outcome="stopped")
        return STOPPED
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a sentence
        traceback.print_exc()
        _record(folder, explain(error))
        return FAILED
    return DONE


def _record(folder: Path, failure: Failure) -> None:
    """Write down why the run failed; on a full disk, torn checkpoints make room for it first."""
    if failure.kind == "disk-full":
        drop_torn(folder / "checkpoints")
    append_event(folder, "failed", error=write_error(folder, *failure))


def _end_torn_line(path: Path) -> None:
    """A process killed while writing leaves half a line; end it, so that the next event begins its own."""
    if path.exists() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")


def require_rows(rows: list[Any], fix: str) -> None:
    """Raise where nothing is left to train on."""
    if not rows:
        raise RunFailed("no-rows", "There is no row to train on.", fix)
