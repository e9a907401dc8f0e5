"""Files on their way in: streamed to `uploads/`, imported by a task, removed afterwards."""

import re
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

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


async def receive(home: Home, name: str, chunks: AsyncIterator[bytes]) -> Received:
    """Write a file as it comes in; nothing is left where it breaks off or is empty."""
    upload_id = new_id()
    folder = home.uploads / upload_id
    folder.mkdir(mode=0o700)
    try:
        size = await _write(folder / "file", chunks)
        if not size:
            raise BadInput(f'"{safe_name(name)}" is empty.')
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    (folder / "name").write_text(safe_name(name), encoding="utf-8")
    return Received(upload_id, safe_name(name), size)


async def _write(path: Path, chunks: AsyncIterator[bytes]) -> int:
    """Write chunks to a file that only its owner may read; returns the size."""
    size = 0
    path.touch(mode=0o600)
    with path.open("wb") as file:
        async for chunk in chunks:
            file.write(chunk)
            size += len(chunk)
    return size


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
