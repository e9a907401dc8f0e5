"""SHA-256 of weights, remembered by path, size and modification time: a base of gigabytes is read once."""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

from storage.home import read_json, write_json

_CHUNK = 1 << 20


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
                known[key] = _sha256(ordered)
                write_json(self._file, known)
            return str(known[key])


def _signature(path: Path) -> str:
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"


def _sha256(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
