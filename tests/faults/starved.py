"""Runs a trainer that gets no more memory than this from the moment when its base is loaded.

    python -m tests.faults.starved MEGABYTES MODULE [ARGUMENT...]

The limit is the system's own, on the process's address space: what asks for more is refused as on a full machine.
"""

import importlib
import resource
import sys
from pathlib import Path
from types import FrameType
from typing import Any


def starve_after(function: str, megabytes: int) -> None:
    """Set the limit when a function of that name in `trainers.models` returns."""

    def watch(frame: FrameType, happened: str, _argument: Any) -> None:
        code = frame.f_code
        if happened == "return" and code.co_name == function and frame.f_globals.get("__name__") == "trainers.models":
            sys.setprofile(None)
            limit = _now() + megabytes * 1024**2
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    sys.setprofile(watch)


def _now() -> int:
    """The size of this process's address space."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmSize:"))


def main() -> int:
    megabytes, module, *arguments = sys.argv[1:]
    program = importlib.import_module(module)
    starve_after("load_base", int(megabytes))
    from trainers.run import perform

    return perform(module.rpartition(".")[2], program.train, arguments)


if __name__ == "__main__":
    sys.exit(main())
