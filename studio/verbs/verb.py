"""What a verb is: a name, its flags, and a function that turns flags into an outcome."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from studio.studio import Studio


class Outcome(NamedTuple):
    """What a verb found: the JSON object, the same for people, and the exit code."""

    data: dict[str, Any]
    text: str
    code: int = 0


@dataclass(frozen=True)
class Verb:
    """One verb. `flags` adds its arguments to a parser; `run` does the work."""

    name: str
    help: str
    flags: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Studio, argparse.Namespace], Outcome]


def no_flags(parser: argparse.ArgumentParser) -> None:
    """For verbs that need none."""


def key_value(word: str) -> tuple[str, str]:
    """`key=value` from a flag; argparse reports anything else as wrong use."""
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f'"{word}" is not of the form key=value')
    return key, value


def count(word: str) -> int:
    """A number of things from a flag; argparse reports anything else as wrong use."""
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f'"{word}" is no count; write a number from 0 on')
    return int(word)


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """Rows as aligned text under a heading; long cells are cut, control signs taken out."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max([len(column), *(len(line[n]) for line in cells)]) for n, column in enumerate(columns)]
    lines = [columns, *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(value: Any) -> str:
    """One value as a short line; model text must not be able to steer the terminal."""
    if value is None:
        return "-"
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return visible(text.replace("\n", " "))[:60]


def visible(text: str) -> str:
    """Text without control signs other than line ends, which could steer a terminal."""
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
