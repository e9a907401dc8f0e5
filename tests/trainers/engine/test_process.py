"""The engine as a process: one of each home, quick to end, taken over after a kill."""

import os
import signal
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.home import Home, read_json, write_json
from storage.processes import identify
from studio.clients.connection import Connection, find, find_or_start
from studio.clients.processes import held, start_engine

pytestmark = pytest.mark.torch
_BOUND = 60  # seconds for what should take one or two; a bound for a hang, not a measurement


@pytest.fixture
def start(home: Home) -> Any:
    """Starts engines of the test's home and ends them after it."""
    started = []

    def run(*arguments: str) -> Any:
        process = start_engine(home, "--dtype", "float32", "--threads", "2", *arguments)
        assert process is not None
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait(_BOUND)


def wait_for(home: Home) -> Connection:
    return find_or_start(home)


def test_where_it_answers_is_for_its_owner_alone_and_gone_at_its_end(home: Home, start: Callable[..., Any]) -> None:
    process = start()
    wait_for(home)

    said = read_json(home.engine_file) or {}
    me = identify(process.pid)
    assert stat.S_IMODE(home.engine_file.stat().st_mode) == 0o600
    assert me is not None and (said["pid"], said["started"]) == (me.pid, me.started)
    assert (len(said["token"]) >= 32, said["port"] > 0) == (True, True)
    process.terminate()
    assert process.wait(_BOUND) == 0
    assert not home.engine_file.exists()


def test_it_listens_on_loopback_alone(home: Home, start: Callable[..., Any]) -> None:
    import psutil

    process = start()
    wait_for(home)

    listening = [
        one.laddr.ip for one in psutil.Process(process.pid).net_connections() if one.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_a_second_engine_of_a_home_refuses_and_leaves_the_first_alone(home: Home, start: Callable[..., Any]) -> None:
    import subprocess
    import sys

    first = start()
    wait_for(home)

    second = subprocess.run(
        [sys.executable, "-m", "trainers.engine", "--home", str(home.path)], capture_output=True, text=True
    )

    assert (second.returncode, second.stderr) == (
        1,
        f"An engine of {home.path} runs already (pid {first.pid}); use that one or end it first.\n",
    )
    assert start_engine(home) is None
    assert find(home) is not None


def test_sigterm_ends_it_in_the_middle_of_a_stream(
    home: Home, start: Callable[..., Any], tiny_models: dict[str, Path]
) -> None:
    process = start()
    connection = wait_for(home)
    connection.post("/v1/load_base", {"name": "base", "path": str(tiny_models["base"])})
    body = {"model": "base", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 50_000, "stream": True}
    ends: list[str] = []
    reading = threading.Event()

    def read() -> None:
        with httpx.stream(
            "POST", f"{connection.url}/v1/chat/completions", json=body, headers=connection.headers, timeout=_BOUND
        ) as response:
            for line in response.iter_lines():
                ends.append(line)
                reading.set()

    reader = threading.Thread(target=_quietly, args=(read,))
    reader.start()
    assert reading.wait(_BOUND)
    process.send_signal(signal.SIGTERM)

    assert process.wait(_BOUND) == 0
    reader.join(_BOUND)
    assert not reader.is_alive()
    assert not home.engine_file.exists()
    assert not any('finish_reason": "length' in line for line in ends)


def _quietly(job: Callable[[], None]) -> None:
    try:
        job()
    except httpx.TransportError:
        return


def test_sigterm_ends_it_in_the_middle_of_a_load(
    home: Home, start: Callable[..., Any], tiny_models: dict[str, Path]
) -> None:
    process = start()
    connection = wait_for(home)
    body = {"name": "base", "path": str(tiny_models["base"])}
    loading = threading.Thread(
        target=_quietly,
        args=(lambda: httpx.post(f"{connection.url}/v1/load_base", json=body, headers=connection.headers),),
    )
    loading.start()

    process.send_signal(signal.SIGTERM)

    assert process.wait(_BOUND) == 0
    assert not home.engine_file.exists()
    loading.join(_BOUND)


def test_after_a_kill_the_next_engine_takes_over(home: Home, start: Callable[..., Any]) -> None:
    killed = start()
    before = wait_for(home)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(_BOUND)
    assert home.engine_file.exists() and not held(home.engine_lock)
    assert find(home) is None

    process = start()
    after = wait_for(home)

    assert (read_json(home.engine_file) or {})["pid"] == process.pid
    assert after.headers != before.headers
    assert after.get("/v1/models") == {"object": "list", "data": []}


def test_a_pid_that_now_belongs_to_another_process_is_no_engine(home: Home) -> None:
    home.make()
    write_json(home.engine_file, {"pid": os.getpid(), "started": 1.0, "port": 1, "token": "x"})

    assert find(home) is None


def test_unasked_and_without_a_studio_it_ends_by_itself(home: Home, start: Callable[..., Any]) -> None:
    process = start("--idle", "1")

    assert process.wait(_BOUND) == 0
    assert not home.engine_file.exists()


def test_a_living_studio_keeps_it(home: Home, start: Callable[..., Any]) -> None:
    import subprocess

    home.make()
    me = identify(os.getpid())
    assert me is not None
    write_json(home.serve_file, {"pid": me.pid, "started": me.started, "host": "127.0.0.1", "port": 1})
    process = start("--idle", "1")
    wait_for(home)

    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(4)
    home.serve_file.unlink()
    assert process.wait(_BOUND) == 0


def test_a_port_that_is_taken_is_told_in_the_log(home: Home, start: Callable[..., Any]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("--port", str(port))

        assert process.wait(_BOUND) == 1

    assert f"Port {port} is taken" in (home.logs / "engine.log").read_text()
    assert not home.engine_file.exists()
