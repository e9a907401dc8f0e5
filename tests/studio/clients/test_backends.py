"""The contract of backends: our own engine, and the same engine asked as a vLLM, whose protocol it speaks."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from storage.errors import Conflict
from storage.home import Home
from storage.models import add_model
from storage.rows_training import Model
from storage.store import Store
from storage.usage import totals
from studio.clients.engine import Engine
from studio.clients.processes import start_engine
from studio.training.folders import inspect_adapter
from tests.studio.clients.backend_contract import GREEDY, QUESTION, Asked, BackendContract
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch

STARTER = Path(__file__).resolve().parents[3] / "static" / "starter" / "model"


class Both(NamedTuple):
    """The starter as a base of the home, as an endpoint that serves it, and an adapter on it."""

    store: Store
    base: Model
    endpoint: Model
    adapter: Model
    environ: dict[str, str]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """One engine process; to the endpoint's client it is a stranger with a key."""
    home = Home(tmp_path_factory.mktemp("backends") / "home")
    store = Store.open(home)
    folder = tiny.save_adapter(tmp_path_factory.mktemp("adapter") / "loud", STARTER, 3)
    process = start_engine(home, "--dtype", "float32", "--threads", "2", "--idle", "600")
    assert process is not None
    base = add_model(store, "starter", "base", path=str(STARTER))
    local = Engine(home).local
    connection = local.ensure(store, base)
    endpoint = add_model(store, "far", "endpoint", url=f"{connection.url}/v1", remote_name="starter",
                         key_env="FAR_KEY", dialect="vllm")  # fmt: skip
    adapter = add_model(store, "loud", "adapter", base_id=base.id, parent_id=base.id, path=str(folder),
                        adapter_sha256=inspect_adapter(folder).sha256)  # fmt: skip
    yield Both(store, base, endpoint, adapter, {"FAR_KEY": connection.headers["Authorization"].removeprefix("Bearer ")})
    store.close()
    process.terminate()
    assert process.wait(20) == 0


class TestOurEngine(BackendContract):
    @pytest.fixture
    def asked(self, both: Both) -> Asked:
        return Asked(both.store, Engine(both.store.home), both.base)


class TestVllmsProtocol(BackendContract):
    @pytest.fixture
    def asked(self, both: Both) -> Asked:
        return Asked(both.store, Engine(both.store.home, environ=both.environ), both.endpoint)


@pytest.fixture
def served(both: Both) -> Iterator[Both]:
    """The endpoint answers for what stands on our base."""
    with both.store.write():
        both.store.execute("update models set serves = ? where id = ?", [both.base.id, both.endpoint.id])
    yield both
    with both.store.write():
        both.store.execute("update models set serves = null")


def test_an_adapter_is_loaded_where_its_base_is_served_and_answers_from_there(served: Both) -> None:
    engine = Engine(served.store.home, environ=served.environ)
    ours = engine.local.stream(served.adapter, served.store, QUESTION, GREEDY)
    expected = next(delta.answer.text for delta in ours if delta.answer)
    before = totals(served.store).get(served.endpoint.id)

    answer = engine.complete(served.adapter, served.store, QUESTION, GREEDY)

    name = f"loud-{(served.adapter.adapter_sha256 or '')[:12]}"
    assert answer.text == expected
    assert answer.text != engine.complete(served.base, served.store, QUESTION, GREEDY).text
    assert name in engine.backend(served.store, served.adapter).models()
    assert {key: answer.stamp[key] for key in ("adapter", "adapter_sha256")} == {
        "adapter": name, "adapter_sha256": served.adapter.adapter_sha256,
    }  # fmt: skip
    after = totals(served.store)[served.endpoint.id]
    assert after.requests == (before.requests if before else 0) + 2


def test_a_base_answers_from_where_it_is_served(served: Both) -> None:
    engine = Engine(served.store.home, environ=served.environ)

    assert engine.ensure(served.store, served.base) is None
    assert engine.complete(served.base, served.store, QUESTION, GREEDY).stamp["base"] == "starter"


def test_an_adapter_is_loaded_and_forgotten_by_vllms_calls(both: Both) -> None:
    backend = Engine(both.store.home, environ=both.environ).backend(both.store, both.endpoint)
    path = str(both.adapter.path)

    backend.load_adapter("passing", path, "starter")
    backend.load_adapter("passing", path, "starter")
    there = "passing" in backend.models()
    backend.unload_adapter("passing")

    assert (there, "passing" in backend.models()) == (True, False)


def test_files_that_changed_since_they_were_added_are_not_served(
    served: Both, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(str(served.adapter.path), folder)
    changed = add_model(served.store, "changed", "adapter", base_id=served.base.id, path=str(folder),
                        adapter_sha256="0" * 64)  # fmt: skip

    with pytest.raises(Conflict, match="no longer those that were added"):
        Engine(served.store.home, environ=served.environ).complete(changed, served.store, QUESTION, GREEDY)
