"""Starting the processes of a home: each in its own session, at most one of a kind, its words in the home's logs."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from storage.home import Home, read_json
from storage.processes import alive, identify

# Where the packages lie: `python -m` looks into its working directory first, which must not be a person's folder.
_ROOT = Path(__file__).resolve().parent.parent.parent


def start_engine(home: Home, *arguments: str) -> subprocess.Popen[bytes] | None:
    """Start the engine of a home; None where one runs or is starting. `arguments` as `trainers.engine` takes them.

    The lock is taken here and handed to the child, so that two who start at once never start two.
    """
    home.make()
    with home.engine_lock.open("a") as lock:
        if not _take(lock):
            return None
        process = _start(home, "engine", ("--lock-fd", str(lock.fileno()), *arguments), pass_fds=(lock.fileno(),))
        _sign(lock, process.pid)
        return process


def stop_engine(home: Home) -> None:
    """Ask the engine of a home to end, also one that is still starting and has no engine.json yet."""
    for said in (read_json(home.engine_file), read_json(home.engine_lock)):
        if said and alive(said.get("pid"), said.get("started")):
            os.kill(said["pid"], signal.SIGTERM)
            return


def _sign(lock: IO[str], pid: int) -> None:
    """Write into a lock file which process has been given it: it has no other name before it can be asked."""
    process = identify(pid)
    lock.truncate(0)
    if process:
        lock.write(json.dumps(process._asdict()))
        lock.flush()


def start_worker(home: Home, *arguments: str) -> subprocess.Popen[bytes] | None:
    """Start the worker of a home; None where one runs. `arguments` as `trainers.worker` takes them."""
    if held(home.worker_lock):
        return None
    home.make()
    return _start(home, "worker", arguments)


def held(lock: Path) -> bool:
    """Whether a living process holds a lock file; the system frees it at any death."""
    if not lock.exists():
        return False
    with lock.open("a") as file:
        return not _take(file)


def _take(lock: IO[str]) -> bool:
    """Take a lock file, if nobody holds it; closing it gives it back, unless a child has it too."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(
    home: Home, name: str, arguments: tuple[str, ...], pass_fds: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    with (home.logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"trainers.{name}", "--home", str(home.path), *arguments],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl+C in the terminal reaches the studio alone
            pass_fds=pass_fds,
        )
    # A child that nobody waits for stays in the process table after its end.
    threading.Thread(target=process.wait, name=f"wait for {name}", daemon=True).start()
    return process
