"""Who is alive: a process is known by its pid and its start time, because pids are used again."""

from typing import NamedTuple

import psutil

from storage.home import Home, read_json

# Two readings of one process's start time may differ by a clock tick.
_TICK = 0.05


class Process(NamedTuple):
    """A process by pid and start time (seconds since 1970)."""

    pid: int
    started: float


def identify(pid: int) -> Process | None:
    """The process that has this pid now, or None."""
    try:
        return Process(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def alive(pid: int | None, started: float | None) -> bool:
    """Whether the process with this pid that began at `started` still runs (a zombie does not)."""
    if not pid or started is None:
        return False
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < _TICK
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def serving(home: Home) -> bool:
    """Whether a `serve` of this home runs now."""
    said = read_json(home.serve_file)
    return said is not None and alive(said.get("pid"), said.get("started"))
