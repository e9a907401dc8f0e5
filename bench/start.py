"""How long until the first page, and how heavy is the web process.

    python -m bench.start

Starts `ratchet serve` with a new home and asks for the first page until it comes; a bare Gradio application with
one text box, served the same way, is measured in turn with it. Goals: first page within 3 s, under 250 MB.
"""

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

TURNS = 5
GOAL_SECONDS = 3.0
GOAL_MEGABYTES = 250
BARE = """
import os, sys
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import fastapi, gradio, uvicorn
with gradio.Blocks(analytics_enabled=False) as demo:
    gradio.Textbox(label="Text")
app = gradio.mount_gradio_app(fastapi.FastAPI(), demo, path="/", footer_links=[])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


class Start(NamedTuple):
    """One start: seconds until the first page came, megabytes of the process after it."""

    seconds: float
    megabytes: float


def run() -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    ours, bare = [], []
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            home = str(Path(folder) / "home")
            serve = [sys.executable, "-m", "studio", "serve", "--home", home, "--port", str(port)]
            ours.append(first_page(serve, port))
            port = free_port()
            bare.append(first_page([sys.executable, "-c", BARE, str(port)], port))
    mine, theirs = middle(ours), middle(bare)
    ratios = [
        {"against": "goal, seconds", "value": mine.seconds, "goal": GOAL_SECONDS, "better": "lower"},
        {"against": "goal, megabytes", "value": mine.megabytes, "goal": GOAL_MEGABYTES, "better": "lower"},
        {"against": "bare Gradio, seconds", "value": mine.seconds / theirs.seconds, "goal": 1.5, "better": "lower"},
    ]
    return {
        "name": "start",
        "ours": {**mine._asdict(), "worst_seconds": max(start.seconds for start in ours), "turns": TURNS},
        "baselines": {"bare Gradio": theirs._asdict()},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": mine.seconds <= GOAL_SECONDS and mine.megabytes <= GOAL_MEGABYTES,
    }


def first_page(command: list[str], port: int) -> Start:
    """Start a server and ask until the first page comes whole; raises RuntimeError where it ends instead."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command[:4])} ended with {process.returncode} before its first page.")
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
        return Start(round(seconds, 3), round(psutil.Process(process.pid).memory_info().rss / 1e6, 1))
    finally:
        process.terminate()
        process.wait(30)


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
    print(json.dumps(run(), indent=1))
