"""A finished adapter is in the engine before somebody asks for it, and one that does nothing is told as such."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from storage.errors import Conflict
from storage.home import Home
from storage.models import add_model
from storage.rows_training import Model
from storage.store import Store
from storage.weights import hash_files
from studio.clients.connection import Connection, find_or_start
from studio.clients.engine import Engine, SamplingParams
from studio.clients.processes import start_engine
from studio.clients.proofs import proofs
from trainers.announce import announce

pytestmark = pytest.mark.torch
_BOUND = 60  # seconds for a hang, not a measurement
HELLO = [{"role": "user", "content": "Hello"}]
GREEDY = SamplingParams(max_tokens=8, temperature=0.0, seed=3)


@pytest.fixture
def engine(home: Home) -> Any:
    """A running engine of the test's home, which has loaded nothing."""
    home.make()
    process = start_engine(home, "--dtype", "float32", "--threads", "2")
    assert process is not None
    yield find_or_start(home)
    process.kill()
    process.wait(_BOUND)


def lines(engine: Connection) -> dict[str, dict[str, Any]]:
    return {line["id"]: line for line in engine.get("/v1/models")["data"]}


def add(store: Store, name: str, folder: Path, base: Model | None = None) -> Model:
    weights = hash_files(list(folder.glob("*.safetensors")))
    if base is None:
        return add_model(store, name, "base", path=str(folder), base_sha256=weights)
    return add_model(
        store, name, "adapter", base_id=base.id, parent_id=base.id, path=str(folder), adapter_sha256=weights,
        base_sha256=base.base_sha256,
    )  # fmt: skip


def test_an_adapter_is_loaded_with_its_base_and_its_proof_is_told(
    engine: Connection, store: Store, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    shutil.copytree(tiny_models["a"], folder)
    base = add(store, "base", tiny_models["base"])
    made, twice = add(store, "made", folder, base), add(store, "twice", tiny_models["a"], base)

    first = announce(store.home, made, base, "base")
    second = announce(store.home, twice, base, "made")

    warning = 'The adapter "twice" changes nothing: on a probe prompt its logits are those of "made" (float32).'
    assert (first.sentence, first.warning) == ("The engine has loaded made.", None)
    assert (second.sentence, second.warning) == ("The engine has loaded twice.", warning)
    listed, found = lines(engine), proofs(store.home)
    assert list(listed) == ["base", "made", "twice"]
    assert "acts" not in listed["base"]
    assert found["made"] == {"acts": listed["made"]["acts"]}
    assert (found["made"]["acts"]["parent"], found["made"]["acts"]["max_difference"] > 0.01) == ("base", True)
    assert (found["twice"]["acts"]["max_difference"], found["twice"]["warning"]) == (0.0, warning)

    asking = Engine(store.home, start=False)
    before = asking.complete(made, store, HELLO, GREEDY)
    for name in ("adapter_model.safetensors", "adapter_config.json"):  # the files are exchanged under the engine
        shutil.copyfile(tiny_models["b"] / name, folder / name)
    exchanged = engine.post("/v1/chat/completions", {"model": "made", "messages": HELLO, **GREEDY.body()})

    assert (before.stamp["base_sha256"], before.stamp["adapter_sha256"]) == (base.base_sha256, made.adapter_sha256)
    assert exchanged["choices"][0]["message"]["content"] == before.text
    assert exchanged["ratchet"]["stamp"] == before.stamp
    engine.post("/v1/unload_lora_adapter", {"lora_name": "made"})
    with pytest.raises(Conflict, match="no longer those that were added"):
        asking.complete(made, store, HELLO, GREEDY)


def test_without_an_engine_nothing_is_asked(home: Home, store: Store, tiny_models: dict[str, Path]) -> None:
    base = add(store, "base", tiny_models["base"])
    made = add(store, "made", tiny_models["a"], base)

    assert announce(store.home, made, base).sentence == "No engine is running; it will load made when it is asked for."
    assert proofs(store.home) == {}
