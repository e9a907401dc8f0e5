from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from storage.home import Home
from storage.models import add_model
from storage.rows_training import Model
from storage.store import Store
from studio.clients.connection import find
from studio.clients.engine import Engine
from studio.clients.processes import start_engine
from tests.trainers.engine import tiny


class Running(NamedTuple):
    """A store with a tiny base and two adapters, and a client of its real engine in float32."""

    store: Store
    engine: Engine
    base: Model
    a: Model
    b: Model

    @property
    def home(self) -> Home:
        return self.store.home


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("client-models")
    base = tiny.save_base(root / "base")
    return {"base": base, "a": tiny.save_adapter(root / "a", base, 1), "b": tiny.save_adapter(root / "b", base, 2)}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, tiny_folders: dict[str, Path]) -> Iterator[Running]:
    """One engine process for the tests of a file."""
    store = Store.open(Home(tmp_path_factory.mktemp("running") / "home"))
    base = add_model(store, "tiny", "base", path=str(tiny_folders["base"]))
    a, b = (
        add_model(store, name, "adapter", base_id=base.id, parent_id=base.id, path=str(tiny_folders[name]))
        for name in ("a", "b")
    )
    process = start_engine(store.home, "--dtype", "float32", "--threads", "2")
    assert process is not None
    yield Running(store, Engine(store.home), base, a, b)
    process.terminate()
    assert process.wait(20) == 0
    assert find(store.home) is None


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., object]]:
    """Starts engines of homes and ends them after the test."""
    started = []

    def run(home: Home, *arguments: str) -> object:
        process = start_engine(home, "--dtype", "float32", "--threads", "2", *arguments)
        if process:
            started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait(20)
