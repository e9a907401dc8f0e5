"""The worker's side of the zygote: started when there is time for it, asked for runs, started again where it ended.

Nothing depends on it. Where it is not ready, or gone, or says that forking is unsafe, a run starts as a fresh process
some seconds more slowly; a run that it has forked goes on when it ends.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from storage.birth import LONGEST, Birth, open_door
from storage.home import write_json
from storage.processes import alive, identify
from trainers.process import environment

_ANSWER_SECONDS = 5.0  # a fork takes hundredths; one that does not answer hangs, and is ended
_MOST_STARTS = 3
_LEAST_FREE = 2 * 1024**3  # bytes: it holds half a gigabyte, which a small machine needs for the run itself

# Arrow's second allocator would have a thread; and whether there is CUDA is asked without touching it.
_ALONE = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "PYTORCH_NVML_BASED_CUDA_CHECK": "1"}


class NotForked(Exception):
    """A run cannot fork now; the message says why, as the end of a sentence."""


class Forked:
    """A process that the zygote has forked. It may outlive the zygote: then how it ended is not known."""

    def __init__(self, nursery: "Nursery", pid: int, started: float) -> None:
        self.pid = pid
        self._started = started
        self._nursery = nursery
        self._generation = nursery.generation

    def runs(self) -> bool:
        """Whether it still runs; a zombie whose end the zygote is about to tell counts as running."""
        if self.code() is not None:
            return False
        return self._nursery.tells(self._generation) or alive(self.pid, self._started)

    def code(self) -> int | None:
        """Its exit code, where the zygote has told it."""
        self._nursery.hear()
        return self._nursery.codes.get((self._generation, self.pid))


class Nursery:
    """At most one zygote. `log`: where it writes; `note`: the file that names it; `door`: where others knock."""

    def __init__(self, log: Path, note: Path, door: Path | None = None) -> None:
        self.log = log
        self.note = note
        self.door = door
        self.generation = 0
        self.ready = False
        self.codes: dict[tuple[int, int], int] = {}
        self.obstacle = "the zygote was not asked for"
        self._asked = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def expected(self) -> bool:
        """Whether a zygote has ever been wanted here, so that it is worth a word where a run does without."""
        return self.generation > 0

    def prepare(self) -> None:
        """Start a zygote where none is and forking is safe; returns at once."""
        self.hear()
        if self._line is not None or self.generation >= _MOST_STARTS or not _safe():
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._door() as door, self.log.open("ab") as log:
            handed = [theirs.fileno(), *([door.fileno()] if isinstance(door, socket.socket) else [])]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "trainers.zygote", *map(str, handed)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**dict(os.environ), **environment(1), **_ALONE},
                pass_fds=handed,
            )
        self._line, self.ready, self.obstacle = ours, False, "the zygote is not ready yet"
        self.generation += 1
        self._write_note()

    def _door(self) -> "socket.socket | contextlib.nullcontext[None]":
        """Where others knock; the worker does without where it cannot be opened."""
        if self.door is None:
            return contextlib.nullcontext()
        try:
            return open_door(self.door)
        except OSError:
            return contextlib.nullcontext()

    def fork(self, order: Birth) -> Forked:
        """Have the zygote become what is ordered; raises NotForked with the reason where it does not."""
        self.hear()
        if self._line is None or not self.ready:
            raise NotForked(self.obstacle)
        self._asked += 1
        try:
            self._line.send(json.dumps({"id": self._asked, "order": list(order)}).encode())
        except OSError as error:
            raise NotForked(f"the zygote does not take orders ({error})") from error
        answer = self._answer(self._asked)
        if "refused" in answer:
            self.close(str(answer["refused"]))
            raise NotForked(self.obstacle)
        return Forked(self, int(answer["pid"]), float(answer["started"]))

    def _answer(self, number: int) -> dict[str, Any]:
        """Wait for the answer to an order; a zygote that gives none is ended, so that it cannot fork later."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while self._line is not None and time.monotonic() < deadline:
            self.hear(0.1)
            if number in self._answers:
                return self._answers.pop(number)
        if self._line is not None:
            self.close(f"the zygote has not answered within {_ANSWER_SECONDS:g} s")
        raise NotForked(self.obstacle)

    def hear(self, seconds: float = 0.0) -> None:
        """Take what the zygote has said; waits so long for its first word."""
        while self._line is not None and select.select([self._line], [], [], seconds)[0]:
            seconds = 0.0
            try:
                said = self._line.recv(LONGEST)
            except OSError:
                said = b""
            if not said:
                self.close("the zygote has ended")
                return
            self._take(json.loads(said))

    def _take(self, said: dict[str, Any]) -> None:
        if "ready" in said:
            self.ready = True
            self._write_note()
        elif "unsafe" in said:
            self.generation = _MOST_STARTS
            self.close(str(said["unsafe"]))
        elif "code" in said:
            self.codes[self.generation, int(said["pid"])] = int(said["code"])
        else:
            self.codes.pop((self.generation, int(said.get("pid", 0))), None)  # of an earlier process of that number
            self._answers[int(said["id"])] = said

    def _write_note(self) -> None:
        if self._process is not None and (process := identify(self._process.pid)):
            write_json(self.note, {**process._asdict(), "ready": self.ready})

    def tells(self, generation: int) -> bool:
        """Whether the zygote of that generation is there to tell how its children end."""
        return self._line is not None and generation == self.generation

    def close(self, why: str = "the zygote was ended") -> None:
        """End the zygote, if there is one; its runs go on."""
        line, process, self._line, self._process = self._line, self._process, None, None
        self.ready, self.obstacle = False, why
        if line is not None:
            line.close()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        for path in (self.note, self.door):
            if path is not None:
                path.unlink(missing_ok=True)


def _safe() -> bool:
    """Whether runs may fork here: on Linux alone (Apple's libraries forbid it), and where memory is to spare."""
    return sys.platform == "linux" and int(psutil.virtual_memory().available) > _LEAST_FREE
