"""The worker's side of sharing a device with the engine: does a run fit beside it, and if not, have it move aside.

What a run needs is what its preflight measured, or, where nobody looked before the start, reckoned from the weights.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

from storage import aside
from storage.errors import RatchetError
from storage.home import Home, read_json
from storage.processes import alive
from storage.rows_training import Job
from storage.specs.run import RunSpec
from trainers.executor import Executor
from trainers.memory import GIB, base_need, free_bytes

# Of what is free, this much stays free: the system and the pages need some.
_MARGIN = 0.95
_PROCESS = 0.7 * GIB  # torch, transformers and TRL without any weights
_ACTIVATIONS = 1.5  # of the weights, with the tokens that go through the model at once
_LEAVING_SECONDS = 30.0
_POLL_SECONDS = 0.2


class Need(NamedTuple):
    """Bytes: of the run, of an engine that has loaded the same base, and what is free on the device."""

    run: float
    engine: float
    free: float

    @property
    def together(self) -> bool:
        """Whether both fit."""
        return self.run + self.engine <= self.free * _MARGIN


def make_room(home: Home, job: Job, devices: tuple[str, ...], executor: Executor) -> str | None:
    """Before a run starts: have the engine move aside where both do not fit; returns a sentence where it did.

    The note is written even where no engine runs: one that is started meanwhile must not load what does not fit.
    """
    if executor.slots()[0] not in devices:
        return None  # the engine computes on the first device
    need = _need(home, RunSpec.read(home.run(job.id)), devices[0])
    if need is None or need.together:
        return None
    aside.ask(home, job)
    left = _wait_until_gone(home)
    words = "it has" if left else f"it has not within {_LEAVING_SECONDS:g} s, so memory may run short"
    return (
        f"The run needs about {need.run / GIB:.1f} GB, the engine {need.engine / GIB:.1f} GB more, and "
        f"{need.free / GIB:.1f} GB are free: the engine was asked to move aside, and {words}. It comes back by itself."
    )


def still_needed(home: Home, job: Job) -> None:
    """A run that an earlier worker started goes on: its note is ours now."""
    if (home.aside / f"{job.id}.json").exists():
        aside.ask(home, job)


def _need(home: Home, spec: RunSpec, device: str) -> Need | None:
    """What is needed and free; None where it cannot be told."""
    try:
        answering = base_need(Path(spec.base_path), 2 if device.startswith("cuda") else 4)
        free = free_bytes(device)
    except (RatchetError, OSError, ValueError):
        return None
    run = spec.memory_gb * GIB if spec.memory_gb else _reckoned(spec, answering.weights)
    loaded = bool(_engine_says(home, "/health").get("models"))
    return Need(run, 0.0 if loaded else answering.total, free)  # what is loaded is not among what is free


def _reckoned(spec: RunSpec, weights: float) -> float:
    """Bytes of a run whose preflight nobody asked for: weights, gradients and the optimiser's two where all learn."""
    trained = 4.0 if spec.options.get("tuning") == "full" else 1.0
    frozen = 1.0 if spec.reference == "previous" else 0.0
    return _PROCESS + weights * (trained + frozen * 0.1 + (_ACTIVATIONS - 1.0))


def _wait_until_gone(home: Home) -> bool:
    """Ask the engine to look at the notes, and wait until it holds nothing; True where none runs."""
    deadline = time.monotonic() + _LEAVING_SECONDS
    _engine_says(home, "/v1/aside", post=True)
    while time.monotonic() < deadline:
        if not _engine_says(home, "/health").get("models"):
            return True
        time.sleep(_POLL_SECONDS)
    return False


def come_back(home: Home, job_id: str) -> None:
    """The run has ended: take its note away, and tell the engine, which would see it by itself a second later."""
    if aside.lift(home, job_id):
        _engine_says(home, "/v1/aside", post=True, seconds=1.0)


def _engine_says(home: Home, path: str, post: bool = False, seconds: float = _LEAVING_SECONDS) -> dict[str, Any]:
    """The running engine's answer; empty where none runs or it does not answer."""
    said = read_json(home.engine_file)
    if said is None or not alive(said.get("pid"), said.get("started")):
        return {}
    import httpx

    try:
        answer = httpx.request(
            "POST" if post else "GET",
            f"http://127.0.0.1:{int(said['port'])}{path}",
            headers={"Authorization": f"Bearer {said.get('token')}"},
            timeout=seconds,
            trust_env=False,  # a proxy has no business between two processes of one machine
        )
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, KeyError, TypeError, ValueError):
        return {}
    return found
