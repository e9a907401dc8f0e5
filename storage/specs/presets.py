"""Presets: options for a purpose, fitted to model, rows and machine, each with the reason that a person is told.

"balanced" is what `storage.specs.advice` advises; the others change it. Only options that the method has are touched.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from storage.errors import BadInput
from storage.specs.advice import Advice
from storage.specs.method import Method
from storage.specs.options import option_fields

PRESETS = ("quick", "balanced", "careful", "low-memory")

# A quick look takes a fifth of the steps, and never more than these: it shows that rows and template are right.
_QUICK_SHARE, _QUICK_STEPS = 0.2, 60
_WELL_FILLED = 50  # rows from which some can be held out, and a run can end where they say so
_SHORT, _SMALL_BATCH, _SMALL_RANK = 512, 2, 8
_BYTES = 4  # of a weight in float32; two in bfloat16, which only makes it fit better


class Hardware(NamedTuple):
    """What a run can have: memory in GB, whether there is an accelerator, and whether it loads 4-bit weights."""

    memory_gb: float
    accelerator: bool = False
    four_bit: bool = False


class Preset(NamedTuple):
    """Options that differ from the method's defaults, and one sentence that says why."""

    name: str
    title: str
    why: str
    options: dict[str, Any]


class Case(NamedTuple):
    """What a preset is fitted to. `known`: the method's options by name with their defaults; `steps` of the advice."""

    method: Method
    advice: Advice
    known: dict[str, Any]
    rows: int
    steps: int
    parameters: int | None
    hardware: Hardware

    def value(self, name: str) -> Any:
        """What is advised for an option."""
        return self.advice.options.get(name, self.known.get(name))


def presets(
    method: Method, advice: Advice, rows: int, parameters: int | None, hardware: Hardware
) -> tuple[Preset, ...]:
    """All presets of a method for a model of so many weights and so many rows, in the order of the form."""
    known = {item.name: item.default for item in option_fields(method.options)}
    batch = advice.options.get("batch_size", known.get("batch_size", 1))
    epochs = advice.options.get("epochs", known.get("epochs", 1.0))
    steps = max(1, math.ceil(math.ceil(rows / batch) * epochs))
    case = Case(method, advice, known, rows, steps, parameters, hardware)
    return tuple(_MADE[name](case) for name in PRESETS)


def preset_named(name: str | None, made: tuple[Preset, ...]) -> Preset:
    """The preset of that name, balanced where none is named; raises BadInput with the names there are."""
    for preset in made:
        if preset.name == (name or "balanced"):
            return preset
    raise BadInput(f'There is no preset "{name}"; there are {", ".join(PRESETS)}.')


def _fitting(case: Case, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The advice with those changes that the method knows."""
    return {**case.advice.options, **{name: value for name, value in changes.items() if name in case.known}}


def _quick(case: Case) -> Preset:
    steps = max(1, min(_QUICK_STEPS, math.ceil(case.steps * _QUICK_SHARE)))
    return Preset(
        "quick",
        "Quick look",
        f"{steps} steps instead of {case.steps}: enough to see that rows and template are right, not to learn well.",
        _fitting(case, {"max_steps": steps, "held_out": 0.0}),
    )


def _balanced(case: Case) -> Preset:
    return Preset("balanced", "Balanced", case.advice.why, dict(case.advice.options))


def _careful(case: Case) -> Preset:
    changes: dict[str, Any] = {"learning_rate": case.value("learning_rate") / 2}
    why = "Half the step size keeps closer to the model before."
    if case.method.compares:
        why += " As many steps as balanced: more of them cost correct answers."
    else:
        changes["epochs"] = round(case.value("epochs") * 1.5, 1)
        why += f" {changes['epochs']:g} passes instead of {case.value('epochs'):g} make up for it."
    if case.rows >= _WELL_FILLED and "patience" in case.known:
        changes |= {"patience": 3, "held_out": max(0.1, case.value("held_out") or 0.0), "keep": "best"}
        why += f" Of {case.rows} rows some are held out, and the run ends where they stop getting better."
    return Preset("careful", "Careful", why, _fitting(case, changes))


def _low_memory(case: Case) -> Preset:
    batch, length = case.value("batch_size"), case.value("max_length")
    changes: dict[str, Any] = {
        "batch_size": min(batch or 1, _SMALL_BATCH), "max_length": min(length or _SHORT, _SHORT),
        "lora_r": min(case.value("lora_r") or _SMALL_RANK, _SMALL_RANK),
    }  # fmt: skip
    four_bit = case.hardware.accelerator and case.hardware.four_bit and "tuning" in case.known
    if four_bit:
        changes["tuning"] = "qlora"
    if case.method.name in ("rloo", "grpo"):
        del changes["batch_size"]  # there it counts whole groups of answers, which must stay whole
    small = [f"{changes['batch_size']} rows at once"] if "batch_size" in changes else []
    small += [f"rows cut at {changes['max_length']} tokens", *(["a base in 4 bits"] if four_bit else [])]
    return Preset("low-memory", "Low memory", f"{_machine(case)}: {', '.join(small)}.", _fitting(case, changes))


def _machine(case: Case) -> str:
    """ "For this machine (16 GB) and a base of about 2.0 GB"."""
    here = f"For this machine ({case.hardware.memory_gb:.0f} GB)"
    if case.parameters is None:
        return here
    return f"{here} and a base of about {case.parameters * _BYTES / 1024**3:.1f} GB"


_MADE: Mapping[str, Callable[[Case], Preset]] = MappingProxyType(
    {"quick": _quick, "balanced": _balanced, "careful": _careful, "low-memory": _low_memory}
)
