"""A zip file with a manifest: every file with its size and hash, so that a damaged or foreign archive is told as such.

It is written beside its place and renamed when it is whole. Read from strangers, it is unpacked into an empty folder,
file by file as the manifest names them; a path that leads out, a file that is not named, or bytes that are not those of
the hash refuse the whole.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from storage.clock import now
from storage.errors import BadInput, Conflict, NotFound, Refused

MANIFEST = "manifest.json"
VERSION = 1
_BLOCK = 1 << 20
_LARGEST_MANIFEST = 64 << 20
# Weights do not get smaller; everything else does.
_STORED = (".safetensors", ".parquet")


class Entry(NamedTuple):
    """A file that goes in: its name inside, and where it lies or what it says."""

    name: str
    source: Path | bytes


class Manifest(NamedTuple):
    """What an archive says of itself. kind: backup or pack; `files`: name to size and hash; `more`: for people."""

    kind: str
    created_at: float
    files: dict[str, dict[str, Any]]
    more: dict[str, Any]


def write(out: Path, kind: str, entries: Iterable[Entry], more: dict[str, Any]) -> Manifest:
    """Write an archive; raises Conflict where the file is there already. A file that vanished meanwhile is left out."""
    if out.exists():
        raise Conflict(f'"{out}" is there already; name another file.')
    out.parent.mkdir(parents=True, exist_ok=True)
    passing = out.with_name(f".{out.name}.new")
    files: dict[str, dict[str, Any]] = {}
    try:
        with zipfile.ZipFile(passing, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            passing.chmod(0o600)
            for entry in entries:
                if (told := _put(archive, entry)) is not None:
                    files[entry.name] = told
            manifest = Manifest(kind, now(), files, more)
            archive.writestr(MANIFEST, json.dumps({"version": VERSION, **manifest._asdict()}, indent=1))
        passing.replace(out)
    finally:
        passing.unlink(missing_ok=True)
    return manifest


def _put(archive: zipfile.ZipFile, entry: Entry) -> dict[str, Any] | None:
    """Copy one file in; its size and hash."""
    how = zipfile.ZIP_STORED if entry.name.endswith(_STORED) else zipfile.ZIP_DEFLATED
    info = zipfile.ZipInfo(entry.name)
    info.compress_type = how
    info.external_attr = 0o600 << 16
    if isinstance(entry.source, bytes):
        archive.writestr(info, entry.source)
        return {"bytes": len(entry.source), "sha256": hashlib.sha256(entry.source).hexdigest()}
    try:
        source = entry.source.open("rb")
    except FileNotFoundError:
        return None
    digest, size = hashlib.sha256(), 0
    with source, archive.open(info, "w", force_zip64=True) as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            size += len(block)
            target.write(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """An archive for reading; raises NotFound, or BadInput where it is none of ours or is damaged."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise NotFound(f'There is no file "{path}".') from None
    except (zipfile.BadZipFile, OSError) as error:
        raise BadInput(f'"{path}" is no archive of a project ({error}).') from error
    with archive:
        yield archive, _manifest(archive, path)


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        info = archive.getinfo(MANIFEST)
        if info.file_size > _LARGEST_MANIFEST:
            raise ValueError("its manifest is too large")
        said = json.loads(archive.read(info))
        version, manifest = said["version"], Manifest(said["kind"], said["created_at"], said["files"], said["more"])
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise BadInput(f'"{path}" is no archive of a project: {error}.') from error
    if version > VERSION:
        raise BadInput(f'"{path}" was written by a newer Ratchet; update this one.')
    return manifest


def extract(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    """Unpack every file of the manifest into a folder; raises Refused for what must not be, BadInput for damage."""
    inside = {info.filename: info for info in archive.infolist() if info.filename != MANIFEST}
    if unknown := inside.keys() - manifest.files.keys():
        raise Refused(f'The archive holds "{min(unknown)}", of which its manifest says nothing; nothing was unpacked.')
    for name, told in manifest.files.items():
        if name not in inside:
            raise BadInput(f'The archive is damaged: "{name}" is missing.')
        target = folder / _safe(name)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check(inside[name], told)
        try:
            with archive.open(inside[name]) as source:
                _copy(source, target, name, told)
        except zipfile.BadZipFile as error:
            raise BadInput(f'The archive is damaged: "{name}" cannot be read ({error}).') from error


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts or "\0" in name:
        raise Refused(f'The archive holds a file "{name[:80]}", whose path leads out of it; nothing was unpacked.')
    return path


def _check(info: zipfile.ZipInfo, told: dict[str, Any]) -> None:
    if info.file_size != told.get("bytes"):
        raise BadInput(f'The archive is damaged: "{info.filename}" has another size than its manifest says.')


def _copy(source: IO[bytes], target: Path, name: str, told: dict[str, Any]) -> None:
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        target.chmod(0o600)
        while block := source.read(_BLOCK):
            size += len(block)
            if size > told["bytes"]:
                break
            digest.update(block)
            file.write(block)
    if size != told["bytes"] or digest.hexdigest() != told.get("sha256"):
        raise BadInput(f'The archive is damaged: "{name}" is not what its manifest says.')
