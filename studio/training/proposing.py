"""What to try next, and when to give up on a trial: Optuna, over the trials that the store holds.

Nothing of Optuna's is kept: whoever goes on with a search asks a fresh study the same questions again. Its samplers are
seeded with each trial's number, so the answers are the same; a recorded trial that differs from its answer (another
version of Optuna) is added as it was recorded. The first trial is what is advised without a search.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from storage.searches import Trial
from storage.specs.search import Range

_SETTLING = 3  # trials that run to their end before any other is given up


class Proposer:
    """A study that has seen `past` trials and is asked for the next one.

    `first`: the options that are tried first; `goals`: names of what is to be made small; `budget`: trials in all.
    """

    def __init__(
        self, sampler: str, ranges: Sequence[Range], goals: Sequence[str], budget: int, seed: int,
        first: Mapping[str, Any], past: Sequence[Trial] = (),
    ) -> None:  # fmt: skip
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._goals = list(goals)
        self._sampler = sampler
        self._seed = seed
        self._budget = budget
        self._distributions = {one.name: _distribution(one) for one in ranges}
        pruner = optuna.pruners.MedianPruner(n_startup_trials=_SETTLING, n_warmup_steps=0)
        self._study = optuna.create_study(directions=["minimize"] * len(self._goals), pruner=pruner)
        start = {one.name: first[one.name] for one in ranges if _within(one, first.get(one.name))}
        if len(start) == len(ranges):
            self._study.enqueue_trial(start)
        self._asked: Any = None
        for trial in past:
            self._repeat(trial)

    def ask(self) -> dict[str, Any]:
        """The options of the next trial."""
        self._study.sampler = _sampler(self._sampler, self._seed + len(self._study.trials), self._budget)
        self._asked = self._study.ask(self._distributions)
        return {name: _plain(value) for name, value in self._asked.params.items()}

    def hopeless(self, losses: Sequence[float]) -> bool:
        """Whether the trial that was asked for last is behind the median of those before it (one goal only).

        `losses`: its held-out losses so far, in order.
        """
        if len(self._goals) > 1 or not losses:
            return False
        self._report(losses)
        return bool(self._asked.should_prune())

    def tell(self, trial: Trial) -> None:
        """What came out of the trial that was asked for last."""
        from optuna.trial import TrialState

        values = self._values(trial)
        if len(self._goals) == 1:
            self._report(trial.reported)  # what later trials are compared with
        if trial.state == "done" and values:
            self._study.tell(self._asked, values)
        elif trial.state == "pruned" and trial.reported and len(self._goals) == 1:
            self._study.tell(self._asked, state=TrialState.PRUNED)
        else:
            self._study.tell(self._asked, state=TrialState.FAIL)

    def _report(self, losses: Sequence[float]) -> None:
        known = self._study.trials[self._asked.number].intermediate_values
        for step, loss in enumerate(losses):
            if step not in known and math.isfinite(loss):
                self._asked.report(loss, step)

    def _values(self, trial: Trial) -> list[float] | None:
        found = [trial.values.get(goal, math.nan) for goal in self._goals]
        return found if all(map(math.isfinite, found)) else None

    def _repeat(self, trial: Trial) -> None:
        """Ask what was asked before this trial, and tell what came out of it, if it has ended."""
        import optuna

        options = self.ask()
        if options != trial.options:
            self._study.tell(self._asked, state=optuna.trial.TrialState.FAIL)
            self._study.enqueue_trial(trial.options)
            self.ask()
        if trial.state != "running":
            self.tell(trial)


def _sampler(name: str, seed: int, budget: int) -> Any:
    from optuna import samplers

    start = max(3, min(10, budget // 3))
    if name == "cmaes":
        return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
    if name == "nsga2":
        return samplers.NSGAIISampler(seed=seed, population_size=max(4, min(50, math.isqrt(budget * 2))))
    return samplers.TPESampler(seed=seed, n_startup_trials=start)


def _distribution(one: Range) -> Any:
    from optuna import distributions

    if one.choices:
        return distributions.CategoricalDistribution(one.choices)
    if one.whole:
        return distributions.IntDistribution(int(one.low), int(one.high), log=one.logarithmic)
    return distributions.FloatDistribution(one.low, one.high, log=one.logarithmic)


def _within(one: Range, value: Any) -> bool:
    if value is None:
        return False
    return value in one.choices if one.choices else one.low <= value <= one.high


def _plain(value: Any) -> Any:
    """A number with so many digits as the options need: a command line holds it whole."""
    return float(f"{value:.6g}") if isinstance(value, float) else value
