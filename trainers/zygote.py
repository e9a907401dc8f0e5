"""The zygote: a process that has imported what training needs and computed nothing; runs fork from it in milliseconds.

    python -m trainers.zygote LINE [DOOR]     # started by the worker (`trainers.forking`); both: sockets' descriptors

Importing torch, transformers, peft, trl and datasets takes three to four seconds of every start; a fork of a process
that has them takes some hundredths. What makes a fork dangerous is what it does not copy: threads. A child that enters
an OpenMP region whose threads stayed behind in its parent waits for ever. So this process computes nothing, holds no
SQLite and no CUDA, refuses to fork once it has a second thread, and before it offers itself it sends a rehearsal
ahead: a child that computes with several threads and must come back. Where that fails, or a library has touched the
accelerator on import, it says so and ends, and runs start as fresh processes.

A child is what a fresh process would be: session, priority, signals, environment, threads, standard streams and
`sys.argv` are its own, and its module runs as `python -m` would run it. Two things differ. Libraries that read their
environment on import have read the zygote's (offline, no telemetry), so only runs on a local base fork; and NumPy's
own matrix products stay on one thread, because its library makes its threads when it is loaded.

It ends when the worker does, because its line does; runs go on without it.
"""

import atexit
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn

from storage.birth import LONGEST, Birth
from storage.processes import identify

_NICE = 10  # while it imports, voting goes on; a run lowers itself further
_REHEARSAL_SECONDS = 30.0
_GUEST_SECONDS = 1.0  # who knocks has an order ready
_POLL_SECONDS = 0.01
_DEFAULTS = (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1)
_TASKS = Path("/proc/self/task")


class Unsafe(Exception):
    """This process must not fork; the message says why."""


class Zygote:
    """Answers orders with pids: those of the worker, who also hears how each child ended, and those at the door."""

    def __init__(self, line: socket.socket, door: socket.socket | None = None) -> None:
        self._line = line
        self._door = door
        self._children: set[int] = set()
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def serve(self) -> Birth | None:
        """Fork whatever is ordered until the worker is gone (None); in a child, its order."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker)
        line, door = self._line.fileno(), self._door.fileno() if self._door else -1
        heard = [line, self._wake, *([door] if door >= 0 else [])]
        while True:
            ready, _, _ = select.select(heard, [], [])
            if self._wake in ready:
                os.read(self._wake, 512)
                self._reap()
            if door in ready and (order := self._open()):
                return order
            if line in ready:
                said = self._line.recv(LONGEST)
                if not said:
                    return None
                asked = json.loads(said)
                if order := self._bear(self._line, asked["order"], id=asked["id"]):
                    return order

    def _open(self) -> Birth | None:
        """Hear one order at the door; whoever says nothing is left standing."""
        assert self._door is not None, "somebody has knocked"
        try:
            guest, _ = self._door.accept()
            with guest:
                guest.settimeout(_GUEST_SECONDS)
                return self._bear(guest, json.loads(guest.recv(LONGEST)))
        except (OSError, ValueError):
            return None

    def _bear(self, line: socket.socket, order: list[Any], **told: Any) -> Birth | None:
        """Fork; returns the order in the child, None in the zygote."""
        try:
            require_one_thread()
            pid = os.fork()
        except (Unsafe, OSError) as error:
            tell(line, **told, refused=str(error))
            return None
        if pid == 0:
            self._leave()
            return Birth(*order)
        self._children.add(pid)
        process = identify(pid)
        tell(line, **told, pid=pid, started=process.started if process else 0.0)
        return None

    def _leave(self) -> None:
        """In a child: hold nothing of the zygote's, or the worker would not hear that it has ended."""
        signal.set_wakeup_fd(-1)
        self._line.close()
        if self._door is not None:
            self._door.close()
        os.close(self._wake)
        os.close(self._waker)

    def _reap(self) -> None:
        """Tell of every child that has ended."""
        for pid in list(self._children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._children.discard(pid)
                tell(self._line, pid=pid, code=os.waitstatus_to_exitcode(status))


def tell(line: socket.socket, **said: Any) -> None:
    """Send one message; who is gone is noticed where it is read."""
    try:
        line.send(json.dumps(said).encode())
    except OSError:
        return


def require_one_thread() -> None:
    """Raise Unsafe where this process has a second thread: a child would wait for it in vain."""
    count = len(list(_TASKS.iterdir()))
    if count > 1:
        raise Unsafe(f"the zygote has {count} threads, and a fork would copy one of them")


def rehearse(seconds: float = _REHEARSAL_SECONDS, play: Callable[[], None] | None = None) -> None:
    """Fork a child that computes with several threads; raises Unsafe where it does not come back in order.

    `play`: what the child does; the default is two parallel regions, one of them a matrix product.
    """
    require_one_thread()
    pid = os.fork()
    if pid == 0:
        _play(play or _compute)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            if code := os.waitstatus_to_exitcode(status):
                raise Unsafe(f"a trial child ended with exit code {code}")
            return
        time.sleep(_POLL_SECONDS)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise Unsafe(f"a trial child did not come back within {seconds:g} s")


def _play(play: Callable[[], None]) -> NoReturn:
    """The trial child: whatever happens in it, it ends here."""
    code = 1
    try:
        play()
        code = 0
    except BaseException:  # noqa: BLE001 - the edge of a process: its exit code tells
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _compute() -> None:
    """What hung where the parent had computed before it forked."""
    import torch

    if torch.cuda._is_in_bad_fork():
        raise Unsafe("a library has touched the accelerator on import")
    torch.set_num_threads(2)
    square = torch.ones(512, 512)
    total = float((square @ square).sum() + square.add(1).exp().sum())
    assert total > 0, "the product of positive numbers is positive"


def become(order: Birth, given: Collection[str]) -> None:
    """Turn this child into what `python -m` with the order's words would be, and run it to its SystemExit.

    `given`: names of the variables with which the zygote began; those that libraries have added since are kept.
    """
    import torch

    os.setsid()
    _step_back(order.nice)
    for number in _DEFAULTS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _redirect(order.log)
    added = {name: value for name, value in dict(os.environ).items() if name not in given}
    os.environ.clear()
    os.environ.update({**added, **order.environment})
    torch.set_num_threads(max(1, order.threads))
    _fresh_chance()
    module = order.words[0]
    sys.argv = ["-m", *order.words[1:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _step_back(nice: int) -> None:
    """Take that priority, or keep the one that it has where it is lower: only the system's owner may go forward."""
    os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))


def end(program: Callable[[], None]) -> NoReturn:
    """Call a program and leave with its exit code, as an interpreter does.

    Only what nobody sees is left out: taking half a million objects apart took 0.5 s, after the run's last word.
    """
    code: int = 0
    try:
        program()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - the edge of a process: its log and its exit code tell
        traceback.print_exc()
        code = 1
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _redirect(log: str) -> None:
    """Read from nowhere, write to the log."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for source, target in ((nowhere, 0), (file, 1), (file, 2)):
        os.dup2(source, target)
    os.close(nowhere)
    os.close(file)


def _fresh_chance() -> None:
    """Generators that begin by chance would begin alike in every child; Python's own begins anew by itself."""
    import numpy
    import torch

    numpy.random.seed(random.SystemRandom().getrandbits(32))
    torch.default_generator.seed()


def main(argv: Sequence[str] | None = None) -> int:
    """Import, rehearse, serve; returns the exit code of the zygote (a child ends in its module)."""
    words = list(sys.argv[1:] if argv is None else argv)
    line = socket.socket(fileno=int(words[0]))
    line.set_inheritable(False)
    _step_back(_NICE)
    begun, given = time.monotonic(), frozenset(dict(os.environ))
    door = socket.socket(fileno=int(words[1])) if len(words) > 1 else None
    if door is not None:
        door.set_inheritable(False)
    from trainers.imports import import_everything

    try:
        import_everything()
        rehearse()
    except (Unsafe, ImportError) as error:
        tell(line, unsafe=str(error))
        return 1
    tell(line, ready=round(time.monotonic() - begun, 3))
    order = Zygote(line, door).serve()
    if order is not None:
        end(lambda: become(order, given))
    return 0


if __name__ == "__main__":
    sys.exit(main())
