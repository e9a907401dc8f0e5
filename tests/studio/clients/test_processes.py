"""Who holds a lock, and what the studio starts."""

import fcntl
from pathlib import Path

from storage.home import Home
from studio.clients.processes import held, start_engine, start_worker


def test_a_lock_is_held_while_somebody_has_it(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"

    assert not held(lock)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert held(lock)
    assert not held(lock)


def test_nothing_is_started_where_one_runs_already(home: Home) -> None:
    home.make()
    with home.engine_lock.open("a") as engine, home.worker_lock.open("a") as worker:
        fcntl.flock(engine, fcntl.LOCK_EX)
        fcntl.flock(worker, fcntl.LOCK_EX)

        assert (start_engine(home), start_worker(home)) == (None, None)

    assert not any(home.logs.iterdir())


def test_a_worker_is_started_in_its_own_session_and_its_words_are_kept(home: Home) -> None:
    import os

    process = start_worker(home, "--idle", "0.1")

    assert process is not None
    session = os.getsid(process.pid)
    assert process.wait(60) == 0
    assert session == process.pid != os.getsid(0)
    assert (home.logs / "worker.log").is_file()
