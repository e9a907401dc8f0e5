"""What a search over a method's options may be told: which options, between what limits, by which sampler, for what.

TPE: Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"; CMA-ES: Hansen and Ostermeier 2001,
doi:10.1162/106365601750190398; NSGA-II: Deb et al. 2002, doi:10.1109/4235.996017. Optuna does them.

A space is a text, as a filter and a policy are: "learning_rate=1e-4..1e-2,lora_r=8|16|32".
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from storage.errors import BadInput
from storage.specs.method import Method
from storage.specs.options import OptionField, option_fields, parse_options

SAMPLERS: Mapping[str, str] = {
    "tpe": "learns from every trial where good values lie; good from ten trials on",
    "cmaes": "evolves a cloud of points; for numbers only, good from fifty trials on",
    "nsga2": "evolves a population that trades the goals off against each other",
}
OBJECTIVES: Mapping[str, str] = {
    "held_out_loss": "loss on rows that are not trained on",
    "forgetting": "how much worse the base's own answers are predicted afterwards",
    "seconds": "how long the run takes",
}
"""Goals of a search, all to be made small; the first one named decides which trial is the best."""

FEWEST, MOST = 2, 1000
"""Trials of one search."""

_LOGARITHMIC = 10.0  # limits so far apart are searched by factors, not by steps

# With these changed, a loss means something else, and trials could not be compared.
_MEASURES = frozenset(
    {"loss_type", "loss_on", "beta", "label_smoothing", "margin_scale", "max_length", "packing", "held_out", "seed",
     "by", "temperature", "alpha"}
)  # fmt: skip


class Range(NamedTuple):
    """An option and what it may be: a number between `low` and `high`, or one of `choices`."""

    name: str
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def logarithmic(self) -> bool:
        """Whether it is searched by factors."""
        return not self.choices and self.low > 0 and self.high / self.low >= _LOGARITHMIC

    def __str__(self) -> str:
        """The range as it is written in a space."""
        if self.choices:
            return f"{self.name}={'|'.join(_word(choice) for choice in self.choices)}"
        return f"{self.name}={self.low:g}..{self.high:g}"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def usual_space(method: Method, advised: Mapping[str, Any]) -> tuple[Range, ...]:
    """What is searched unless told otherwise: step size and length around what is advised, the adapter's rank."""
    known = {item.name: item for item in option_fields(method.options)}
    values = {name: advised.get(name, item.default) for name, item in known.items()}
    rate, epochs = float(values["learning_rate"]), float(values["epochs"])
    found = [
        _limited(known["learning_rate"], rate / 8, rate * 4),
        _limited(known["epochs"], epochs / 2, epochs * 1.5),
    ]
    if "lora_r" in known:
        found.append(Range("lora_r", choices=(8, 16, 32)))
    return tuple(found)


def _limited(item: OptionField, low: float, high: float) -> Range:
    least = -math.inf if item.limits.minimum is None else item.limits.minimum
    most = math.inf if item.limits.maximum is None else item.limits.maximum
    return Range(item.name, float(f"{max(low, least):.4g}"), float(f"{min(high, most):.4g}"), item.type is int)


def parse_space(method: Method, text: str) -> tuple[Range, ...]:
    """The ranges that a text names, in order; raises BadInput for what the method's options do not allow."""
    ranges = [_parsed(method, part.strip()) for part in text.split(",") if part.strip()]
    if not ranges:
        raise BadInput("Name at least one option to search over, as in learning_rate=1e-4..1e-2.")
    names = [one.name for one in ranges]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadInput(f'Option "{twice}" stands in the space twice; name each option once.')
    return tuple(ranges)


def _parsed(method: Method, part: str) -> Range:
    name, _, wish = (word.strip() for word in part.partition("="))
    known = {item.name: item for item in option_fields(method.options)}
    if name not in known:
        raise BadInput(f'There is no option "{name}"; the options are {", ".join(sorted(known))}.')
    if name in _MEASURES:
        raise BadInput(
            f'Option "{name}" changes what is measured, so trials with different values cannot be compared; set it '
            "for all of them, and search over others."
        )
    if ".." in wish:
        return _interval(method, known[name], wish)
    choices = tuple(getattr(parse_options(method.options, {name: word}), name) for word in wish.split("|") if word)
    if len(set(choices)) < 2:
        raise BadInput(f'Option "{name}" needs two values or more, as in {name}=a|b, or limits, as in {name}=1..10.')
    return Range(name, choices=choices)


def _interval(method: Method, item: OptionField, wish: str) -> Range:
    if item.type not in (int, float):
        raise BadInput(f'Option "{item.name}" is no number; name its values, as in {item.name}=a|b.')
    ends = [getattr(parse_options(method.options, {item.name: word}), item.name) for word in wish.split("..", 1)]
    if not ends[0] < ends[1]:
        raise BadInput(f'Option "{item.name}" needs a lower limit before the higher one, not "{wish}".')
    return Range(item.name, float(ends[0]), float(ends[1]), item.type is int)


def write_space(ranges: Sequence[Range]) -> str:
    """The text that `parse_space` reads."""
    return ",".join(str(one) for one in ranges)


def checked_goals(sampler: str, goals: Sequence[str]) -> tuple[str, ...]:
    """The goals of a search, the usual ones where none are named; raises BadInput where the sampler cannot have them.

    TPE and CMA-ES make the held-out loss small, NSGA-II trades all three off.
    """
    if sampler not in SAMPLERS:
        raise BadInput(f'There is no sampler "{sampler}"; choose {", ".join(SAMPLERS)}.')
    wanted = tuple(goals) or (tuple(OBJECTIVES) if sampler == "nsga2" else ("held_out_loss",))
    for goal in wanted:
        if goal not in OBJECTIVES:
            raise BadInput(f'A search cannot aim at "{goal}"; choose {", ".join(OBJECTIVES)}.')
    if sampler == "cmaes" and len(wanted) > 1:
        raise BadInput("CMA-ES can have one goal only; choose nsga2 or tpe for several.")
    return wanted


def checked_ranges(sampler: str, ranges: Sequence[Range]) -> None:
    """Raise BadInput where the sampler cannot search these ranges."""
    if sampler != "cmaes":
        return
    words = [one.name for one in ranges if one.choices]
    if words:
        raise BadInput(f"CMA-ES searches over numbers only, not over {', '.join(words)}; give limits, or choose tpe.")
    if len(ranges) < 2:
        raise BadInput("CMA-ES needs two options or more to search over; name another one, or choose tpe.")
