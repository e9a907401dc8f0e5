"""Options of a training method: typed dataclass fields that carry their own help, range and choices.

The form, `train --help`, the docs and the validation all come from these fields.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from storage.errors import BadInput

Options = TypeVar("Options")


@dataclass(frozen=True)
class Limits:
    """What a field allows and how it is explained. `basic` fields are shown first, the others folded."""

    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    basic: bool = False


@dataclass(frozen=True)
class OptionField:
    """One option as the form and the docs need it."""

    name: str
    type: type
    default: Any
    limits: Limits


def option(default: Any, help: str, **limits: Any) -> Any:
    """A dataclass field with help and limits (see `Limits`)."""
    return field(default=default, metadata={"limits": Limits(help=help, **limits)})


def option_fields(options: type) -> list[OptionField]:
    """The options of a dataclass in order."""
    return [
        OptionField(item.name, type(item.default), item.default, item.metadata["limits"])
        for item in fields(options)
        if item.default is not MISSING
    ]


def parse_options(options: type[Options], values: Mapping[str, Any]) -> Options:
    """Build an options dataclass from words or values.

    Raises BadInput for an unknown name, a word that is not of the field's type, or a value out of range.
    """
    known = {item.name: item for item in option_fields(options)}
    parsed = {}
    for name, value in values.items():
        if name not in known:
            raise BadInput(f'There is no option "{name}"; the options are {", ".join(sorted(known))}.')
        parsed[name] = _checked(known[name], _typed(known[name], value))
    return options(**parsed)


def _typed(item: OptionField, value: Any) -> Any:
    """The value in the field's type; words such as "2e-4", "yes" and "3" are understood."""
    try:
        if item.type is bool:
            return _truth(value)
        if item.type is int:
            number = float(value)
            if number != int(number):
                raise ValueError
            return int(number)
        return item.type(value)
    except (TypeError, ValueError, OverflowError) as error:
        kind = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[item.type]
        raise BadInput(f'Option "{item.name}" needs {kind}, not "{value}".') from error


def _truth(value: Any) -> bool:
    """True or false from a value or a word."""
    words = {
        "true": True,
        "yes": True,
        "1": True,
        "on": True,
        "false": False,
        "no": False,
        "0": False,
        "off": False,
    }
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in words:
        raise ValueError
    return words[word]


def _checked(item: OptionField, value: Any) -> Any:
    """The value if it is within the field's limits."""
    limits = item.limits
    if limits.choices and value not in limits.choices:
        raise BadInput(f'Option "{item.name}" is one of {", ".join(limits.choices)}, not "{value}".')
    below = limits.minimum is not None and not value >= limits.minimum
    above = limits.maximum is not None and not value <= limits.maximum
    if below or above:
        raise BadInput(f'Option "{item.name}" lies between {limits.minimum} and {limits.maximum}, not {value}.')
    return value
