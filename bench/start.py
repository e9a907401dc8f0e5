"""How long until the first page, and how heavy is the web process.

    python -m bench.start [--small]

Starts `ratchet serve` with a new home and asks for the first page until it comes; a bare Gradio application with
one text box, served the same way, is measured in turn with it. The memory is that of the web process alone: after its
first page, and again when it has been left alone for some seconds (engine and worker have started by then). Goals:
first page within 3 s, under 250 MB.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil

from bench.figures import ratio, report

BASELINE = Path(__file__).parent / "baselines" / "bare_gradio.py"
TURNS = 5
IDLE_SECONDS = 8.0
GOAL_SECONDS = 3.0
GOAL_MEGABYTES = 250.0


class Start(NamedTuple):
    """One start: seconds until the first page came, megabytes of the process then, and after some idle seconds."""

    seconds: float
    megabytes: float
    idle_megabytes: float


def run(turns: int = TURNS, idle: float = IDLE_SECONDS) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    ours, bare = [], []
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            home = str(Path(folder) / "home")
            serve = [sys.executable, "-m", "studio", "serve", "--home", home, "--port", str(port)]
            ours.append(first_page(serve, port, idle))
            port = free_port()
            bare.append(first_page([sys.executable, str(BASELINE), str(port)], port, idle))
    mine, theirs = middle(ours), middle(bare)
    ratios = [
        ratio("goal, seconds", mine.seconds, GOAL_SECONDS),
        ratio("goal, megabytes", max(mine.megabytes, mine.idle_megabytes), GOAL_MEGABYTES),
        ratio("bare Gradio, seconds", mine.seconds / theirs.seconds, 1.5),
        ratio("bare Gradio, megabytes", mine.idle_megabytes / theirs.idle_megabytes, None),
    ]
    worst = {"worst_seconds": max(start.seconds for start in ours), "turns": turns}
    return report("start", {**mine._asdict(), **worst}, {"bare Gradio": theirs._asdict()}, ratios)


def first_page(command: list[str], port: int, idle: float) -> Start:
    """Start a server and ask until the first page comes whole; raises RuntimeError where it ends instead."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command[:4])} ended with {process.returncode} before its first page.")
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
        at_once = megabytes(process.pid)
        time.sleep(idle)
        return Start(round(seconds, 3), at_once, megabytes(process.pid))
    finally:
        process.terminate()
        process.wait(30)


def megabytes(pid: int) -> float:
    """Resident memory of one process."""
    return round(psutil.Process(pid).memory_info().rss / 1e6, 1)


def answers(port: int) -> bool:
    """Whether the first page comes now."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def middle(starts: list[Start]) -> Start:
    """The median of each measure."""
    return Start(*(round(statistics.median(values), 3) for values in zip(*starts, strict=True)))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Process start to first page, and memory.")
    parser.add_argument("--small", action="store_true", help="a trial run: one start of each")
    print(json.dumps(run(1, 0.5) if parser.parse_args().small else run(), indent=1))
