"""Backups and packs: a project written to one file while it is in use, and opened from it elsewhere.

A backup holds everything but the logs, and accounts with their hashed passwords: keep it as you keep the home. A pack
is for others: without accounts, invitations, drafts, logs, checkpoints and, unless asked for, without bases. Neither
holds a key: those are in the environment, or in keys.json.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.clock import now
from storage.errors import BadInput, Conflict
from storage.home import Home, read_json, write_json
from storage.models import list_models
from storage.processes import serving
from storage.rows_training import ENCODER
from storage.store import Store
from storage.weights import hash_files, safetensors_files
from studio.clients.processes import held
from studio.packing import archive, contents, strangers
from studio.packing.archive import Entry, Manifest

BACKUP, PACK = "backup", "pack"


def named(home: Home, folder: Path) -> Path:
    """A file that tells project and moment (UTC), for who names none: `ratchet-20260131-235959.zip`."""
    project = home.path.resolve().name.lstrip(".") or "ratchet"
    return folder / f"{project}-{datetime.fromtimestamp(now(), UTC):%Y%m%d-%H%M%S}.zip"


def save(store: Store, out: Path, kind: str, bases: bool = True) -> dict[str, Any]:
    """Write the project to a file; returns `path, kind, files, bytes, models, datasets, studies, left_out`.

    `bases`: put bases that lie in the home in as well. Raises Conflict where the file is there already.
    """
    left = [] if kind == BACKUP or bases else _bases(store)
    with tempfile.TemporaryDirectory(dir=store.home.backups, prefix=".passing-") as folder:
        copy = Path(folder) / contents.DATABASE
        contents.database(store, copy, accounts=kind == BACKUP)
        more = {**_counts(store), "left_out": left}
        entries = [Entry(contents.DATABASE, copy), *contents.files(store.home, kind == BACKUP, frozenset(left))]
        written = archive.write(out.expanduser().resolve(), kind, entries, more)
    return _said(out, written)


def load(
    store: Store,
    file: Path,
    bases: Mapping[str, Path] | None = None,
    starter: Path | None = None,
    foreign: bool = False,
) -> dict[str, Any]:
    """Open a backup or a pack in a home that holds nothing yet; returns what `save` said of it, and `missing` bases.

    `bases`: folders of bases by name, for those that the file leaves out; `starter`: where the package has it.
    `foreign`: from somebody else: without accounts, keys, programs and work that would go on by itself; see
    `studio.packing.strangers`. Raises Conflict where the home holds a project, BadInput or Refused for a file that is
    damaged or not ours.
    """
    home = store.home
    _refuse_used(store)
    with archive.opened(file.expanduser()) as (zipped, manifest), _beside(home.path) as folder:
        if contents.DATABASE not in manifest.files:
            raise BadInput(f'"{file}" is no archive of a project: it holds no database.')
        archive.extract(zipped, manifest, folder)
        strangers.check_names(manifest.files)
        if foreign:
            strangers.quiet(folder)
        contents.settle(folder, home.path)
        store.close()
        for ending in ("", "-wal", "-shm"):  # the empty database that opening the home has made
            Path(f"{home.database}{ending}").unlink(missing_ok=True)
        for path in sorted(folder.iterdir(), key=lambda one: one.name == contents.DATABASE):  # the database last
            _move(path, home.path / path.name)
    store.migrate()
    return {**_said(file, manifest), "home": str(home.path), "missing": _link(store, bases or {}, starter)}


def _refuse_used(store: Store) -> None:
    """Raise Conflict where anything is in the home already, or where it is served."""
    used = any(store.value(f"select 1 from {table} limit 1") for table in ("models", "datasets", "rounds", "people"))
    if used or serving(store.home) or held(store.home.engine_lock) or held(store.home.worker_lock):
        raise Conflict(f'"{store.home.path}" holds a project already; give an empty folder with --home.')


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A folder on the same disk, so that what is in it can be renamed into place."""
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(path: Path, target: Path) -> None:
    if target.is_dir():
        for inner in path.iterdir():
            inner.rename(target / inner.name)
    else:
        path.rename(target)


def _bases(store: Store) -> list[str]:
    """Bases whose weights lie in the home."""
    return [
        model.name for model in list_models(store, retired=True)
        if model.kind in ("base", ENCODER) and model.parent_id is None and _inside(store.home, model.path)
    ]  # fmt: skip


def _inside(home: Home, path: str | None) -> bool:
    return path is not None and Path(path).parent == home.models


def _counts(store: Store) -> dict[str, int]:
    return {
        table: int(store.value(f"select count(*) from {table}"))
        for table in ("models", "datasets", "studies", "votes", "jobs", "rounds")
    }


def _said(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "path": str(path), "kind": manifest.kind, "created_at": manifest.created_at, "files": len(manifest.files),
        "bytes": sum(told["bytes"] for told in manifest.files.values()), **manifest.more,
    }  # fmt: skip


def _link(store: Store, bases: Mapping[str, Path], starter: Path | None) -> list[str]:
    """Point bases to where their weights are here; the names of those that are nowhere."""
    missing = []
    for model in list_models(store, retired=True):
        if model.kind not in ("base", ENCODER) or model.path is None:
            continue
        there = Path(model.path).is_dir()
        if model.name in bases:
            _check_same(model.name, bases[model.name], model.base_sha256)
            _point(store, model.id, model.path, bases[model.name].resolve())
        elif not there and starter and starter.is_dir() and _same(starter, model.base_sha256):
            shutil.copytree(starter, model.path)
        elif not there and model.retired_at is None:
            missing.append(model.name)
    return missing


def _point(store: Store, model_id: str, before: str, folder: Path) -> None:
    """The model's row and the runs that name its weights."""
    store.execute("update models set path = ? where id = ?", [str(folder), model_id])
    for path in store.home.runs.glob("*/spec.json"):
        said = read_json(path)
        if said is not None and said.get("base_path") == before:
            write_json(path, {**said, "base_path": str(folder)})


def _check_same(name: str, folder: Path, sha256: str | None) -> None:
    if not folder.is_dir():
        raise BadInput(f'There is no folder "{folder}" with the base "{name}".')
    if not _same(folder, sha256):
        raise BadInput(f'The weights in "{folder}" are not those of the base "{name}" in the project.')


def _same(folder: Path, sha256: str | None) -> bool:
    return sha256 is None or hash_files(safetensors_files(folder)) == sha256


def pairs(words: Sequence[str]) -> dict[str, Path]:
    """`NAME=FOLDER` words as folders by name; raises BadInput."""
    found = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not (name and equals and folder):
            raise BadInput(f'"{word}" is not of the form NAME=FOLDER.')
        found[name] = Path(folder).expanduser()
    return found
