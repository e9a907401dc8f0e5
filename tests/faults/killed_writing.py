"""Runs a trainer and kills it, as kill -9 does, when it opens its n-th file of a checkpoint.

    python -m tests.faults.killed_writing NUMBER MODULE [ARGUMENT...]

The interpreter's audit hook sees every file that Python opens by name, those that are brought to the disk included.
"""

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any


def kill_at(number: int) -> None:
    """From now on, this process is killed when it opens that file of a checkpoint."""
    opened = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal opened
        if event != "open" or not isinstance(arguments[0], str | Path):
            return
        if "/checkpoints/checkpoint-" in str(arguments[0]):
            opened += 1
            if opened == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def main() -> int:
    number, module, *arguments = sys.argv[1:]
    program = importlib.import_module(module)
    kill_at(int(number))
    from trainers.run import perform

    return perform(module.rpartition(".")[2], program.train, arguments)


if __name__ == "__main__":
    sys.exit(main())
