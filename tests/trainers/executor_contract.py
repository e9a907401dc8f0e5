"""What every executor must do, whatever it starts processes with: a class of tests to be inherited.

An heir gives `fresh`, which makes an executor that knows nothing of what others have started, as a new worker's does.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from storage.processes import alive
from tests.trainers import building
from trainers.executor import Executor, Order
from trainers.process import FAILED, STOPPED

MODULE = "tests.trainers.patient_run"


def wait_for(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + building.TIMEOUT
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def at_work(order: Order) -> bool:
    """Whether the run of this attempt has taken its first step."""
    return bool(building.losses(order.folder))


class ExecutorContract:
    """The tests; see the docstring of the module."""

    def fresh(self) -> Executor:
        raise NotImplementedError

    @pytest.fixture
    def make(self, tmp_path: Path) -> Iterator[Callable[[str], Order]]:
        """Makes orders by name of the behaviour; what is left of them is killed at the end."""
        made: list[Order] = []

        def order(name: str) -> Order:
            folder = building.make_run(tmp_path / name, "sft", tmp_path, [{"id": "1"}], name=name, options={})
            made.append(Order(folder, MODULE, "first", 1, self.fresh().slots()[:1]))
            return made[-1]

        yield order
        for one in made:
            self.fresh().kill(one)

    def test_there_is_a_slot(self) -> None:
        assert len(self.fresh().slots()) >= 1

    def test_a_run_is_found_by_whoever_comes_later_and_its_end_is_seen(self, make: Callable[[str], Order]) -> None:
        order, executor = make("patient"), self.fresh()
        assert (executor.find(order), executor.running(order), executor.exit_code(order)) == (None, False, None)

        executor.start(order)
        wait_for(lambda: at_work(order), "the first step")

        later = self.fresh()
        process = later.find(order)
        assert process is not None and process == executor.find(order)
        assert (executor.running(order), later.running(order)) == (True, True)
        (order.folder / "finish").touch()
        wait_for(lambda: not executor.running(order), "the end")
        assert (executor.exit_code(order), later.running(order), later.find(order)) == (FAILED, False, process)

    def test_another_attempt_at_the_same_run_is_another_process(self, make: Callable[[str], Order]) -> None:
        order, executor = make("patient"), self.fresh()
        executor.start(order)
        wait_for(lambda: at_work(order), "the first step")

        assert executor.find(order._replace(attempt="second")) is None

    def test_starting_a_run_that_runs_does_no_harm(self, make: Callable[[str], Order]) -> None:
        order, executor = make("patient"), self.fresh()
        executor.start(order)
        wait_for(lambda: at_work(order), "the first step")
        process, other = executor.find(order), self.fresh()

        other.start(order)
        wait_for(lambda: other.exit_code(order) is not None, "the second one's end")

        assert (executor.find(order), executor.running(order)) == (process, True)
        assert len(building.losses(order.folder)) == 1

    @pytest.mark.parametrize("save", [True, False])
    def test_a_run_is_asked_to_stop_with_or_without_saving(self, save: bool, make: Callable[[str], Order]) -> None:
        order, executor = make("patient"), self.fresh()
        executor.start(order)
        wait_for(lambda: at_work(order), "the first step")

        self.fresh().ask_to_stop(order, save)

        wait_for(lambda: not executor.running(order), "the end")
        assert executor.exit_code(order) == STOPPED
        assert (order.folder / "saved").exists() == save
        assert building.events(order.folder, "log")[-1]["outcome"] == "stopped"

    def test_a_run_that_does_not_hear_is_killed(self, make: Callable[[str], Order]) -> None:
        order, executor = make("deaf"), self.fresh()
        executor.start(order)
        wait_for(lambda: at_work(order), "the first step")

        executor.ask_to_stop(order, save=False)
        assert executor.running(order)
        self.fresh().kill(order)

        wait_for(lambda: not executor.running(order), "the end")
        process = executor.find(order)
        assert process is not None and not alive(*process)

    def test_with_a_run_everything_dies_that_it_started(self, make: Callable[[str], Order]) -> None:
        order, executor = make("parent"), self.fresh()
        executor.start(order)
        wait_for(lambda: at_work(order), "the first step")
        child = psutil.Process(int((order.folder / "child").read_text()))

        self.fresh().kill(order)

        wait_for(lambda: not executor.running(order), "the end")
        wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "the child's end")

    def test_a_run_that_has_ended_is_asked_and_killed_without_harm(self, make: Callable[[str], Order]) -> None:
        order, executor = make("patient"), self.fresh()
        executor.ask_to_stop(order, save=True)
        executor.kill(order)
        (order.folder / "finish").touch()
        executor.start(order)
        wait_for(lambda: not executor.running(order), "the end")

        executor.ask_to_stop(order, save=True)
        executor.kill(order)

        assert executor.exit_code(order) == FAILED
