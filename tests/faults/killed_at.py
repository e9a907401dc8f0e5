"""Runs one of our programs and kills it, as kill -9 does, at a named point: when a function is entered or left.

    python -m tests.faults.killed_at POINT MODULE [ARGUMENT...]

POINT is `call:trainers.register.register` or `return:…`. The program itself is unchanged; the interpreter's own
profiling hook watches it.
"""

import importlib
import os
import signal
import sys
from types import FrameType
from typing import Any


def kill_at(point: str) -> None:
    """From now on, this process is killed when it reaches the point."""
    event, _, place = point.partition(":")
    module, _, function = place.rpartition(".")

    def watch(frame: FrameType, happened: str, _argument: Any) -> None:
        if happened != event or frame.f_code.co_name != function:
            return
        if frame.f_globals.get("__name__") == module:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def main() -> int:
    point, module, *arguments = sys.argv[1:]
    program = importlib.import_module(module)
    kill_at(point)
    if hasattr(program, "main"):
        return int(program.main(arguments))
    from trainers.run import perform

    return perform(module.rpartition(".")[2], program.train, arguments)


if __name__ == "__main__":
    sys.exit(main())
