"""What a stranger's archive may not bring: ways in, work that starts by itself, programs, paths that lead out.

All of it is settled on the unpacked files before they take their place, so that no moment exists at which a server or
a worker could find them.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from storage.clock import now
from storage.endpoint_keys import KEPT
from storage.errors import Refused
from storage.home import read_json, write_json
from storage.migrations import build
from storage.sqlite import Database
from studio.packing.contents import DATABASE, LEFT_OUT, TOKEN, forget_accounts
from studio.training.adapter_modules import check_modules, settled
from studio.training.fitting import modules

# Work that a server or a worker would take up: the table, its column of state, the states that have not ended.
_WORK = (
    ("jobs", "status", ("queued", "running")),
    ("tasks", "status", ("queued", "running")),
    ("searches", "state", ("running", "stopping")),
    ("trials", "state", ("running",)),
    ("answerings", "state", ("running", "stopping")),
)
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def check_names(names: Iterable[str]) -> None:
    """Raise Refused for a file that no backup and no pack holds: keys, or what a running process says of itself."""
    for name in names:
        parts = PurePosixPath(name).parts
        if name != DATABASE and not (len(parts) > 1 and parts[0] in ("models", "runs")):
            raise Refused(
                f'The archive holds "{name[:80]}", which belongs into no backup and no pack; nothing was kept.'
            )


def quiet(folder: Path) -> None:
    """Settle what was unpacked into a folder, paths still as in the archive; raises Refused for what cannot be."""
    copy = sqlite3.connect(folder / DATABASE, isolation_level=None)
    try:
        _refuse_schema(copy)
        _refuse_paths(copy)
        forget_accounts(copy)
        _end_work(copy)
        # A variable that its maker chose may hold a secret of this machine, and the endpoint be his.
        copy.execute("update models set key_env = ? where key_env is not null", [KEPT])
    except sqlite3.DatabaseError as error:
        raise Refused(f"The archive's database cannot be read as a project's ({error}); nothing was kept.") from error
    finally:
        copy.close()
    for path in [path for path in folder.rglob("*") if path.name.lower() == "spec.json"]:
        _drop_programs(path)
    for path in folder.rglob("adapter_config.json"):
        _settle_adapter(path)
    for path in (folder / "runs").rglob("*"):
        if path.name in LEFT_OUT:
            path.unlink(missing_ok=True)
    for path in (folder / "runs").glob("*/checkpoints"):  # they hold pickles
        shutil.rmtree(path)


def _refuse_schema(copy: sqlite3.Connection) -> None:
    """Triggers run at our own writes, and a view can say what no deletion removes: only those that we make may be."""
    ours = Database(memory=True)
    build().apply(ours)
    telling = (
        "select name, coalesce(sql, '') from sqlite_master where type in ('trigger', 'view') or sql like '%virtual%'"
    )
    known = set(ours.conn.execute(telling))
    ours.close()
    for name, sql in copy.execute(telling).fetchall():
        if (name, sql) not in known:
            raise Refused(f'The archive\'s database holds "{name[:80]}", a program of its own; nothing was kept.')


def _refuse_paths(copy: sqlite3.Connection) -> None:
    """Weights lie in the home, and a run's folder is its job's id."""
    for (path,) in copy.execute("select path from models where path is not null").fetchall():
        if not str(path).startswith(TOKEN) or ".." in PurePosixPath(path).parts:
            raise Refused(f'The archive names weights in "{str(path)[:80]}", outside the project; nothing was kept.')
    for (job,) in copy.execute("select id from jobs").fetchall():
        if not _PLAIN_ID.fullmatch(str(job)):
            raise Refused(f'The archive holds a job with the id "{str(job)[:80]}"; nothing was kept.')


def _end_work(copy: sqlite3.Connection) -> None:
    """What had not ended is stopped: nobody here has asked for it. A person may resume it."""
    for table, column, states in _WORK:
        columns = {row[1] for row in copy.execute(f"pragma table_info({table})")}
        if not columns:
            continue
        ended = ", finished_at = :now" if "finished_at" in columns else ""
        marks = ", ".join(f"'{state}'" for state in states)
        copy.execute(f"update {table} set {column} = 'stopped'{ended} where {column} in ({marks})", {"now": now()})
        if "pid" in columns:  # here it would be some other process
            copy.execute(f"update {table} set pid = null, pid_started = null")


def _drop_programs(path: Path) -> None:
    """A run's file without its reward functions: they were allowed on another machine; one that is torn goes."""
    said: dict[str, Any] | None = read_json(path)
    if said is None:
        path.unlink()
    elif said.pop("programs", None):
        write_json(path, said)


def _settle_adapter(path: Path) -> None:
    """An adapter's layers by their names, as `add_model` has them; raises BadInput where that cannot be."""
    said = read_json(path) or {}
    check_modules(said)
    weights = path.with_name("adapter_model.safetensors")
    plain = settled(said, modules(weights) if weights.is_file() else ())
    if plain != said:
        write_json(path, plain)
