"""What of a home goes into an archive, without the paths of this machine.

The database is copied by SQLite's own online backup, first, so that every row in it has its files already. Paths inside
the home are written as `home:…`, so that the archive opens anywhere and says nothing of the machine that it comes from.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage.home import Home
from storage.store import Store
from studio.packing.archive import Entry

TOKEN = "home:"
DATABASE = "ratchet.db"
# Accounts and whatever opens a door; `models.key_env` is a variable's name, no key.
_SECRET_TABLES = ("sessions", "invitations", "attempts", "people", "api_keys", "demo_votes", "demo_answers", "demos")
_PASSING = ("leases", "drafts")
_TEXTS = ("spec.json", "adapter_config.json", "process.json", "error.json", "config.json")
LEFT_OUT = ("train.log", "process.json", "run.lock")


def database(store: Store, target: Path, accounts: bool) -> None:
    """A copy of the database as it is at this moment, paths rewritten, with or without everybody's `accounts`."""
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        store.db.conn.backup(copy)
        copy.execute("pragma journal_mode = delete")
        _rewrite_models(copy, str(store.home.path), TOKEN)
        if not accounts:
            forget_accounts(copy)
        copy.execute("vacuum")
    finally:
        copy.close()


def forget_accounts(copy: sqlite3.Connection) -> None:
    """Empty the tables of accounts, keys, links and whatever passes."""
    copy.execute("pragma foreign_keys = off")
    have = {row[0] for row in copy.execute("select name from sqlite_master where type = 'table'")}
    for table in (*_SECRET_TABLES, *_PASSING):
        if table in have:
            copy.execute(f"delete from {table}")


def _rewrite_models(copy: sqlite3.Connection, before: str, after: str) -> None:
    """Paths of models inside the home, from one form to the other; a base elsewhere keeps its folder's name alone."""
    for model_id, path in copy.execute("select id, path from models where path is not null").fetchall():
        copy.execute("update models set path = ? where id = ?", [moved(path, before, after), model_id])


def moved(path: str, before: str, after: str) -> str:
    """A path from one form to the other; on its way into an archive, one that lies elsewhere keeps its last part."""
    if after != TOKEN:
        return f"{after}/{path.removeprefix(TOKEN)}" if path.startswith(TOKEN) else path
    if path.startswith(f"{before}/"):
        return f"{TOKEN}{path.removeprefix(f'{before}/')}"
    return path if path.startswith(TOKEN) else f"{TOKEN}models/{Path(path).name}"


def files(home: Home, checkpoints: bool, skip: frozenset[str]) -> Iterator[Entry]:
    """The files of models and runs, without the models named in `skip`; `checkpoints` of runs where they are wanted."""
    for path in sorted(home.models.rglob("*")):
        parts = path.relative_to(home.models).parts
        if path.is_file() and not path.is_symlink() and not parts[0].startswith(".") and parts[0] not in skip:
            yield _entry(home, path)
    for path in sorted(home.runs.rglob("*")):
        parts = path.relative_to(home.runs).parts
        hidden = parts[0].startswith(".") or path.name in LEFT_OUT or (not checkpoints and "checkpoints" in parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            yield _entry(home, path)


def _entry(home: Home, path: Path) -> Entry:
    name = path.relative_to(home.path).as_posix()
    if path.name not in _TEXTS:
        return Entry(name, path)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Entry(name, path)
    return Entry(name, json.dumps(_walked(said, str(home.path), TOKEN), ensure_ascii=False, indent=2).encode())


def _walked(value: Any, before: str, after: str) -> Any:
    """JSON with every path in it moved."""
    if isinstance(value, dict):
        return {name: _walked(one, before, after) for name, one in value.items()}
    if isinstance(value, list):
        return [_walked(one, before, after) for one in value]
    if isinstance(value, str) and value.startswith(("/", TOKEN)):
        return moved(value, before, after)
    return value


def settle(folder: Path, home: Path) -> None:
    """After unpacking: paths as they are here. `folder`: where the files lie now; `home`: where they will lie."""
    copy = sqlite3.connect(folder / DATABASE, isolation_level=None)
    try:
        _rewrite_models(copy, TOKEN, str(home))
    finally:
        copy.close()
    for path in [path for name in _TEXTS for path in folder.rglob(name)]:
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        path.write_text(json.dumps(_walked(said, TOKEN, str(home)), ensure_ascii=False, indent=2), encoding="utf-8")
