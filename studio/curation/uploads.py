"""Files on their way in: streamed to `uploads/`, or referred to where they lie; imported by a task, then removed."""

import errno
import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple, Self

from storage.clock import new_id
from storage.errors import BadInput, NotFound, NotReady
from storage.home import Home

_ID = re.compile(r"[0-9a-z]{26}")
# What a person uploaded and never imported goes after a day.
_KEPT_SECONDS = 24 * 3600
# So much of the disk is left to the store itself: votes must never fail because of a file that somebody sends.
_LEFT_FREE = 200_000_000


class Received(NamedTuple):
    """An upload: its id, the name that the person gave the file, its size in bytes."""

    id: str
    name: str
    size: int


class Incoming:
    """A file being received: `write` its parts inside `with`. Nothing is left of one that breaks off or is empty."""

    def __init__(self, home: Home, name: str) -> None:
        self.id = new_id()
        self.name = safe_name(name)
        self.folder = home.uploads / self.id
        self.size = 0

    def __enter__(self) -> Self:
        if shutil.disk_usage(self.folder.parent).free < _LEFT_FREE:
            raise _no_room(self.name)
        self.folder.mkdir(mode=0o700)
        self.file = (self.folder / "file").open("wb")
        return self

    def write(self, part: bytes) -> None:
        """Append a part; raises NotReady where the disk is full."""
        try:
            self.file.write(part)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _no_room(self.name) from error
            raise
        self.size += len(part)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.file.close()
        if kind or not self.size:
            shutil.rmtree(self.folder, ignore_errors=True)
        if kind is None and not self.size:
            raise BadInput(f'"{self.name}" is empty.')
        if kind is None:
            (self.folder / "name").write_text(self.name, encoding="utf-8")

    @property
    def received(self) -> Received:
        """What was received."""
        return Received(self.id, self.name, self.size)


def _no_room(name: str) -> NotReady:
    return NotReady(f'The disk of this studio has no room for "{name}"; free some and send the file again.')


def refer(home: Home, path: Path, name: str) -> Received:
    """An upload that is a file elsewhere on this machine, not copied; `path` must be a real path without links."""
    upload_id = new_id()
    folder = home.uploads / upload_id
    folder.mkdir(mode=0o700)
    (folder / "file").symlink_to(path)
    (folder / "name").write_text(safe_name(name), encoding="utf-8")
    return Received(upload_id, safe_name(name), path.stat().st_size)


def safe_name(name: str) -> str:
    """A file's name for people: the last part of a path, without control signs, at most 120 long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable())[-120:].strip() or "upload"


def located(home: Home, upload_id: str) -> tuple[Path, str]:
    """The path and name of an upload; raises NotFound."""
    folder = home.uploads / upload_id
    if not _ID.fullmatch(upload_id) or not (folder / "name").is_file():
        raise NotFound("The uploaded file is no longer there; choose it again.")
    path = folder / "file"
    if path.is_symlink():
        path = _referred(path)
    return path, (folder / "name").read_text(encoding="utf-8")


def _referred(link: Path) -> Path:
    """What an upload refers to; a link that was put in its way since then is not followed."""
    path = link.readlink()
    if not path.is_file() or path.resolve() != path:
        raise NotFound(f'The file "{path.name}" is no longer where it was; choose it again.')
    return path


def remove(home: Home, upload_id: str) -> None:
    """Remove an upload."""
    if _ID.fullmatch(upload_id):
        shutil.rmtree(home.uploads / upload_id, ignore_errors=True)


def sweep(home: Home) -> None:
    """Remove uploads that nobody imported within a day."""
    for folder in home.uploads.iterdir():
        if _ID.fullmatch(folder.name) and time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
