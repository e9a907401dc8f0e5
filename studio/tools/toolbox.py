"""Every verb of the command line as a tool: its schema from the flags, its call through the same parser.

So a tool takes what the verb takes, refuses what it refuses, and answers its JSON. A verb with actions of its own
(`votes export`) is one tool for each. Left out are verbs that hold the terminal, read secrets from it, or make them.
"""

import argparse
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from storage.errors import BadInput, NotFound, RatchetError
from studio.bugs import report_bug
from studio.studio import Studio
from studio.verbs.verb import Outcome

Json = dict[str, Any]
_NEVER = frozenset({"serve", "mcp", "people", "keys", "endpoint-key", "bench"})
_NOT_OFFERED = frozenset({"help", "home", "json", "key"})  # `--key` reads standard input
_READING = frozenset(
    ["agreement", "datasets", "disk", "doctor", "job", "jobs", "leaderboard", "logs", "models", "preflight", "queue",
     "rounds", "show", "studies", "touched", "usage"]
)  # fmt: skip
_DELETING = frozenset({"clean", "delete-model"})
_NUMBERS: Mapping[Any, str] = {int: "integer", float: "number"}


class Said(NamedTuple):
    """What a tool answers: data, the same as text (or the sentence of an error), and whether it went wrong."""

    data: Json
    text: str
    failed: bool = False


@dataclass(frozen=True)
class Tool:
    """A verb, or one action of it. `words`: how the command line begins; `actions`: its flags and arguments."""

    name: str
    help: str
    words: tuple[str, ...]
    actions: tuple[argparse.Action, ...]

    def to_json(self) -> Json:
        """The tool as MCP lists it."""
        verb = self.words[0]
        needed = [one.dest for one in self.actions if _needed(one)]
        return {
            "name": self.name,
            "description": f"{self.help[:1].upper()}{self.help[1:]}. The same as `ratchet {' '.join(self.words)}`.",
            "inputSchema": {
                "type": "object",
                "properties": {one.dest: _schema(one) for one in self.actions},
                "additionalProperties": False,
                **({"required": needed} if needed else {}),
            },
            "annotations": {"readOnlyHint": verb in _READING, "destructiveHint": verb in _DELETING},
        }

    def command(self, arguments: Mapping[str, Any]) -> list[str]:
        """The words of the command line; raises BadInput for what the tool does not take."""
        unknown = arguments.keys() - {one.dest for one in self.actions}
        if unknown:
            raise BadInput(f'"{self.name}" takes no {", ".join(sorted(unknown))}.')
        flags: list[str] = []
        places: list[str] = []
        for one in self.actions:
            value = arguments.get(one.dest)
            if value is None:
                continue
            if one.option_strings:
                flags += _flag(one, value)
            else:
                places += [_word(item) for item in (value if isinstance(value, list) else [value])]
        return [*self.words, *flags, *(["--", *places] if places else [])]


class Toolbox:
    """The tools over one project. `remote`: for a program elsewhere, which names no files of this machine."""

    def __init__(self, studio: Studio, verbs: Collection[str] | None = None, remote: bool = False) -> None:
        self.studio = studio
        self._parser, found = _catalogue(remote)
        self._tools = {tool.name: tool for tool in found if verbs is None or tool.words[0] in verbs}

    def listed(self) -> list[Json]:
        """All tools, by name."""
        return [self._tools[name].to_json() for name in sorted(self._tools)]

    def call(self, name: str, arguments: Mapping[str, Any]) -> Said:
        """Run a tool; what goes wrong is an answer, so that who asked can do better. Raises NotFound for its name."""
        tool = self._tools.get(name)
        if tool is None:
            raise NotFound(f'There is no tool "{name}" here.')
        try:
            args = self._parser.parse_args(tool.command(arguments))
            outcome: Outcome = args.run(self.studio, args)
        except RatchetError as error:
            return Said({"error": {"kind": error.kind, "sentence": str(error)}}, str(error), failed=True)
        except Exception:  # noqa: BLE001 - a bug, which report_bug logs
            sentence = report_bug(f"the tool {name}")
            return Said({"error": {"kind": "bug", "sentence": sentence}}, sentence, failed=True)
        return Said(outcome.data, json.dumps(outcome.data), outcome.code != 0)


class _Strict(argparse.ArgumentParser):
    """A parser whose complaints are errors of ours and end nothing."""

    def error(self, message: str) -> NoReturn:
        """Raise BadInput instead of leaving the process."""
        raise BadInput(f"{self.prog.removeprefix('ratchet ')}: {message}.")


@cache
def _catalogue(remote: bool) -> tuple[argparse.ArgumentParser, tuple[Tool, ...]]:
    """The parser of all verbs and the tools that it makes; neither changes."""
    from studio.cli import parser

    top = parser(_Strict)
    return top, tuple(_tools(top, remote))


def _tools(top: argparse.ArgumentParser, remote: bool) -> Iterator[Tool]:
    for name, parser, told in _inner(top):
        if name in _NEVER:
            continue
        inner = list(_inner(parser))
        for word, part, more in inner:
            yield from _tool((name, word), part, more or told, remote)
        if not inner:
            yield from _tool((name,), parser, told, remote)


def _inner(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """The parsers inside a parser, with their names and what they are for."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            yield from ((name, one, helps.get(name, "")) for name, one in action.choices.items())


def _tool(words: tuple[str, ...], parser: argparse.ArgumentParser, told: str, remote: bool) -> Iterator[Tool]:
    """The tool, unless it needs a file that somebody elsewhere cannot name."""
    offered = [one for one in parser._actions if one.dest not in _NOT_OFFERED]
    if remote:
        if any(_needed(one) and one.type is Path for one in offered):
            return
        offered = [one for one in offered if one.type is not Path and one.dest != "wait"]
    yield Tool("-".join(words), told, words, tuple(offered))


def _needed(one: argparse.Action) -> bool:
    return bool(one.required) and one.nargs not in ("?", "*")


def _schema(one: argparse.Action) -> Json:
    """What a flag takes, as JSON Schema."""
    if one.nargs == 0:
        kind: Json = {"type": "boolean"}
    else:
        kind = {"type": _NUMBERS.get(one.type, "integer" if _counts(one) else "string")}
        if one.choices is not None:
            kind["enum"] = list(one.choices)
        if _many(one):
            kind = {"type": "array", "items": kind}
    if one.help:
        kind["description"] = one.help.replace("%(default)s", str(one.default)).replace("%%", "%")
    return kind


def _counts(one: argparse.Action) -> bool:
    return getattr(one.type, "__name__", "") == "count"


def _many(one: argparse.Action) -> bool:
    return isinstance(one, argparse._AppendAction) or one.nargs in ("*", "+")


def _flag(one: argparse.Action, value: Any) -> list[str]:
    """A flag with its value; with `=`, so that a value may begin with a dash."""
    name = one.option_strings[-1]
    if one.nargs == 0:
        return [name] if value is True else []
    values = value if isinstance(value, list) else [value]
    if one.nargs in ("*", "+"):
        return [name, *(_word(item) for item in values)]
    return [f"{name}={_word(item)}" for item in values]


def _word(value: Any) -> str:
    """A value as the command line writes it; raises BadInput for what is no single word."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadInput(f"{json.dumps(value)[:80]} is neither a text nor a number.")
    return str(value)
