"""Preflights: a training is looked at by a process of its own before it starts, and what it found is kept.

A preflight is known by the hash of the spec and rows that the run would get, so the same question has one answer,
asked by whatever tab or terminal. Rows are read without freezing a version: looking leaves no trace in the data.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from storage.clock import now
from storage.errors import NotFound, NotReady
from storage.freezing import freeze_apart
from storage.home import Home, is_folder, read_json
from storage.preflights import get_preflight, keep_preflight
from storage.processes import alive
from storage.specs.run import RunSpec
from storage.store import Store
from studio.clients.forking import fork
from studio.settings import Settings
from studio.training.launching import spec_of
from studio.training.material import glance, glance_extras
from studio.training.planning import Plan, plan
from studio.training.pricing import price
from studio.training.request import Request

_VERSION = 2  # of what is measured: results of older ones are measured again
_MOST_ROWS = 5_000
_STARTING_SECONDS = 30.0  # a process that has not written itself down by then never will
_POLL_SECONDS = 0.2
_STALE_SECONDS = 3600.0
_NICE = 10
_ROOT = Path(__file__).resolve().parents[2]

_AWAITED = "Its base is still to be made by the job before it, so time and memory are not known yet."
_VANISHED = {
    "kind": "vanished",
    "sentence": "The preflight's process was ended from outside, most likely because the machine ran out of memory.",
    "fix": "Choose the preset low memory, or a smaller batch_size or max_length, and look again.",
    "retry": [],
}


@dataclass(frozen=True)
class Preflight:
    """A preflight as it stands. state: running, done or failed; `error` has kind, sentence and fix."""

    id: str
    state: str
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The preflight for the page."""
        return {"id": self.id, "state": self.state, "result": self.result, "error": self.error}


def begin(store: Store, settings: Settings, request: Request) -> Preflight:
    """Start to look at a training, or find what was found before; never waits.

    What the plan refuses is the result at once: there is nothing to measure.
    """
    thought = plan(store, request)
    if thought.refusals:
        return Preflight("refused", "done", _refused(thought))
    if thought.origin is not None and thought.origin.model.path is None:
        return Preflight("awaited", "done", _refused(thought, [_AWAITED]))
    key, spec, files = _question(store, settings, thought)
    if _known(store, key) is None and _state(store.home, key) != "running":
        _start(store.home, key, spec, files)
    return look(store, key)


def memory_of(store: Store, settings: Settings, thought: Plan) -> float | None:
    """The most memory (GB) that a preflight of this plan has measured; None where nobody has looked."""
    awaited = thought.origin is not None and thought.origin.model.path is None
    if awaited or not store.value("select count(*) from preflights"):
        return None
    found = get_preflight(store, _question(store, settings, thought)[0]) or {}
    memory = found.get("memory_gb") or {}
    return memory.get("high")


def _question(store: Store, settings: Settings, thought: Plan) -> tuple[str, RunSpec, dict[str, list[dict[str, Any]]]]:
    """The key of a plan without refusals, and the spec and rows that it stands for."""
    assert thought.method is not None, "a plan without refusals has a method"
    rows = glance(store, thought.method, thought.request, _MOST_ROWS)
    extras = glance_extras(store, thought.method, thought.request, _MOST_ROWS)
    spec = spec_of("preflight", thought, "", rows.total, settings)
    spec = replace(spec, **thought.helpers, extras=dict.fromkeys(extras, ""))
    return _key(spec, rows.rows, extras), spec, {"data": rows.rows, **extras}


def look(store: Store, key: str) -> Preflight:
    """How a preflight stands; raises NotFound for one that was never begun."""
    result = _known(store, key)
    if result is not None:
        return Preflight(key, "done", result)
    folder = _folder(store.home, key)
    if not is_folder(folder):
        raise NotFound("This preflight is not known any more; look again.")
    state = _state(store.home, key)
    if state == "running":
        (folder / "wanted").touch()
        return Preflight(key, "running")
    found, error = read_json(folder / "result.json"), read_json(folder / "error.json")
    shutil.rmtree(folder, ignore_errors=True)
    if found is None:
        return Preflight(key, "failed", error=error or dict(_VANISHED))
    keep_preflight(store, key, found)
    return Preflight(key, "done", _told(found))


def wait(store: Store, settings: Settings, request: Request) -> Preflight:
    """Look at a training and wait for what is found."""
    found = begin(store, settings, request)
    while found.state == "running":
        time.sleep(_POLL_SECONDS)
        found = look(store, found.id)
    return found


def result_of(found: Preflight) -> dict[str, Any]:
    """What a preflight found; raises NotReady with its sentence and fix where it failed."""
    if found.result is None:
        error = found.error or _VANISHED
        raise NotReady(f"{error['sentence']} {error['fix']}")
    return found.result


def _known(store: Store, key: str) -> dict[str, Any] | None:
    found = get_preflight(store, key)
    return None if found is None else _told(found)


def _told(result: dict[str, Any]) -> dict[str, Any]:
    """The result with its price; whether it fits is asked of the machine as it is now."""
    memory = result.get("memory_gb")
    fits = result.get("fits_beside_engine")
    if memory and result.get("device") == "cpu":
        fits = memory["high"] * 1024**3 <= psutil.virtual_memory().available
    return {**result, "fits_beside_engine": fits, "price": price(result.get("seconds"), memory)}


def _refused(thought: Plan, notes: list[str] | None = None) -> dict[str, Any]:
    """The plan's refusals in the shape of a result; `notes` become warnings."""
    counts = dict.fromkeys(
        ("tokens", "trained_tokens", "truncated", "identical_pairs", "duplicates", "overlap", "nothing_learnt"), 0
    )
    unknown = dict.fromkeys(("memory_gb", "seconds", "fits_beside_engine"))
    rows = thought.survey.rows if thought.survey else 0
    return {"rows": rows, **counts, "masked_share": 0.0, **unknown, "price": "", "examples": [], "checks": [],
            "refusals": list(thought.refusals), "warnings": notes or []}  # fmt: skip


def _key(spec: RunSpec, rows: list[dict[str, Any]], extras: dict[str, list[dict[str, Any]]]) -> str:
    """The hash of everything that changes what is found; the run's name and id do not."""
    asked = asdict(replace(spec, job="", name=""))
    words = json.dumps([_VERSION, asked, rows, extras], ensure_ascii=True, sort_keys=True, default=str)
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _folder(home: Home, key: str) -> Path:
    return home.preflights / (key if key.isalnum() else "none")


def _state(home: Home, key: str) -> str:
    """running, ended, or absent; by the folder and the process that is written down there."""
    folder = _folder(home, key)
    if not folder.is_dir():
        return "absent"
    if (folder / "result.json").exists() or (folder / "error.json").exists():
        return "ended"
    process = read_json(folder / "process.json")
    if process is None:
        return "running" if now() - folder.stat().st_ctime < _STARTING_SECONDS else "ended"
    if alive(process["pid"], process["started"]):
        return "running"
    # Its last word may have come between the two looks.
    return "ended"


def _start(home: Home, key: str, spec: RunSpec, files: dict[str, list[dict[str, Any]]]) -> None:
    """Write the folder and start the process; two who start at once start one (the folder's lock)."""
    home.preflights.mkdir(mode=0o700, exist_ok=True)
    _sweep(home)
    folder = _folder(home, key)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    freeze_apart(folder, files)
    spec.write(folder)
    (folder / "wanted").touch()
    words, log_file = ["trainers.preflight", str(folder)], home.logs / "preflight.log"
    if Path(spec.base_path).exists() and fork(home, words, log_file, spec.threads, _NICE):  # the zygote is offline
        return
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_lower_priority,
        )
    # A child that nobody waits for stays in the process table after its end.
    threading.Thread(target=process.wait, name="wait for preflight", daemon=True).start()


def _lower_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)


def _sweep(home: Home) -> None:
    """Remove folders whose result nobody has fetched for an hour."""
    for folder in home.preflights.iterdir():
        if folder.is_dir() and now() - folder.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
