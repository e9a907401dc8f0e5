"""What is tried next: seeded, the same after a crash, better than chance, and trials that fall behind are given up."""

import math
import subprocess
import sys
from collections.abc import Callable

import pytest

from storage.searches import Trial
from storage.specs.search import Range
from studio.training.proposing import Proposer

RANGES = (Range("learning_rate", 1e-5, 1e-1), Range("epochs", 1.0, 10.0))
WORDS = (*RANGES, Range("lora_r", choices=(8, 16, 32)))
FIRST = {"learning_rate": 1e-2, "epochs": 9.0, "lora_r": 16}
GOALS = ("held_out_loss",)


def _loss(options: dict[str, float]) -> float:
    """A valley with its bottom at a step size of 1e-3 and four epochs."""
    return (math.log10(options["learning_rate"]) + 3) ** 2 + (options["epochs"] - 4) ** 2 / 10


def _proposer(sampler: str, past: list[Trial], ranges: tuple[Range, ...] = RANGES, goals: tuple[str, ...] = GOALS,
              budget: int = 30) -> Proposer:  # fmt: skip
    return Proposer(sampler, ranges, goals, budget, 7, FIRST, past)


def _search(
    sampler: str, trials: int, ranges: tuple[Range, ...] = RANGES, goals: tuple[str, ...] = GOALS,
    forget: Callable[[int], bool] = lambda _number: False,
) -> list[Trial]:  # fmt: skip
    """Trials of the valley; where `forget` says so, another process goes on."""
    past: list[Trial] = []
    proposer = _proposer(sampler, past, ranges, goals)
    for number in range(1, trials + 1):
        if forget(number):
            proposer = _proposer(sampler, past, ranges, goals)
        options = proposer.ask()
        values = {"held_out_loss": _loss(options), "forgetting": options["learning_rate"], "seconds": options["epochs"]}
        trial = Trial(f"job-{number}", "s", number, options, {"values": values, "reported": []}, "done")
        proposer.tell(trial)
        past.append(trial)
    return past


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "nsga2"])
def test_the_first_trial_is_what_is_advised_and_the_others_lie_within_the_limits(sampler: str) -> None:
    ranges = RANGES if sampler == "cmaes" else WORDS
    found = _search(sampler, 8, ranges)

    assert found[0].options == {one.name: FIRST[one.name] for one in ranges}
    for trial in found:
        assert 1e-5 <= trial.options["learning_rate"] <= 1e-1
        assert 1 <= trial.options["epochs"] <= 10
        assert sampler == "cmaes" or trial.options["lora_r"] in (8, 16, 32)


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_later_trials_are_better_than_the_first_ones(sampler: str) -> None:
    losses = [trial.values["held_out_loss"] for trial in _search(sampler, 40)]

    assert sorted(losses[-15:])[7] < sorted(losses[:15])[7] / 2
    assert min(losses) < 0.1


@pytest.mark.parametrize(("sampler", "goals"), [("tpe", GOALS), ("cmaes", GOALS),
                                                ("nsga2", ("held_out_loss", "forgetting", "seconds"))])  # fmt: skip
def test_whoever_goes_on_after_a_crash_asks_for_the_same_trials(sampler: str, goals: tuple[str, ...]) -> None:
    straight = _search(sampler, 20, goals=goals)
    broken = _search(sampler, 20, goals=goals, forget=lambda number: number in (2, 9, 10, 17))

    assert [trial.options for trial in broken] == [trial.options for trial in straight]


def test_trials_that_another_version_proposed_count_as_they_were_recorded() -> None:
    past = [
        Trial(f"job-{n}", "s", n, {"learning_rate": 1e-3, "epochs": 1.0 + n}, {"values": {"held_out_loss": n}}, "done")
        for n in range(1, 6)
    ]

    study = _proposer("tpe", past)._study

    good = [(trial.params, trial.values) for trial in study.trials if trial.state.name == "COMPLETE"]
    assert good == [(trial.options, [trial.values["held_out_loss"]]) for trial in past]


def test_a_trial_behind_the_median_is_given_up_and_the_first_three_never() -> None:
    past: list[Trial] = []
    for number, losses in enumerate(([3.0, 2.0], [3.2, 2.2], [3.1, 2.1]), 1):
        proposer = _proposer("tpe", past)
        options = proposer.ask()
        assert not proposer.hopeless(losses)
        past.append(
            Trial(f"job-{number}", "s", number, options, {"values": {"held_out_loss": losses[-1]}, "reported": losses},
                  "done")
        )  # fmt: skip
    proposer = _proposer("tpe", past)
    proposer.ask()

    assert not proposer.hopeless([])
    assert not proposer.hopeless([2.9])
    assert proposer.hopeless([2.9, 2.9])


def test_a_failed_trial_teaches_nothing_and_the_search_goes_on() -> None:
    proposer = _proposer("tpe", [])
    options = proposer.ask()
    proposer.tell(Trial("job-1", "s", 1, options, {}, "failed"))

    assert proposer.ask() != options


def test_optuna_brings_no_torch_into_the_studio() -> None:
    code = (
        "import sys; from studio.training.proposing import Proposer; from storage.specs.search import Range; "
        "Proposer('tpe', (Range('a', 1.0, 2.0),), ('held_out_loss',), 9, 0, {}).ask(); print('torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"
