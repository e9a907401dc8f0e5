"""From the Train button to the first optimiser step, on the starter model.

    python -m bench.button [--small]

Ours: what the button does over HTTP, asked of `ratchet serve` with its worker, engine and zygote up (warm): the plan,
the frozen rows, the job's row, the claim, the fork, the load and the first step, as the run's first metric tells its
time. Each job is stopped after it. The baseline, in turns with it, is a fresh `python` with the script of TRL's
documentation on the same rows and model: whoever has no studio starts that. Both do the same work up to that step;
ours checks more, the baseline imports more. Goal: 2 seconds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

ROOT = Path(__file__).resolve().parent.parent
BASELINE = Path(__file__).parent / "baselines" / "trl_button.py"
STARTER = ROOT / "static" / "starter"
TURNS = 5
GOAL = 2.0
PATIENCE = 120.0  # seconds; a bound for what is broken, not a measurement


class Site(NamedTuple):
    """A running studio: how to ask it, and its home."""

    http: httpx.Client
    home: Path


def run(turns: int = TURNS) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as site:
        press(site)  # the first one imports what the web loads on demand
        ours, bare = [], []
        for _ in range(turns):
            ours.append(press(site))
            bare.append(script(Path(folder)))
    mine, theirs = statistics.median(ours), statistics.median(bare)
    ratios = [
        {"against": "goal, seconds", "value": round(mine, 3), "goal": GOAL, "better": "lower"},
        {"against": "a fresh TRL process", "value": round(mine / theirs, 3), "goal": 0.5, "better": "lower"},
    ]
    return {
        "name": "button",
        "ours": {"seconds": round(mine, 3), "turns": [round(one, 3) for one in ours]},
        "baselines": {"a fresh TRL process": {"seconds": round(theirs, 3), "turns": [round(one, 3) for one in bare]}},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": all(one["value"] <= one["goal"] for one in ratios),
    }


@contextmanager
def studio(folder: Path) -> Iterator[Site]:
    """Serve a new home until the block ends; begins when engine and zygote are ready."""
    home, log = folder / "home", folder / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "studio", "serve", "--home", str(home), "--port", "0", "--json"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, "RATCHET_ZYGOTE": "on"},
        )  # fmt: skip
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"`ratchet serve` does not start: {log.read_text(errors='replace')[-2000:]}")
        with httpx.Client(base_url=json.loads(line)["url"], timeout=60, trust_env=False) as http:
            wait_for(lambda: (home / "engine.json").exists(), "the engine")
            wait_for(lambda: _zygote_ready(home), "the zygote")
            yield Site(http, home)
    finally:
        process.terminate()
        process.wait(30)


def _zygote_ready(home: Path) -> bool:
    try:
        return bool(json.loads((home / "zygote.json").read_text())["ready"])
    except (FileNotFoundError, ValueError):
        return False


def wait_for(happened: Callable[[], Any], what: str) -> Any:
    """Ask until something is true, and return it; raises RuntimeError where it never is."""
    deadline = time.monotonic() + PATIENCE
    while not (found := happened()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"Waited {PATIENCE:g} s in vain for {what}.")
        time.sleep(0.005)
    return found


def asked(response: httpx.Response) -> dict[str, Any]:
    """The JSON of an answer; raises RuntimeError with the server's sentence where it is an error."""
    if response.is_error:
        raise RuntimeError(f"{response.request.url} answered {response.status_code}: {response.text[:500]}")
    found: dict[str, Any] = response.json()
    return found


def events(home: Path, job: str) -> list[dict[str, Any]]:
    """What a run has said so far."""
    path = home / "runs" / job / "events.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def press(site: Site) -> float:
    """Press Train; the seconds until the first optimiser step was done."""
    begun = time.time()
    job = asked(site.http.post("/api/jobs", json={"method": "sft", "base": "starter", "dataset": "starter"}))
    wait_for(lambda: _first_step(site.home, job["job"]), "the first step")
    seconds = _first_step(site.home, job["job"]) - begun
    asked(site.http.post(f"/api/jobs/{job['job']}/stop", json={"now": True}))
    ended = ("stopped", "done", "failed")
    wait_for(lambda: asked(site.http.get(f"/api/jobs/{job['job']}"))["status"] in ended, "the end of the job")
    return seconds


def _first_step(home: Path, job: str) -> float:
    """When the first loss was told; 0 where none was yet."""
    return next((float(one["t"]) for one in events(home, job) if one["kind"] == "metric" and "loss" in one), 0.0)


def script(folder: Path) -> float:
    """Start the baseline's process; the seconds until its first optimiser step was done."""
    settings = {"batch_size": 8, "max_length": 512, "learning_rate": 2e-4, "seed": 0, "output": str(folder / "trl"),
                "threads": max(1, len(os.sched_getaffinity(0)) - 1)}  # fmt: skip
    words = [str(one) for one in (BASELINE, STARTER / "model", STARTER / "starter.jsonl")]
    begun = time.time()
    return float(json.loads(spoken([*words, json.dumps(settings)]))["first_step"]) - begun


def spoken(words: list[str]) -> str:
    """The last line that a baseline prints; raises RuntimeError with its words where it fails."""
    quiet = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
             "TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "PASSIVE"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, *words], env={**os.environ, **quiet}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.button", description="From the button to the first step.")
    parser.add_argument("--small", action="store_true", help="one turn, to see that it works")
    print(json.dumps(run(1 if parser.parse_args().small else TURNS), indent=1))
