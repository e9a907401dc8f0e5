"""Starting the processes of a home: each in its own session, at most one of a kind, its words in the home's logs."""

import fcntl
import subprocess
import sys
import threading
from pathlib import Path

from storage.home import Home

# Where the packages lie: `python -m` looks into its working directory first, which must not be a person's folder.
_ROOT = Path(__file__).resolve().parent.parent.parent


def start_engine(home: Home, *arguments: str) -> subprocess.Popen[bytes] | None:
    """Start the engine of a home; None where one runs or is starting. `arguments` as `trainers.engine` takes them."""
    return _start(home, "engine", home.engine_lock, arguments)


def start_worker(home: Home, *arguments: str) -> subprocess.Popen[bytes] | None:
    """Start the worker of a home; None where one runs. `arguments` as `trainers.worker` takes them."""
    return _start(home, "worker", home.worker_lock, arguments)


def held(lock: Path) -> bool:
    """Whether a living process holds a lock file; the system frees it at any death."""
    if not lock.exists():
        return False
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _start(home: Home, name: str, lock: Path, arguments: tuple[str, ...]) -> subprocess.Popen[bytes] | None:
    if held(lock):
        return None
    home.make()
    with (home.logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"trainers.{name}", "--home", str(home.path), *arguments],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl+C in the terminal reaches the studio alone
        )
    # A child that nobody waits for stays in the process table after its end.
    threading.Thread(target=process.wait, name=f"wait for {name}", daemon=True).start()
    return process
