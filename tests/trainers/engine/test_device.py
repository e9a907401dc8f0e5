"""What the engine computes on, and the reason that people are shown."""

from pathlib import Path

import pytest

from storage.errors import BadInput
from storage.home import read_json

pytestmark = pytest.mark.torch


def test_what_is_asked_for_wins_and_is_said(tmp_path: Path) -> None:
    from trainers.engine.device import choose_device

    device = choose_device(tmp_path / "tuning.json", "float32", 1)

    assert (device.dtype_name, device.threads) == ("float32", 1)
    assert device.reason.endswith("float32 as asked")
    assert not (tmp_path / "tuning.json").exists()


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    from trainers.engine.device import choose_device

    with pytest.raises(BadInput, match="'int3' is not known; choose one of auto, bfloat16"):
        choose_device(tmp_path / "tuning.json", "int3")


def test_on_a_cpu_the_format_is_measured_once_and_remembered(tmp_path: Path) -> None:
    import torch

    from trainers.engine.device import choose_device

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine computes elsewhere than on its CPU")
    first = choose_device(tmp_path / "tuning.json", threads=2)
    kept = read_json(tmp_path / "tuning.json")
    again = choose_device(tmp_path / "tuning.json", threads=2)

    assert kept is not None and len(kept) == 1
    timing = next(iter(kept.values()))
    assert first.dtype_name == min(timing, key=timing.get)
    assert again == first
    assert read_json(tmp_path / "tuning.json") == kept


def test_a_small_base_is_exact_on_a_cpu_and_a_larger_one_fast(tmp_path: Path) -> None:
    import torch

    from trainers.engine.device import Device

    chosen = Device(torch.device("cpu"), torch.bfloat16, 2, "")

    assert [chosen.dtype_of(weights) for weights in (4_000_000, 90_000_000)] == [torch.float32, torch.bfloat16]
    assert chosen._replace(fixed=True).dtype_of(4_000_000) == torch.bfloat16
    assert chosen._replace(device=torch.device("cuda")).dtype_of(4_000_000) == torch.bfloat16
