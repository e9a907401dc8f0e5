"""Where the engine computes: device, number format and threads, each with the reason that people are shown.

bfloat16 is not faster on every CPU, so there it is measured once (about 0.2 s) and kept in the home's
`engine-tuning.json`; a new version of torch, another processor or thread count measures again.
"""

import os
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from storage.errors import BadInput
from storage.home import read_json, write_json

if TYPE_CHECKING:
    import torch

DTYPES = ("auto", "bfloat16", "float16", "float32")

# The product that is timed: three rows (a comparison of three) through layers of a ~100M model, more memory
# than a cache holds, as decoding is.
_ROWS, _HIDDEN, _LAYERS, _REPEATS = 3, 640, 12, 5


# Up to this many weights float32 costs no time on a CPU (3.7M weights: 2.1 ms a step in both formats) and keeps an
# answer the same whoever else is in the batch, which bfloat16's rounding does not.
_SMALL = 10_000_000


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


def choose_device(tuning_file: Path, dtype: str = "auto", threads: int | None = None) -> Device:
    """The device of this machine; sets torch's thread count. `dtype` and `threads` overrule the choice."""
    import torch

    count = threads or default_threads()
    torch.set_num_threads(count)
    kind, why_device = _kind()
    if dtype != "auto":
        return Device(torch.device(kind), _dtype_named(dtype), count, f"{why_device}; {dtype} as asked", fixed=True)
    chosen, why_dtype = _choose_dtype(kind, count, tuning_file)
    return Device(torch.device(kind), chosen, count, f"{why_device}; {why_dtype}")


def default_threads() -> int:
    """All cores of a small machine, all but one up to 16 of a larger one: the web process needs little."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if cores <= 2 else min(cores - 1, 16)


def _kind() -> tuple[str, str]:
    import torch

    if torch.cuda.is_available():
        return "cuda", f"CUDA sees {torch.cuda.get_device_name(0)}"
    if torch.backends.mps.is_available():
        return "mps", "Apple's Metal is available"
    return "cpu", "no CUDA or Metal device was found"


def _dtype_named(name: str) -> "torch.dtype":
    import torch

    if name not in DTYPES:
        raise BadInput(f"The number format {name!r} is not known; choose one of {', '.join(DTYPES)}.")
    found: torch.dtype = getattr(torch, name)
    return found


def _choose_dtype(kind: str, threads: int, tuning_file: Path) -> tuple["torch.dtype", str]:
    import torch

    if kind == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16, "it computes in bfloat16"
        return torch.float16, "it has no bfloat16, so float16"
    if kind == "mps":
        return torch.float16, "float16 is what Metal computes fastest"
    bfloat16, float32 = _timings(threads, tuning_file)
    words = f"bfloat16 took {bfloat16:.1f} ms here where float32 took {float32:.1f} ms; small bases take float32"
    return (torch.bfloat16 if bfloat16 <= float32 else torch.float32), words


def _timings(threads: int, tuning_file: Path) -> tuple[float, float]:
    """Milliseconds of a decoding step's products in bfloat16 and float32, measured or remembered."""
    import torch

    key = f"{platform.machine()} {_processor()} torch {torch.__version__} threads {threads}"
    known = read_json(tuning_file) or {}
    if key not in known:
        known[key] = {"bfloat16": _time_step(torch.bfloat16), "float32": _time_step(torch.float32)}
        write_json(tuning_file, known)
    return known[key]["bfloat16"], known[key]["float32"]


def _time_step(dtype: "torch.dtype") -> float:
    import torch

    weights = [torch.ones(4 * _HIDDEN, _HIDDEN, dtype=dtype) for _ in range(_LAYERS)]
    rows = torch.ones(_ROWS, _HIDDEN, dtype=dtype)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(_REPEATS):
            start = time.perf_counter()
            for weight in weights:
                torch.nn.functional.linear(rows, weight)
            best = min(best, time.perf_counter() - start)
    return round(best * 1000, 3)


def _processor() -> str:
    """The processor's name: Linux tells it only in /proc/cpuinfo."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
