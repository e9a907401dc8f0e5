"""How a home's zygote (`trainers.zygote`) is asked for a process: the order, and its door, a Unix socket in the home.

The worker has a line of its own; whoever else wants a process that has the training libraries imported, such as a
preflight, knocks at the door. Both sides import this; nothing depends on anybody being there.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

LONGEST = 1 << 17
"""Bytes of a message at the most: an order carries the whole environment."""

_WAITING = 8


class Birth(NamedTuple):
    """What a child is to become. `words`: module and arguments, as `python -m` takes them; `log`: where it writes."""

    words: list[str]
    log: str
    environment: dict[str, str]
    threads: int
    nice: int


def open_door(path: Path) -> socket.socket:
    """Listen at a path, for its owner alone; raises OSError where the system has no such sockets."""
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with _short(path) as address:
            door.bind(address)
        path.chmod(0o600)
        door.listen(_WAITING)
    except OSError:
        door.close()
        raise
    return door


def knock(path: Path, seconds: float) -> socket.socket:
    """A line to whoever listens at a path, with so much patience; raises OSError where nobody does."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.settimeout(seconds)
    try:
        with _short(path) as address:
            line.connect(address)
    except OSError:
        line.close()
        raise
    return line


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """The path by way of a descriptor of its folder: an address has 107 bytes, and homes may lie deep."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
