"""Checkpoints that count only when they are whole.

`Trainer` writes a checkpoint file by file, straight into its folder. A process killed in between leaves a folder
that transformers would pick up and fail on, or, without the optimiser's state, resume from differently and in
silence. So we write a marker last, after everything is on the disk, and look for nothing else.
"""

import os
import re
import shutil
from pathlib import Path

from storage.home import read_json, write_json

_MARKER = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")


def mark_complete(checkpoint: Path, step: int) -> None:
    """Bring a checkpoint's files to the disk, then say that it is whole."""
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    for path in files:
        sync(path)
    sizes = {path.relative_to(checkpoint).as_posix(): path.stat().st_size for path in files}
    write_json(checkpoint / _MARKER, {"step": step, "files": sizes})
    sync(checkpoint / _MARKER)
    sync(checkpoint)


def newest_complete(folder: Path) -> Path | None:
    """The whole checkpoint of the highest step in a folder of checkpoints, or None."""
    found = [(int(match[1]), path) for path in folder.glob("checkpoint-*") if (match := _NAME.fullmatch(path.name))]
    return next((path for _, path in sorted(found, reverse=True) if is_complete(path)), None)


def drop_torn(folder: Path) -> None:
    """Remove checkpoints that do not count, to make room; the newest whole one stays."""
    for path in folder.glob("checkpoint-*"):
        if not is_complete(path):
            shutil.rmtree(path, ignore_errors=True)


def is_complete(checkpoint: Path) -> bool:
    """Whether the marker is there and every file that it names still has its size."""
    marker = read_json(checkpoint / _MARKER)
    if marker is None:
        return False
    paths = ((checkpoint / name, size) for name, size in marker.get("files", {}).items())
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def sync(path: Path) -> None:
    """Wait until a file (or a folder's list of names) is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
