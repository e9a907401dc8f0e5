"""What this machine has and what is missing, as sentences: nothing here imports a heavy library."""

import json
import platform
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from storage import indexing
from storage.home import Home, read_json
from storage.models import list_models
from storage.processes import alive, serving
from storage.store import Store
from studio.settings import Settings

_LIBRARIES = ("gradio", "torch", "transformers", "trl", "peft", "datasets", "sqlite-utils", "huggingface-hub")
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# SQLite's write-ahead log needs shared memory, which these file systems do not give to two machines.
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb", "smbfs", "smb3", "afs", "9p", "fuse.sshfs", "lustre", "gpfs"})
_LOW_DISK = 5e9
_LOW_MEMORY = 2e9
_DEVICE_SECONDS = 60


@dataclass(frozen=True)
class Finding:
    """One thing looked at. level: good, warning or bad; `sentence` says what to do where it is not good."""

    name: str
    level: str
    value: str
    sentence: str = ""

    def to_json(self) -> dict[str, str]:
        """The finding as JSON."""
        return {"name": self.name, "level": self.level, "value": self.value, "sentence": self.sentence}


def examine(settings: Settings) -> dict[str, Any]:
    """Look at the machine and the home folder; `ready` is False where something must be mended first."""
    home = settings.home
    findings = [
        _python(),
        *[_library(name) for name in _LIBRARIES],
        _device(home),
        _memory(),
        _disk(home),
        _writable(home),
        _file_system(home),
        _search(home),
        _browser(),
        *_processes(home),
        _zygote(settings),
        *_endpoints(home),
    ]
    return {
        "ready": all(finding.level != "bad" for finding in findings),
        "findings": [finding.to_json() for finding in findings],
        "home": str(home.path),
    }


def _python() -> Finding:
    return Finding("python", "good", f"{platform.python_version()} at {sys.executable}")


def _library(name: str) -> Finding:
    try:
        return Finding(name, "good", version(name))
    except PackageNotFoundError:
        return Finding(name, "bad", "missing", f"{name} is not installed; run `make install` or `pip install {name}`.")


def _device(home: Home) -> Finding:
    """The device that training and answering use, asked of a process of its own, because that needs torch."""
    try:
        asked = subprocess.run(
            [sys.executable, "-m", "trainers.device", str(home.path)],
            capture_output=True,
            text=True,
            timeout=_DEVICE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Finding("device", "warning", "unknown", f"torch did not start within {_DEVICE_SECONDS} seconds.")
    try:
        said = json.loads(asked.stdout)
    except json.JSONDecodeError:
        last = (asked.stderr.strip().splitlines() or ["no message"])[-1]
        return Finding("device", "bad", "unknown", f"torch does not start: {last}")
    return Finding("device", "good", f"{said['device']} ({said['dtype']}, {said['threads']} threads)", said["reason"])


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    value = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    if memory.available < _LOW_MEMORY:
        return Finding("memory", "warning", value, "Little memory is free: a large model may not fit; close programs.")
    return Finding("memory", "good", value)


def _disk(home: Home) -> Finding:
    usage = shutil.disk_usage(_existing(home.path))
    value = f"{usage.free / 1e9:.1f} GB free"
    if usage.free < _LOW_DISK:
        return Finding("disk", "warning", value, "Little disk is free: checkpoints and models need room.")
    return Finding("disk", "good", value)


def _writable(home: Home) -> Finding:
    probe = _existing(home.path) / f".ratchet-doctor-{psutil.Process().pid}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding("home", "bad", str(home.path), f"The home folder cannot be written: {error.strerror}.")
    return Finding("home", "good", str(home.path))


def _file_system(home: Home) -> Finding:
    path = _existing(home.path).resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if path.is_relative_to(part.mountpoint)]
    kind = max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown"
    if kind.lower() in _NETWORK:
        return Finding(
            "file system",
            "warning",
            kind,
            "The home folder lies on a network file system, where SQLite can lose writes: move it to a local disk.",
        )
    return Finding("file system", "good", kind)


def _search(home: Home) -> Finding:
    """Whether search knows every row; asked of the database as it is, which may be older than this program."""
    store = Store(home)
    try:
        if not home.database.exists() or not store.value("select 1 from sqlite_master where name = 'search_due'"):
            return Finding("search", "good", "nothing to search yet")
        missing = indexing.missing(store)
    except sqlite3.DatabaseError as error:
        return Finding(
            "search", "warning", f"unreadable ({error})", f"Stop Ratchet, delete {home.search}, and start it again."
        )
    finally:
        store.close()
    if missing:
        rows = "1 row" if missing == 1 else f"{missing:,} rows"
        return Finding("search", "warning", f"{rows} missing", "`ratchet serve` indexes them in the background.")
    return Finding("search", "good", "knows every row")


def _browser() -> Finding:
    found = next((path for name in _CHROMIUMS if (path := shutil.which(name))), None)
    if found:
        return Finding("chromium", "good", found)
    return Finding("chromium", "warning", "not found", "Only the browser tests need it: `make browser` installs it.")


def _processes(home: Home) -> list[Finding]:
    """Whether web, engine and worker of this home run now; none of them has to."""
    engine = read_json(home.engine_file) or {}
    running = {
        "serve": serving(home),
        "engine": alive(engine.get("pid"), engine.get("started")),
        "worker": _worker_runs(home),
    }
    return [Finding(name, "good", "running" if runs else "not running") for name, runs in running.items()]


def _zygote(settings: Settings) -> Finding:
    """The process that runs fork from, and what it holds while nothing is trained."""
    if not settings.zygote:
        return Finding("zygote", "good", "off", "RATCHET_ZYGOTE is off: training starts some seconds later.")
    said = read_json(settings.home.zygote_file) or {}
    try:
        if not alive(said.get("pid"), said.get("started")):
            return Finding("zygote", "good", "not running", "It starts with `ratchet serve`, where 2 GB are free.")
        held = psutil.Process(int(said["pid"])).memory_info().rss
    except psutil.NoSuchProcess:
        return Finding("zygote", "good", "not running")
    return Finding("zygote", "good", f"running, {held / 1e6:.0f} MB", "Training forks from it, and shares that memory.")


def _endpoints(home: Home) -> list[Finding]:
    """Whether each endpoint can be asked now, all at the same time; none where the database is older than this."""
    from concurrent.futures import ThreadPoolExecutor

    from studio.clients.engine import Engine

    store = Store(home)
    try:
        known = "select 1 from pragma_table_info('models') where name = 'serves'"
        if not home.database.exists() or not store.value(known):
            return []
        models = [model for model in list_models(store) if model.kind == "endpoint"]
        backends = [Engine(home, start=False).backend(store, model) for model in models]
    except sqlite3.DatabaseError:
        return []  # `_search` says what is wrong with it
    finally:
        store.close()
    with ThreadPoolExecutor(len(models) or 1, "ask an endpoint") as pool:
        said = list(pool.map(lambda backend: backend.health(), backends))
    return [
        Finding(model.name, "good", f"answers ({health.seconds * 1000:.0f} ms)", health.sentence) if health.ready
        else Finding(model.name, "warning", "does not answer", health.sentence)
        for model, health in zip(models, said, strict=True)
    ]  # fmt: skip


def _worker_runs(home: Home) -> bool:
    """Whether a worker holds its lock."""
    import fcntl

    if not home.worker_lock.exists():
        return False
    with home.worker_lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _existing(path: Path) -> Path:
    """The nearest folder on the way up that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
