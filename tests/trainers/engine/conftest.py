from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.engine import tiny


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A base, two adapters on it, a DoRA adapter on it, and a base of another size with its adapter."""
    root = tmp_path_factory.mktemp("tiny")
    base = tiny.save_base(root / "base")
    other = tiny.save_base(root / "other", seed=5, hidden=64)
    return {
        "base": base,
        "a": tiny.save_adapter(root / "a", base, seed=1),
        "b": tiny.save_adapter(root / "b", base, seed=2, targets=["q_proj", "v_proj"]),
        "dora": tiny.save_adapter(root / "dora", base, seed=3, use_dora=True),
        "other": other,
        "other-a": tiny.save_adapter(root / "other-a", other, seed=4),
    }


@pytest.fixture
def make_bases(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Engines in this process, in float32 (unless said otherwise) with two threads; ended after the test."""
    from trainers.engine.bases import Bases
    from trainers.engine.device import choose_device
    from trainers.engine.hashes import Hashes

    made = []

    def make(dtype: str = "float32", **options: Any) -> Any:
        device = choose_device(tmp_path / "tuning.json", dtype, 2)
        made.append(Bases(device, Hashes(tmp_path / "hashes.json"), **options))
        return made[-1]

    yield make
    for bases in made:
        bases.stop()
