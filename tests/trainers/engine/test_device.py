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


def test_on_a_cpu_format_and_threads_are_measured_and_what_is_remembered_holds(tmp_path: Path) -> None:
    import torch

    from trainers.engine.device import Measured, Timing, choose, choose_device, default_threads, thread_counts

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine computes elsewhere than on its CPU")
    first = choose_device(tmp_path / "tuning.json")
    kept = read_json(tmp_path / "tuning.json")
    if kept is None:  # others compute beside this test
        assert "the machine was busy: the next start measures again" in first.reason
        assert first.threads == default_threads()
        return

    (remembered,) = kept.values()
    timings = [Timing(*timing) for timing in remembered]
    measured = [(dtype, count) for dtype in ("bfloat16", "float32") for count in thread_counts()]
    assert [(one.dtype, one.threads) for one in timings] == measured
    assert (first.dtype_name, first.threads) == choose(Measured(timings, True), 1)[:2]
    assert torch.get_num_threads() == first.threads
    assert choose_device(tmp_path / "tuning.json") == first
    assert read_json(tmp_path / "tuning.json") == kept


def test_threads_are_measured_for_a_format_that_was_asked_for(tmp_path: Path) -> None:
    from trainers.engine.device import choose_device, default_threads, thread_counts

    device = choose_device(tmp_path / "tuning.json", "float32")

    assert (device.dtype_name, device.fixed) == ("float32", True)
    assert device.threads in (*thread_counts(), default_threads())


def test_fewer_threads_are_taken_where_more_gain_next_to_nothing() -> None:
    from trainers.engine.device import Measured, Timing, choose

    slow = [Timing("float32", 1, 9.0), Timing("float32", 2, 8.0)]
    equal = [Timing("bfloat16", 1, 4.3), Timing("bfloat16", 2, 4.0), Timing("bfloat16", 4, 4.1)]
    scaling = [Timing("bfloat16", 1, 7.0), Timing("bfloat16", 2, 4.0), Timing("bfloat16", 4, 3.9)]

    assert choose(Measured([*equal, *slow], True), 4) == Timing("bfloat16", 1, 4.3)
    assert choose(Measured([*scaling, *slow], True), 4) == Timing("bfloat16", 2, 4.0)
    assert choose(Measured([Timing("bfloat16", 1, 9.0), *slow], True), 1) == Timing("float32", 2, 8.0)


def test_what_was_measured_beside_others_says_nothing_about_threads() -> None:
    from trainers.engine.device import Measured, Timing, choose, told

    busy = Measured([Timing("bfloat16", 1, 5.0), Timing("bfloat16", 2, 12.0), Timing("float32", 2, 20.0)], False)

    assert choose(busy, 2) == Timing("bfloat16", 2, 12.0)
    assert told(busy, choose(busy, 2)).endswith("(the machine was busy: the next start measures again)")


def test_what_was_measured_is_told() -> None:
    from trainers.engine.device import Measured, Timing, told

    one, other = Timing("bfloat16", 1, 4.34), Timing("float32", 2, 8.0)
    words = "a step took 4.3 ms in bfloat16 with 1 thread, 8.0 ms in float32 with 2 threads"

    assert told(Measured([one, other], True), one) == words
    assert told(Measured([], True), one) == ""


def test_a_container_uses_no_more_cores_than_its_share(tmp_path: Path) -> None:
    from trainers.engine.device import usable_cores

    alone = usable_cores(tmp_path / "absent")
    shares = {"150000 100000": min(alone, 2), "50000 100000": 1, "max 100000": alone, "nonsense": alone}

    found = {}
    for share in shares:
        (tmp_path / "cpu.max").write_text(share)
        found[share] = usable_cores(tmp_path)
    assert found == shares


def test_a_small_base_is_exact_on_a_cpu_and_a_larger_one_fast(tmp_path: Path) -> None:
    import torch

    from trainers.engine.device import Device

    chosen = Device(torch.device("cpu"), torch.bfloat16, 2, "")

    assert [chosen.dtype_of(weights) for weights in (4_000_000, 90_000_000)] == [torch.float32, torch.bfloat16]
    assert chosen._replace(fixed=True).dtype_of(4_000_000) == torch.bfloat16
    assert chosen._replace(device=torch.device("cuda")).dtype_of(4_000_000) == torch.bfloat16
