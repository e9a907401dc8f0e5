"""`ratchet serve` as a process: it ends web and engine on Ctrl+C and on SIGTERM, and says goodbye."""

import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from storage.home import Home, read_json
from storage.processes import alive
from studio.clients.processes import held

pytestmark = pytest.mark.torch  # it starts the engine
ROOT = Path(__file__).resolve().parents[2]


def _serve(home: Home) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "studio", "serve", "--home", str(home.path), "--port", "0"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _engine(home: Home) -> dict[str, float]:
    """What the engine says of itself once it is there."""
    for _ in range(600):
        said = read_json(home.engine_file)
        if said is not None:
            return said
        time.sleep(0.1)
    raise AssertionError("the engine did not start")


@pytest.mark.parametrize("end", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_it_ends_web_and_engine_and_says_so(home: Home, end: signal.Signals) -> None:
    process = _serve(home)
    assert process.stdout is not None
    address = process.stdout.readline().split()[3]
    engine = _engine(home)
    answered = urllib.request.urlopen(address, timeout=30).status

    process.send_signal(end)
    said, complaints = process.communicate(timeout=30)

    assert (answered, process.returncode, said) == (200, 0, "Ratchet has ended.\n")
    assert "Traceback" not in complaints
    assert not home.serve_file.exists()
    for _ in range(100):
        if not alive(int(engine["pid"]), engine["started"]):
            break
        time.sleep(0.1)
    assert not alive(int(engine["pid"]), engine["started"])


def test_an_engine_that_is_still_starting_ends_too(home: Home) -> None:
    process = _serve(home)
    while not (read_json(home.engine_lock) or {}).get("pid"):
        time.sleep(0.01)
    starting = read_json(home.engine_lock) or {}
    announced = home.engine_file.exists()

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    for _ in range(100):
        if not held(home.engine_lock):
            break
        time.sleep(0.1)

    assert (announced, process.returncode) == (False, 0)
    assert not alive(starting["pid"], starting["started"])
    assert not held(home.engine_lock)


def test_a_second_one_of_the_same_home_names_the_first(home: Home) -> None:
    first = _serve(home)
    assert first.stdout is not None
    address = first.stdout.readline().split()[3]
    second = _serve(home)

    _, sentence = second.communicate(timeout=60)
    first.terminate()
    first.communicate(timeout=30)

    assert (second.returncode, first.returncode) == (1, 0)
    assert sentence == (
        f"A studio of {home.path} runs already at {address}; open that address, or give another --home.\n"
    )
