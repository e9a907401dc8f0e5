"""The executor of this machine keeps the contract; devices are found without torch."""

import pytest

from tests.trainers.executor_contract import ExecutorContract
from trainers.executor import Executor, LocalExecutor, local_slots
from trainers.process import _torchrun, _visible

# Runs outlive who started them, and that is what these tests are about.
pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")]


class TestLocalExecutor(ExecutorContract):
    def fresh(self) -> Executor:
        return LocalExecutor()


@pytest.mark.parametrize(
    ("visible", "slots"),
    [("0,2", ("cuda:0", "cuda:2")), ("MIG-3f", ("cuda:MIG-3f",)), ("", ("cpu",)), ("-1", ("cpu",))],
)
def test_only_visible_accelerators_are_slots(visible: str, slots: tuple[str, ...]) -> None:
    assert local_slots({"CUDA_VISIBLE_DEVICES": visible}) == slots


def test_a_run_sees_the_devices_that_it_has_got_and_several_go_by_torchrun() -> None:
    assert (_visible(["cpu"]), _torchrun(["cpu"])) == ({}, [])
    assert (_visible(["cuda:1"]), _torchrun(["cuda:1"])) == ({"CUDA_VISIBLE_DEVICES": "1"}, [])
    assert _visible(["cuda:0", "cuda:3"]) == {"CUDA_VISIBLE_DEVICES": "0,3"}
    assert _torchrun(["cuda:0", "cuda:3"]) == [
        "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m",
    ]  # fmt: skip
