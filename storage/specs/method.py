"""A training method as everyone knows it: its name, what it learns from, its options, its script, what is advised.

One file of this folder describes one method; `registry.py` collects them. The form, the command line, the validation
and the docs come from here, so a new method is one file here and one script in `trainers/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple


class Aim(NamedTuple):
    """How long a run should be: optimiser steps, and the epochs that these may become."""

    fewest_steps: int
    fewest_epochs: float
    most_epochs: float
    most_steps: int | None = None


_USUAL = Aim(60, 3.0, 20.0)


@dataclass(frozen=True)
class Method:
    """A way to train.

    `rows`: the kinds of datasets that it learns from, the usual one first. `votes`: whether it can learn from the votes
    of a study. `shape`: name of the shape of `data.parquet` (`studio.training.shaping`). `makes`: "answers" (an adapter
    or a model that people compare), "scores" (a reward model) or "labels" (a classifier). `compares`: it holds the
    policy against a reference. `module`: run as `python -m trainers.<module> RUN`. `advised`: by size of the model
    ("tiny", "small", "large"), the options that differ from the defaults; `aims`: likewise how long to train.
    `hears`: by loss ("" where there is but one), what it can use of "margins", "weights" and "ties" of votes;
    where nothing is said, everything.
    """

    name: str
    title: str
    summary: str
    paper: str
    rows: tuple[str, ...]
    shape: str
    options: type
    module: str
    votes: bool = False
    makes: str = "answers"
    compares: bool = False
    advised: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    aims: Mapping[str, Aim] = field(default_factory=lambda: MappingProxyType({}))
    hears: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    longest: Aim = _USUAL
    """The aim for sizes that `aims` does not name."""

    @property
    def by_preferences(self) -> bool:
        """Whether its usual rows are preferences."""
        return self.rows[0] == "preference"

    def aim(self, size: str) -> Aim:
        """How long a run on a model of that size should be."""
        return self.aims.get(size, self.longest)
