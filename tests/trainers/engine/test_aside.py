"""The engine moves aside for a run and comes back by itself, also where whoever asked was killed."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import aside
from storage.clock import new_id
from storage.errors import MovedAside
from storage.home import Home, read_json, write_json
from storage.jobs import NewJob, enqueue
from storage.models import add_model
from storage.processes import identify
from storage.store import Store
from studio.clients.connection import Connection, find_or_start
from studio.clients.processes import start_engine

pytestmark = pytest.mark.torch
_BOUND = 60  # seconds for a hang, not a measurement
CHAT = {"model": "a", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 3, "seed": 1}


@pytest.fixture
def engine(home: Home) -> Any:
    """A running engine of the test's home."""
    home.make()
    process = start_engine(home, "--dtype", "float32", "--threads", "2")
    assert process is not None
    yield find_or_start(home)
    process.kill()
    process.wait(_BOUND)


def loaded(engine: Connection) -> list[str]:
    names: list[str] = engine.get("/health")["models"]
    return names


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _BOUND
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_drops_its_weights_says_so_and_comes_back(
    engine: Connection, store: Store, tiny_models: dict[str, Path]
) -> None:
    engine.post("/v1/load_base", {"name": "base", "path": str(tiny_models["base"])})
    engine.post("/v1/load_lora_adapter", {"lora_name": "a", "lora_path": str(tiny_models["a"]), "base": "base"})
    before = engine.post("/v1/chat/completions", CHAT)["choices"]
    job = enqueue(store, NewJob(new_id(), "large", "sft", add_model(store, "base", "base").id, {}))

    aside.ask(store.home, job)
    assert engine.post("/v1/aside", {})["models"] == []

    for path, body in (
        ("/v1/chat/completions", CHAT),
        ("/v1/load_base", {"name": "base", "path": str(tiny_models["base"])}),
    ):
        with pytest.raises(MovedAside, match=r"moved aside while job 1 \(large\) trains.*go on by themselves"):
            engine.post(path, body)
    assert engine.get("/health")["aside"].startswith("The engine has moved aside")

    aside.lift(store.home, job.id)
    wait_for(lambda: loaded(engine) == ["base", "a"])
    assert engine.post("/v1/chat/completions", CHAT)["choices"] == before


def test_it_goes_and_comes_although_nobody_tells_it_and_the_worker_was_killed(
    engine: Connection, store: Store, tiny_models: dict[str, Path]
) -> None:
    engine.post("/v1/load_base", {"name": "base", "path": str(tiny_models["base"])})
    job = enqueue(store, NewJob(new_id(), "large", "sft", add_model(store, "base", "base").id, {}))

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as worker:
        found = identify(worker.pid)
        assert found is not None
        aside.ask(store.home, job)
        note = store.home.aside / f"{job.id}.json"
        write_json(note, {**(read_json(note) or {}), "worker": found._asdict()})
        wait_for(lambda: loaded(engine) == [])
        worker.kill()

    wait_for(lambda: loaded(engine) == ["base"])
