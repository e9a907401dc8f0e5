"""A run as a process: started in its own session at the lowest priority, stopped step by step, found again.

A run outlives the worker that started it. It is known by `process.json` in its folder (pid, start time and the
attempt that it belongs to), which the run writes itself under a lock on `run.lock`: so a second process for the
same folder ends at once, and starting one again after a crash is harmless.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psutil

from storage.home import read_json, write_json
from storage.processes import Process, alive, identify

# Exit codes of a run.
DONE, FAILED, STOPPED, TAKEN = 0, 1, 3, 4

# A run that was asked to save and stop has this long before its whole process group is killed, and this long
# where it says that it is saving (a large model on a slow disk).
GRACE_SECONDS = 30.0
SAVING_SECONDS = 600.0

NICE = 19
"""The priority of runs: voting and answering on the same machine stay fast."""


class Child(Protocol):
    """A process that was started from here."""

    pid: int

    def runs(self) -> bool:
        """Whether it still runs."""
        ...

    def code(self) -> int | None:
        """How it ended, where that is known."""
        ...


class Fresh:
    """A child that began as a fresh interpreter."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pid = process.pid
        self._process = process

    def runs(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def code(self) -> int | None:
        """Its exit code, or minus the signal that ended it."""
        return self._process.poll()


def environment(threads: int, offline: bool = True) -> dict[str, str]:
    """Variables that a run sets for its libraries: threads capped, telemetry off, no questions asked."""
    count = str(max(1, threads))
    variables = {
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "RAYON_NUM_THREADS": count,
        # A waiting thread sleeps instead of spinning. On a machine that does other things as well (the engine
        # answers, people vote), spinning made a DPO step of a tiny model 15 times slower: 0.59 s against 0.04 s.
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "TRL_EXPERIMENTAL_SILENCE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if offline:
        variables |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    return variables


def words(module: str, folder: Path, attempt: str) -> list[str]:
    """What `python -m` is told of a run, which goes on from a checkpoint where there is one."""
    return [module, str(folder), "--resume", "--attempt", attempt]


def variables(threads: int, devices: Sequence[str] = ()) -> dict[str, str]:
    """The whole environment of a run."""
    return {**dict(os.environ), **environment(threads, offline=False), **_visible(devices)}


def start(module: str, folder: Path, attempt: str, threads: int, devices: Sequence[str] = ()) -> Fresh:
    """Start `python -m MODULE FOLDER` on the named devices, its words in train.log."""
    argv = [sys.executable, "-m", *_torchrun(devices), *words(module, folder, attempt)]
    with (folder / "train.log").open("ab") as log:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=variables(threads, devices),
            start_new_session=True,
            preexec_fn=_lower_priority,
        )
    return Fresh(process)


def _torchrun(devices: Sequence[str]) -> list[str]:
    """The launcher's words before the script: one process for each device where there are several."""
    if len(devices) < 2:
        return []
    return ["torch.distributed.run", "--standalone", f"--nproc-per-node={len(devices)}", "-m"]


def _visible(devices: Sequence[str]) -> dict[str, str]:
    """The accelerators that a run may see."""
    names = [device.removeprefix("cuda:") for device in devices if device.startswith("cuda:")]
    return {"CUDA_VISIBLE_DEVICES": ",".join(names)} if names else {}


def _lower_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, NICE)


@contextmanager
def taken(folder: Path, attempt: str) -> Iterator[bool]:
    """Hold the run folder for this process; yields False where another process holds it already."""
    with (folder / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        parent = identify(os.getppid()) if "TORCHELASTIC_RUN_ID" in os.environ else None
        launched = {"launcher": parent._asdict()} if parent else {}
        write_json(folder / "process.json", {**_self()._asdict(), "attempt": attempt, **launched})
        yield True


def _self() -> Process:
    found = identify(os.getpid())
    assert found is not None, "a running process finds itself"
    return found


def find(folder: Path, attempt: str) -> Process | None:
    """The process of this attempt as it was written down, running or not; None where it never started."""
    said = read_json(folder / "process.json")
    if said is None or said.get("attempt") != attempt:
        return None
    return Process(int(said["pid"]), float(said["started"]))


def launcher(folder: Path, attempt: str) -> Process | None:
    """What launched the processes of this attempt, where torchrun did."""
    said = read_json(folder / "process.json")
    if said is None or said.get("attempt") != attempt or "launcher" not in said:
        return None
    return Process(int(said["launcher"]["pid"]), float(said["launcher"]["started"]))


def ask_to_stop(process: Process, save: bool = True) -> None:
    """SIGTERM: the run saves a checkpoint and its adapter of the moment, and ends with exit code 3.

    SIGUSR1 (not `save`): it ends at once, also within a step.
    """
    if alive(*process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM if save else signal.SIGUSR1)


def kill(process: Process) -> None:
    """SIGKILL to the run, its group and everything that it started, also what left the group."""
    if not alive(*process):
        return
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        family = psutil.Process(process.pid).children(recursive=True)
        if os.getpgid(process.pid) == process.pid:  # never the group of whoever started it by hand
            os.killpg(process.pid, signal.SIGKILL)
        for one in (psutil.Process(process.pid), *family):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
