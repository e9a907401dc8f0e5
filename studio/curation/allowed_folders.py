"""Files in folders that the administrator allowed: listed and chosen, never typed.

What a request names is a folder's number and a path below it. Every step of that path must be a name that the list
shows, and where it leads in the end must lie inside the same folder: a link that leads out, a hidden name and the
project's own folder are not there. What is chosen is not copied: the upload refers to it.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import NotFound
from storage.home import Home
from studio.curation import uploads

# A list longer than that is cut; nobody reads it, and a search by name belongs to the command line.
MOST_LISTED = 1000


class Entry(NamedTuple):
    """One file or folder of a list. `size`: bytes; `modified`: seconds since 1970."""

    name: str
    size: int
    modified: float


class Listing(NamedTuple):
    """What a folder holds. `left_out`: how many entries beyond `MOST_LISTED` are not shown."""

    folder: int
    name: str
    path: str
    folders: list[Entry]
    files: list[Entry]
    left_out: int

    def to_json(self) -> dict[str, Any]:
        """For the list on the page."""
        entries = {key: [entry._asdict() for entry in getattr(self, key)] for key in ("folders", "files")}
        return {**self._asdict(), **entries}


@dataclass(frozen=True)
class AllowedFolders:
    """The folders that were allowed, in their order; a folder is known by its place in it."""

    folders: Sequence[Path]
    home: Home

    def names(self) -> list[str]:
        """The folders for people: the last part of the path, or the whole path where two end alike."""
        last = [folder.name or str(folder) for folder in self.folders]
        return [name if last.count(name) == 1 else str(folder) for name, folder in zip(last, self.folders, strict=True)]

    def list(self, folder: int, path: str = "") -> Listing:
        """What can be chosen there, folders and files by name; raises NotFound."""
        place = self._found(folder, path)
        if not place.is_dir():
            raise NotFound(f'There is no folder "{path}" there; it may have been moved.')
        folders: list[Entry] = []
        files: list[Entry] = []
        for entry, is_folder in self._entries(folder, place):
            (folders if is_folder else files).append(entry)
        folders.sort(key=_by_name)
        files.sort(key=_by_name)
        kept = max(0, MOST_LISTED - len(folders))
        left_out = max(0, len(folders) + len(files) - MOST_LISTED)
        return Listing(folder, self.names()[folder], path, folders[:MOST_LISTED], files[:kept], left_out)

    def choose(self, folder: int, path: str) -> uploads.Received:
        """Refer to a file for import; raises NotFound where there is none that may be chosen."""
        found = self._found(folder, path)
        if not stat.S_ISREG(found.stat().st_mode):
            raise NotFound(f'There is no file "{path}" there; it may have been moved.')
        return uploads.refer(self.home, found, found.name)

    def _entries(self, folder: int, place: Path) -> Iterator[tuple[Entry, bool]]:
        """What a folder shows: files and folders that can be read, by a name that a page can send back."""
        try:
            names = [path.name for path in place.iterdir()]
        except OSError as error:
            raise NotFound(f"The folder cannot be read: {error.strerror}.") from error
        for name in names:
            found = self._seen(folder, place / name) if _shown(name) else None
            if found is None:
                continue
            facts = found.stat()
            if stat.S_ISDIR(facts.st_mode) or stat.S_ISREG(facts.st_mode):
                yield Entry(name, facts.st_size, facts.st_mtime), stat.S_ISDIR(facts.st_mode)

    def _found(self, folder: int, path: str) -> Path:
        """The real place of a path below an allowed folder; raises NotFound."""
        parts = [part for part in path.split("/") if part]
        known = 0 <= folder < len(self.folders) and all(_shown(part) for part in parts)
        found = self._seen(folder, self.folders[folder].joinpath(*parts)) if known else None
        if found is None:
            raise NotFound(f'There is nothing to import at "{path}"; it may have been moved.')
        return found

    def _seen(self, folder: int, path: Path) -> Path | None:
        """Where a path really leads, or None where it may not be seen from this folder."""
        root = self.folders[folder]
        try:
            real = path.resolve(strict=True)
            inner = real.relative_to(root.resolve(strict=True))
            readable = os.access(real, os.R_OK)
        except (OSError, ValueError, RuntimeError):  # gone, outside, a circle of links
            return None
        if (
            not readable
            or not all(_shown(part) for part in inner.parts)
            or real.is_relative_to(self.home.path.resolve())
        ):
            return None
        return real


def _by_name(entry: Entry) -> str:
    return entry.name.casefold()


def _shown(name: str) -> bool:
    """Whether a name may be seen: not hidden, nothing that steers a path, no bytes that are no text."""
    if name.startswith(".") or "/" in name or "\\" in name or "\x00" in name:
        return False
    return name.isprintable()  # surrogates of undecodable names are not
