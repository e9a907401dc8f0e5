"""Where the engine computes: device, number format and threads, each with the reason that people are shown.

Neither is known beforehand: bfloat16 is not faster on every CPU, and two threads are not faster than one where memory
is what is waited for. So both are measured once (under a second) and kept in the home's `engine-tuning.json`; a new
version of torch, another processor or another number of cores measures again. The same is done on CUDA and Metal,
where only the format is in question. A first start is when the whole studio starts: what was measured while others
computed says nothing about threads, and is not kept.
"""

import math
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from storage.errors import BadInput
from storage.home import read_json, write_json
from trainers.memory import GROUP

if TYPE_CHECKING:
    import torch

DTYPES = ("auto", "bfloat16", "float16", "float32")

# The product that is timed: three rows (a comparison of three) through layers of a ~100M model, more memory
# than a cache holds, as decoding is.
_ROWS, _HIDDEN, _LAYERS, _REPEATS = 3, 640, 12, 6

# Up to this many weights float32 costs no time on a CPU (3.7M weights: 2.1 ms a step in both formats) and keeps an
# answer the same whoever else is in the batch, which bfloat16's rounding does not.
_SMALL = 10_000_000

# Fewer threads are taken where they cost at most this much: the other cores serve pages and train.
_WORTH_A_THREAD = 1.1
_MOST_THREADS = 16
# Others may take this share of all cores while it is measured.
_QUIET = 0.2


class Device(NamedTuple):
    """What to compute on, how, and why. `fixed`: the number format was asked for and holds for every base."""

    device: "torch.device"
    dtype: "torch.dtype"
    threads: int
    reason: str
    fixed: bool = False

    def dtype_of(self, weights: int) -> "torch.dtype":
        """The number format for a base with this many weights."""
        import torch

        small = self.device.type == "cpu" and weights <= _SMALL and not self.fixed
        return torch.float32 if small else self.dtype

    @property
    def dtype_name(self) -> str:
        """The number format in one word."""
        return str(self.dtype).removeprefix("torch.")


class Timing(NamedTuple):
    """Milliseconds of a decoding step's products in one format with so many threads."""

    dtype: str
    threads: int
    milliseconds: float


class Measured(NamedTuple):
    """What was timed; `quiet`: nobody else computed meanwhile."""

    timings: list[Timing]
    quiet: bool


def choose_device(tuning_file: Path, dtype: str = "auto", threads: int | None = None) -> Device:
    """The device of this machine; sets torch's thread count. `dtype` and `threads` overrule the choice."""
    import torch

    kind, why = _kind()
    formats = _formats(kind) if dtype == "auto" else (_named(dtype),)
    counts = (threads,) if threads else thread_counts() if kind == "cpu" else (default_threads(),)
    measured = _timings(kind, formats, counts, tuning_file) if len(formats) * len(counts) > 1 else Measured([], True)
    chosen = choose(measured, default_threads()) if measured.timings else Timing(formats[0], counts[0], 0.0)
    torch.set_num_threads(chosen.threads)
    words = [why, f"{dtype} as asked" if dtype != "auto" else "", told(measured, chosen)]
    if kind == "cpu" and dtype == "auto":
        words.append("small bases take float32")
    found: torch.dtype = getattr(torch, chosen.dtype)
    return Device(torch.device(kind), found, chosen.threads, "; ".join(filter(None, words)), fixed=dtype != "auto")


def choose(measured: Measured, usual: int) -> Timing:
    """The quickest format, the first named where two are equal; in it the fewest threads that cost next to nothing, or
    the `usual` number where others computed meanwhile.
    """
    quickest = min(measured.timings, key=lambda timing: timing.milliseconds)
    enough = [one for one in measured.timings if one.dtype == quickest.dtype]
    if not measured.quiet:
        return next((one for one in enough if one.threads == usual), quickest)
    limit = quickest.milliseconds * _WORTH_A_THREAD
    return min((one for one in enough if one.milliseconds <= limit), key=lambda one: one.threads)


def told(measured: Measured, chosen: Timing) -> str:
    """What was measured, in words."""
    others = [one for one in measured.timings if one != chosen]
    if not others:
        return ""
    beside = ", ".join(f"{one.milliseconds:.1f} ms in {_words(one)}" for one in others)
    busy = "" if measured.quiet else " (the machine was busy: the next start measures again)"
    return f"a step took {chosen.milliseconds:.1f} ms in {_words(chosen)}, {beside}{busy}"


def _words(timing: Timing) -> str:
    return f"{timing.dtype} with {timing.threads} thread{'s' if timing.threads > 1 else ''}"


def default_threads() -> int:
    """All cores of a small machine, all but one up to 16 of a larger one: the web process needs little."""
    cores = usable_cores()
    return cores if cores <= 2 else min(cores - 1, _MOST_THREADS)


def thread_counts() -> tuple[int, ...]:
    """The thread counts that are worth measuring: one, one for each physical core, one for each that we may use."""
    cores = usable_cores()
    physical = min(psutil.cpu_count(logical=False) or cores, cores)
    return tuple(sorted({1, min(physical, _MOST_THREADS), min(cores, _MOST_THREADS), default_threads()}))


def usable_cores(root: Path = GROUP) -> int:
    """Cores that this process may use: those that it may run on, and no more than its control group's share of time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (root / "cpu.max").read_text().split()
        return max(1, cores if quota == "max" else min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores


def _kind() -> tuple[str, str]:
    import torch

    if torch.cuda.is_available():
        return "cuda", f"CUDA sees {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "mps", "Apple's Metal is available"
    return "cpu", "no CUDA or Metal device was found"


def _named(name: str) -> str:
    if name not in DTYPES:
        raise BadInput(f"The number format {name!r} is not known; choose one of {', '.join(DTYPES)}.")
    return name


def _formats(kind: str) -> tuple[str, ...]:
    """The formats that are worth measuring: emulated ones are not."""
    import torch

    if kind == "cpu":
        return "bfloat16", "float32"
    native = kind == "mps" or torch.cuda.is_bf16_supported(including_emulation=False)
    return ("bfloat16", "float16", "float32") if native else ("float16", "float32")


def _timings(kind: str, formats: Sequence[str], counts: Sequence[int], tuning_file: Path) -> Measured:
    """Every format with every thread count, measured or remembered."""
    import torch

    wanted = f"{' '.join(formats)}, threads {' '.join(map(str, counts))}"
    key = f"{platform.machine()} {_processor(kind)} torch {torch.__version__} {kind}: {wanted}"
    known = read_json(tuning_file) or {}
    if key in known:
        return Measured([Timing(*timing) for timing in known[key]], True)
    measured = _measure(kind, formats, counts)
    if measured.quiet:
        write_json(tuning_file, known | {key: measured.timings})
    return measured


def _measure(kind: str, formats: Sequence[str], counts: Sequence[int]) -> Measured:
    """The best of some rounds of each, in turns, so that a moment's disturbance meets all of them."""
    import torch

    weights = {name: _weights(kind, name) for name in formats}
    best = {(name, count): math.inf for name in formats for count in counts}
    others = _Others()
    for _ in range(_REPEATS):
        for name, count in best:
            torch.set_num_threads(count)
            best[name, count] = min(best[name, count], _time_step(*weights[name], kind))
    timings = [Timing(*one, round(seconds * 1000, 3)) for one, seconds in best.items()]
    return Measured(timings, others.share() <= _QUIET)


class _Others:
    """What other processes compute from now on."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._busy, self._own = _busy_seconds(), time.process_time()

    def share(self) -> float:
        """Their share of all cores since then."""
        others = (_busy_seconds() - self._busy) - (time.process_time() - self._own)
        cores = psutil.cpu_count() or 1
        return max(0.0, others) / max(1e-9, (time.monotonic() - self._start) * cores)


def _busy_seconds() -> float:
    """Seconds that the machine's cores have computed since it started."""
    spent = psutil.cpu_times()
    return float(sum(spent) - spent.idle - getattr(spent, "iowait", 0.0) - getattr(spent, "guest", 0.0))


def _weights(kind: str, dtype: str) -> "tuple[torch.Tensor, list[torch.Tensor]]":
    """Rows, and the layers through which they go."""
    import torch

    options = {"dtype": getattr(torch, dtype), "device": kind}
    return torch.ones(_ROWS, _HIDDEN, **options), [torch.ones(4 * _HIDDEN, _HIDDEN, **options) for _ in range(_LAYERS)]


def _time_step(rows: "torch.Tensor", weights: "Sequence[torch.Tensor]", kind: str) -> float:
    """Seconds of the products of one step, to the end of the last."""
    import torch

    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(kind, _no_wait)
    with torch.inference_mode():
        wait()
        start = time.perf_counter()
        for weight in weights:
            torch.nn.functional.linear(rows, weight)
        wait()
        return time.perf_counter() - start


def _no_wait() -> None:
    """A CPU has computed when the call returns."""


def _processor(kind: str) -> str:
    """The name of what computes: Linux tells a CPU's only in /proc/cpuinfo."""
    import torch

    if kind == "cuda":
        return torch.cuda.get_device_name(0)
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
