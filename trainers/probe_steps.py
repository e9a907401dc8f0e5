"""One or two steps of the very run, on its longest rows: what it will need and how long it will take.

The method's own script is called up to the end of its training, in a scratch folder, with a `Run` that writes no
events and ends where the real one would save. So every method is measured as it is, its checks before the first step
included, and nothing has to be kept alike.
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from storage.clock import now
from storage.specs.registry import method_named
from storage.specs.run import RunSpec
from trainers.run import Run

GIB = 1024**3
STEPS = 2
"""The first step warms up: kernels are chosen, the optimiser's state is made. The second is the one that is timed."""


class Measured(NamedTuple):
    """What the steps showed. `seconds`: of one step; `starting`: from the call to the first step; `peak`: bytes.

    `each`: seconds for each row before the first step, where rows are read or answered first; not in `starting`.
    `free`: bytes that the device had left for a run before this one began. `device`: cpu, cuda or mps.
    """

    starting: float
    each: float
    seconds: float
    peak: int
    free: int
    device: str
    metrics: dict[str, float]
    warnings: list[str]


class Probed(BaseException):
    """The steps are done; not an Exception, so that no library swallows it."""


class ProbeRun(Run):
    """A run that keeps its events to itself and ends where training ends."""

    def __init__(self, folder: Path, spec: RunSpec) -> None:
        super().__init__(folder, spec)
        self.events: list[tuple[float, str, dict[str, Any]]] = []

    def event(self, kind: str, **values: Any) -> None:
        """Keep the event with its moment."""
        self.events.append((now(), kind, values))

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Training; after it everything is known."""
        yield
        raise Probed


def measure(folder: Path, began: float) -> Measured:
    """Take the steps of the run in `folder`; `began`: when this process started.

    Raises what the run itself would raise: RatchetError, MemoryError, or whatever a library says.
    """
    spec = RunSpec.read(folder)
    free = _free(spec.device)
    run = ProbeRun(folder, spec)
    _forget_peak()
    with suppress(Probed):
        importlib.import_module(f"trainers.{method_named(spec.method).module}").train(run)
    return _told(run, began, free)


def _told(run: ProbeRun, began: float, free: int) -> Measured:
    preparing, each = _before_the_first_step(run)
    begun = [moment for moment, kind, values in run.events if kind == "progress" and values["phase"] == "training"]
    steps = [(moment, values) for moment, kind, values in run.events if kind == "metric"]
    starting = (begun[0] if begun else now()) - began
    moments = [moment for moment, _ in steps]
    seconds = moments[-1] - moments[-2] if len(moments) > 1 else moments[0] - begun[0] if moments else 0.0
    metrics = {name: value for name, value in (steps[0][1] if steps else {}).items() if name != "step"}
    warnings = [values["sentence"] for _, kind, values in run.events if kind == "warning"]
    device = _device()
    return Measured(max(0.0, starting - preparing), each, seconds, _peak(device), free, device, metrics, warnings)


def _before_the_first_step(run: ProbeRun) -> tuple[float, float]:
    """Seconds in which every row was read or answered before training, and seconds for each of them."""
    spoken = [(moment, values) for moment, kind, values in run.events if kind in ("progress", "metric")]
    spent = each = 0.0
    for (moment, values), (later, _) in pairwise(spoken):
        if values.get("phase") not in (None, "training", "loading") and values.get("total_steps"):
            spent += later - moment
            each = spent / values["total_steps"]
    return spent, each


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() and torch.cuda.max_memory_reserved() else "cpu"


def _free(wish: str) -> int:
    """Bytes that a run could have now, beside everything else that runs here."""
    import psutil
    import torch

    if wish in ("auto", "cuda") and torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    # What this process holds already will be free again when the run asks for it.
    return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)


def _peak(device: str) -> int:
    """The most memory that this process has held: of the accelerator where it trains, else of the machine."""
    import torch

    if device == "cuda":
        # Beside the tensors a context of its own, whose size is what the device lacks and nobody has reserved.
        return int(torch.cuda.max_memory_reserved() + GIB // 2)
    for line in _status():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)


def _status() -> list[str]:
    path = Path("/proc/self/status")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _forget_peak() -> None:
    """Begin to count anew, so that reading the rows does not count; where the system lets us."""
    path = Path("/proc/self/clear_refs")
    try:
        path.write_text("5", encoding="utf-8")
    except OSError:
        return  # another system, or a container that forbids it: the peak then holds the reading too
