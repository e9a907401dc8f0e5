"""Unpacks what is packed: gzip, bzip2 and xz hold one file, a ZIP archive several.

Files are written under names of ours in a temporary folder; an archive's own paths are never followed. An archive
whose paths lead out of it, or that unpacks to far more than it weighs, is refused as a whole.
"""

import bz2
import gzip
import lzma
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, NoReturn

from studio.curation.records import Unreadable

PACKERS: Mapping[str, Callable[[Path], Any]] = {
    "gzip": gzip.GzipFile,
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
_SIGNS: Mapping[bytes, str] = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
ENDINGS: Mapping[str, str] = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz"}
# Text packs to a tenth, a repetitive table to a hundredth; what grows more is made to fill the disk.
_RATIO = 200
_ALWAYS_ALLOWED = 256 << 20
_SPREADSHEET = 4 << 30
_MEMBERS = 1000
_BLOCK = 1 << 20
# What packing programs leave in an archive beside its files.
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


class Member(NamedTuple):
    """A file out of an archive: where it lies and what the archive calls it."""

    path: Path
    name: str


@contextmanager
def unpacked(path: Path, name: str, packer: str) -> Iterator[Member]:
    """The file in a gzip, bzip2 or xz file, unpacked into a temporary folder; raises Unreadable."""
    with tempfile.TemporaryDirectory(prefix="ratchet-") as folder:
        inner = Path(folder) / "unpacked"
        try:
            with PACKERS[packer](path) as packed, inner.open("wb") as file:
                _copy(packed, file, _allowance(path), name)
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise Unreadable(f'"{name}" is a broken {packer} file: {error}.') from error
        if packer_of(inner) or is_several(inner):
            raise Unreadable(f'"{name}" is packed more than once; unpack it first.')
        yield Member(inner, _bare(name, packer))


@contextmanager
def members(path: Path, name: str) -> Iterator[list[Member]]:
    """The files of a ZIP archive in a temporary folder; raises Unreadable for one that is broken, a trap or empty."""
    with tempfile.TemporaryDirectory(prefix="ratchet-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                found = _unpack(archive, name, Path(folder), _allowance(path))
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error, lzma.LZMAError, NotImplementedError) as error:
            raise Unreadable(f'"{name}" is a broken ZIP archive: {error}.') from error
        yield found


def is_several(path: Path) -> bool:
    """Whether a file is a ZIP archive to be taken apart, and no spreadsheet (which is a ZIP archive as well)."""
    with path.open("rb") as file:
        if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
            return False
    return not is_spreadsheet(path)


def is_spreadsheet(path: Path) -> bool:
    """Whether a ZIP archive is a spreadsheet of Excel's newer form."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False
    return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)


def check_spreadsheet(path: Path, name: str) -> None:
    """Raise Unreadable for a spreadsheet that would unpack to far more than it weighs."""
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > min(_allowance(path), _SPREADSHEET):
            _refuse_bomb(name)


def _unpack(archive: zipfile.ZipFile, name: str, folder: Path, allowance: int) -> list[Member]:
    """Write the files of an archive into a folder."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_litter(entry.filename)]
    _check(entries, name, allowance)
    found = []
    for number, entry in enumerate(entries):
        inner = Member(folder / str(number), PurePosixPath(entry.filename).name)
        with archive.open(entry) as packed, inner.path.open("wb") as file:
            allowance -= _copy(packed, file, allowance, name)
        if packer := packer_of(inner.path):
            outer, inner = inner, Member(folder / f"{number}-unpacked", _bare(inner.name, packer))
            with PACKERS[packer](outer.path) as packed, inner.path.open("wb") as file:
                allowance -= _copy(packed, file, allowance, name)
        if packer_of(inner.path) or is_several(inner.path):
            raise Unreadable(f'"{name}" holds another archive, "{entry.filename}"; unpack it first.')
        found.append(inner)
    return found


def packer_of(path: Path) -> str | None:
    """What packed a single file, by its first bytes; None where it is not packed."""
    with path.open("rb") as file:
        head = file.read(6)
    return next((packer for sign, packer in _SIGNS.items() if head.startswith(sign)), None)


def _bare(name: str, packer: str) -> str:
    """The name of a file without the ending that says that it is packed."""
    return name[: -len(ENDINGS[packer])] if name.lower().endswith(ENDINGS[packer]) else name


def _check(entries: Sequence[zipfile.ZipInfo], name: str, allowance: int) -> None:
    """Raise Unreadable for an archive that is empty, locked, or made to do harm."""
    if not entries:
        raise Unreadable(f'"{name}" is an archive without files.')
    if len(entries) > _MEMBERS:
        raise Unreadable(f'"{name}" holds {len(entries):,} files; an archive may hold {_MEMBERS:,} at most.')
    if sum(entry.file_size for entry in entries) > allowance:
        _refuse_bomb(name)
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        link = stat.S_ISLNK(entry.external_attr >> 16)
        if link or not parts or ".." in parts or parts[0] == "/" or ":" in parts[0]:
            raise Unreadable(f'"{name}" holds "{entry.filename}", which leads out of the archive; it was not opened.')
        if entry.flag_bits & 1:
            raise Unreadable(f'"{name}" is locked with a password; save it without one.')


def _is_litter(name: str) -> bool:
    """Whether an entry is what a packing program left behind."""
    return any(part in _LITTER for part in PurePosixPath(name).parts)


def _allowance(path: Path) -> int:
    """How many bytes a packed file may unpack to."""
    return max(_ALWAYS_ALLOWED, _RATIO * path.stat().st_size)


def _copy(packed: IO[bytes], file: IO[bytes], allowance: int, name: str) -> int:
    """Unpack a file block by block, for what it says of its size may be a lie; returns the bytes written."""
    written = 0
    while block := packed.read(_BLOCK):
        written += len(block)
        if written > allowance:
            _refuse_bomb(name)
        file.write(block)
    return written


def _refuse_bomb(name: str) -> NoReturn:
    raise Unreadable(
        f'"{name}" would unpack to more than {_RATIO} times its size, as archives do that are made to fill a disk; '
        "unpack it yourself if you trust it."
    )
