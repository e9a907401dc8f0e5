"""SHA-256 of weights, remembered by path, size and modification time: a base of gigabytes is read once."""

import threading
from collections.abc import Sequence
from pathlib import Path

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


def _signature(path: Path) -> str:
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
