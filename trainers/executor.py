"""Where runs take place: the seam between the worker, which knows jobs, and what starts and ends their processes.

An executor takes an order (a run folder, the script, the attempt) and answers for the process that comes of it,
whoever started it: everything that it must know again lies in the run folder, so that a worker that was killed is
replaced by one that finds the same runs. `LocalExecutor` has process groups on this machine, and `torchrun` where a
run has several accelerators; a cluster's would submit the same command. What any executor must do is written down in
tests/trainers/executor_contract.py.
"""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from storage.birth import Birth
from storage.home import read_json
from storage.processes import Process, alive, identify
from storage.runs import append_event
from trainers import process
from trainers.forking import NotForked, Nursery


class Order(NamedTuple):
    """A run to be started. `module`: the script as `python -m` takes it; `devices`: which slots it has got."""

    folder: Path
    module: str
    attempt: str
    threads: int = 1
    devices: tuple[str, ...] = ("cpu",)


class Executor(Protocol):
    """What the worker asks of the place where runs take place. No call waits for a run."""

    def slots(self) -> tuple[str, ...]:
        """The devices that runs can have, one run each; never empty."""
        ...

    def start(self, order: Order) -> None:
        """Start the run, which goes on from its checkpoint; starting one that runs does no harm. Raises OSError."""
        ...

    def find(self, order: Order) -> Process | None:
        """The process of this attempt, running or not, whoever started it; None where it never began."""
        ...

    def running(self, order: Order) -> bool:
        """Whether anything of this attempt still runs."""
        ...

    def exit_code(self, order: Order) -> int | None:
        """How it ended, where that is known."""
        ...

    def ask_to_stop(self, order: Order, save: bool) -> None:
        """Ask it to end: after a checkpoint, or without one. Harmless where nothing runs."""
        ...

    def kill(self, order: Order) -> None:
        """End it and everything that it started, without asking. Harmless where nothing runs."""
        ...

    def prepare(self) -> None:
        """Get ready for the next start, in a quiet moment. Never waits."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait so long, or until a run has ended."""
        ...


class LocalExecutor:
    """Runs as process groups of this machine. `slots`: its accelerators, or the processor as one.

    `nursery`: where runs fork from a zygote that has imported what they need; without it, and wherever a fork would
    not be safe, a run is a fresh process.
    """

    def __init__(self, slots: Sequence[str] = ("cpu",), nursery: Nursery | None = None) -> None:
        self._slots = tuple(slots) or ("cpu",)
        self._nursery = nursery
        self._children: dict[tuple[Path, str], process.Child] = {}

    def slots(self) -> tuple[str, ...]:
        """The devices by name, such as cuda:0; `cpu` on a machine without accelerator."""
        return self._slots

    def prepare(self) -> None:
        """Have a zygote ready."""
        if self._nursery is not None:
            self._nursery.prepare()

    def wait(self, seconds: float) -> None:
        """Sleep, or hear from the zygote."""
        if self._nursery is not None and self._nursery.ready:
            self._nursery.hear(seconds)
        else:
            time.sleep(seconds)

    def start(self, order: Order) -> None:
        """Start the script in a session of its own: forked, or fresh, by torchrun where it has several accelerators."""
        child = self._fork(order) or process.start(
            order.module, order.folder, order.attempt, order.threads, order.devices
        )
        self._children[order.folder, order.attempt] = child

    def _fork(self, order: Order) -> process.Child | None:
        """Fork the run from the zygote; None where it must start fresh, which its log tells."""
        if self._nursery is None or not self._nursery.expected:
            return None
        try:
            return self._nursery.fork(_birth(order))
        except NotForked as error:
            append_event(order.folder, "log", sentence=f"It starts as a fresh process, some seconds slower: {error}.")
            return None

    def find(self, order: Order) -> Process | None:
        """The process as it wrote itself down in the run folder."""
        return process.find(order.folder, order.attempt)

    def running(self, order: Order) -> bool:
        """Whether our child runs, or the process that wrote itself down, or what launched it."""
        child = self._child(order)
        if child is not None and child.runs():
            return True
        return any(alive(*one) for one in self._known(order))

    def exit_code(self, order: Order) -> int | None:
        """The exit code of our own child; unknown where an earlier worker started it."""
        child = self._child(order)
        return None if child is None else child.code()

    def ask_to_stop(self, order: Order, save: bool) -> None:
        """A signal to the process that leads the run, or to our child where it has not begun yet."""
        leader = self.find(order) or self._started(order)
        if leader is not None:
            process.ask_to_stop(leader, save)

    def kill(self, order: Order) -> None:
        """SIGKILL to the group and to every descendant: what torchrun starts has sessions of its own."""
        for one in (*self._known(order), self._started(order)):
            if one is not None:
                process.kill(one)

    def _child(self, order: Order) -> process.Child | None:
        return self._children.get((order.folder, order.attempt))

    def _started(self, order: Order) -> Process | None:
        """Our own child, while it runs."""
        child = self._child(order)
        return identify(child.pid) if child is not None and child.runs() else None

    def _known(self, order: Order) -> list[Process]:
        """The processes that the run folder names: the one that leads, and its launcher."""
        return [one for one in (process.launcher(order.folder, order.attempt), self.find(order)) if one is not None]


def _birth(order: Order) -> Birth:
    """What the zygote is told of a run; raises NotForked for one that needs more than a fork."""
    if len(order.devices) > 1:
        raise NotForked("a run on several devices has a launcher of its own")
    spec = read_json(order.folder / "spec.json") or {}
    if not Path(str(spec.get("base_path", ""))).exists():
        raise NotForked("its base is fetched from the Hub, and the zygote is offline")
    return Birth(
        process.words(order.module, order.folder, order.attempt),
        str(order.folder / "train.log"),
        process.variables(order.threads, order.devices),
        order.threads,
        process.NICE,
    )


def local_slots(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The accelerators of this machine that may be used (CUDA_VISIBLE_DEVICES), found without torch."""
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    names = [name.strip() for name in visible.split(",")] if visible is not None else _listed_by_driver()
    return tuple(f"cuda:{name}" for name in names if name and name != "-1") or ("cpu",)


def _listed_by_driver() -> list[str]:
    """Numbers of the accelerators that NVIDIA's driver lists; none where there is no driver."""
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return said.stdout.split() if said.returncode == 0 else []
