"""Files on their way in: streamed to `uploads/`, imported by a task, removed afterwards."""

import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple, Self

from storage.clock import new_id
from storage.errors import BadInput, NotFound
from storage.home import Home

_ID = re.compile(r"[0-9a-z]{26}")
# What a person uploaded and never imported goes after a day.
_KEPT_SECONDS = 24 * 3600


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
        self.folder.mkdir(mode=0o700)
        self.file = (self.folder / "file").open("wb")
        return self

    def write(self, part: bytes) -> None:
        """Append a part."""
        self.file.write(part)
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


def safe_name(name: str) -> str:
    """A file's name for people: the last part of a path, without control signs, at most 120 long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable())[-120:].strip() or "upload"


def located(home: Home, upload_id: str) -> tuple[Path, str]:
    """The path and name of an upload; raises NotFound."""
    folder = home.uploads / upload_id
    if not _ID.fullmatch(upload_id) or not (folder / "name").is_file():
        raise NotFound("The uploaded file is no longer there; choose it again.")
    return folder / "file", (folder / "name").read_text(encoding="utf-8")


def remove(home: Home, upload_id: str) -> None:
    """Remove an upload."""
    if _ID.fullmatch(upload_id):
        shutil.rmtree(home.uploads / upload_id, ignore_errors=True)


def sweep(home: Home) -> None:
    """Remove uploads that nobody imported within a day."""
    for folder in home.uploads.iterdir():
        if _ID.fullmatch(folder.name) and time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
