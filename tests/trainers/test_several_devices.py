"""A run of several processes, as on several accelerators, here on the processor: one adapter, one voice, one stop."""

from pathlib import Path

import pytest

from tests.trainers import building
from tests.trainers.executor_contract import wait_for
from trainers.checkpoints import newest_complete
from trainers.executor import LocalExecutor, Order

pytestmark = [pytest.mark.torch, pytest.mark.slow]
OPTIONS = {"max_steps": 4, "learning_rate": 1e-3, "warmup": 0.0, "batch_size": 8}


def order(folder: Path) -> Order:
    return Order(folder, "trainers.sft", "first", 1, ("cpu:0", "cpu:1"))


def test_two_processes_learn_what_one_learns_and_leave_one_adapter(tiny_base: Path, tmp_path: Path) -> None:
    rows = [{**row, "messages": building.conversations(1)[0]["messages"]} for row in building.conversations(24)]
    alone = building.make_run(tmp_path / "alone", "sft", tiny_base, rows, options=OPTIONS)
    both = building.make_run(tmp_path / "both", "sft", tiny_base, rows, options=OPTIONS, threads=1)
    assert building.run_trainer(alone) == 0, building.log_of(alone)
    executor = LocalExecutor(("cpu:0", "cpu:1"))

    executor.start(order(both))
    wait_for(lambda: executor.exit_code(order(both)) is not None, "the end")

    assert executor.exit_code(order(both)) == 0, building.log_of(both)
    assert [event["step"] for event in building.events(both, "metric") if "loss" in event] == [1, 2, 3, 4]
    assert len(building.events(both, "done")) == 1
    assert (both / "adapter" / "adapter_model.safetensors").is_file()
    losses = [[event["loss"] for event in building.events(run, "metric") if "loss" in event] for run in (alone, both)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3), "the same step, shared out, moves the weights alike"


def test_a_stop_of_the_one_that_leads_stops_both_after_saving(tiny_base: Path, tmp_path: Path) -> None:
    folder = building.make_run(tmp_path / "both", "sft", tiny_base, options={**OPTIONS, "max_steps": 5000}, threads=1)
    executor = LocalExecutor(("cpu:0", "cpu:1"))
    executor.start(order(folder))
    wait_for(lambda: len(building.events(folder, "metric")) >= 2 or not executor.running(order(folder)), "two steps")
    assert executor.running(order(folder)), building.log_of(folder)

    executor.ask_to_stop(order(folder), save=True)
    wait_for(lambda: not executor.running(order(folder)), "the end")

    assert building.events(folder, "log")[-1]["outcome"] == "stopped"
    assert newest_complete(folder / "checkpoints") is not None


def test_a_kill_leaves_none_of_them(tiny_base: Path, tmp_path: Path) -> None:
    import psutil

    folder = building.make_run(tmp_path / "both", "sft", tiny_base, options={**OPTIONS, "max_steps": 5000}, threads=1)
    executor = LocalExecutor(("cpu:0", "cpu:1"))
    executor.start(order(folder))
    wait_for(lambda: len(building.events(folder, "metric")) >= 1 or not executor.running(order(folder)), "a step")
    family = [one for one in psutil.process_iter() if str(folder) in " ".join(_words(one))]

    LocalExecutor().kill(order(folder))

    wait_for(lambda: not any(one.is_running() and one.status() != "zombie" for one in family), "all ends")
    assert len(family) >= 3, "the launcher and two processes"


def _words(process: "object") -> list[str]:
    import psutil

    try:
        return list(process.cmdline())  # type: ignore[attr-defined]
    except psutil.Error:
        return []
