import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainers import building
from tests.trainers.engine import tiny


@pytest.fixture(autouse=True, scope="session")
def _calm_processes() -> Iterator[None]:
    """Threads of this process and its children sleep while they wait: tests share the machine with each other."""
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    yield


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random base with its tokenizer."""
    return tiny.save_base(tmp_path_factory.mktemp("bases") / "tiny")


@pytest.fixture(scope="session")
def sft_run(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """A finished SFT run on the tiny base."""
    folder = building.make_run(tmp_path_factory.mktemp("runs") / "sft-run", "sft", tiny_base)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder
