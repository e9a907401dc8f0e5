"""The ladder of a stop: each rung is tried in order, once, and it ends even where nothing helps."""

from pathlib import Path

from storage.processes import Process
from trainers.executor import Order
from trainers.ladder import Ladder, Patience

ORDER = Order(Path("nowhere"), "trainers.sft", "first")
AT_ONCE = Patience(save=-1, saving=-1, stop=-1, kill=-1)


class Undying:
    """An executor of a run that nothing ends; it notes what was tried."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    def slots(self) -> tuple[str, ...]:
        return ("cpu",)

    def start(self, order: Order) -> None:
        self.tried.append("start")

    def find(self, order: Order) -> Process | None:
        return None

    def running(self, order: Order) -> bool:
        return True

    def exit_code(self, order: Order) -> int | None:
        return None

    def ask_to_stop(self, order: Order, save: bool) -> None:
        self.tried.append("save" if save else "stop")

    def kill(self, order: Order) -> None:
        self.tried.append("kill")

    def prepare(self) -> None:
        self.tried.append("prepare")

    def wait(self, seconds: float) -> None:
        self.tried.append("wait")


def climbed(how: str, patience: Patience, looks: int, phase: str = "training") -> tuple[list[str], list[bool]]:
    executor, ladder = Undying(), Ladder(patience)
    left = [ladder.climb(executor, ORDER, how, phase) for _ in range(looks)]
    return executor.tried, left


def test_what_nothing_ends_is_given_up_after_every_rung() -> None:
    assert climbed("save", AT_ONCE, 5) == (["save", "stop", "kill"], [True, True, True, False, False])


def test_who_does_not_want_to_save_begins_one_rung_further_down() -> None:
    assert climbed("now", AT_ONCE, 3) == (["stop", "kill"], [True, True, False])


def test_a_rung_is_left_when_its_time_is_up_and_not_before() -> None:
    assert climbed("save", AT_ONCE._replace(save=60), 5) == (["save"], [True] * 5)
    assert climbed("save", AT_ONCE._replace(saving=60), 5, "saving") == (["save"], [True] * 5)
    assert climbed("save", AT_ONCE._replace(stop=60), 5) == (["save", "stop"], [True] * 5)


def test_who_asked_to_save_may_lose_patience() -> None:
    executor, ladder = Undying(), Ladder(Patience())

    for how in ("save", "save", "now", "now"):
        ladder.climb(executor, ORDER, how, "training")

    assert executor.tried == ["save", "stop"]
