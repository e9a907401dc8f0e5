"""SHA-256 of weights, remembered by what the system says of the file: a base of gigabytes is read once.

A file counts as the same while its path, inode, size and both times are: a copy with the old date has another inode
or another time of change, which no program can set.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Conflict
from storage.home import read_json, write_json
from storage.weights import hash_files


class Hashes:
    """Hashes of files, kept in one small JSON file of the home."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def of(self, paths: Sequence[Path]) -> str:
        """The hash of the files' bytes one after another, by name: of one file, simply its own."""
        ordered = sorted(paths, key=lambda path: path.name)
        key = "|".join(_signature(path) for path in ordered)
        with self._lock:
            known = read_json(self._file) or {}
            if key not in known:
                known[key] = hash_files(ordered)
                write_json(self._file, known)
            return str(known[key])

    @contextmanager
    def while_reading(self, paths: Sequence[Path]) -> Iterator[str]:
        """The hash of what is read within it; raises Conflict where the files were exchanged meanwhile."""
        before = self.of(paths)
        yield before
        if self.of(paths) != before:
            raise Conflict(f"The weights in {paths[0].parent} were exchanged while they were read; load them again.")


def _signature(path: Path) -> str:
    status = path.stat()
    return f"{path.resolve()} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
