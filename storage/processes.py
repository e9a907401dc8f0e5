"""Who is alive: a process is known by its pid and its start time, because pids are used again."""

from typing import NamedTuple

import psutil

from storage.clock import now
from storage.home import Home, read_json

# After so many seconds without anybody's doing, a job that waits for idleness begins.
QUIET_SECONDS = 300.0
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


def nobody_works(home: Home) -> bool:
    """Whether people have left this home alone for some minutes: nobody has voted, edited or asked for anything."""
    if not serving(home):
        return True
    try:
        return now() - home.activity_file.stat().st_mtime > QUIET_SECONDS
    except FileNotFoundError:
        return True


def note_activity(home: Home) -> None:
    """Somebody works here now."""
    home.activity_file.touch(mode=0o600)
