"""What rewards a training: refusals before the start, and users' functions from the allowed folder.

A function is a program, so only files count that an administrator put into one folder (RATCHET_REWARDS), and a request
names them without a path. Their text is frozen in `spec.json`: what a run was rewarded by can be read, and run again,
after the folder has changed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.errors import BadInput, NotFound, Refused
from storage.specs.method import Method
from storage.specs.rewards import parse_rules
from studio.settings import Settings
from studio.training.request import Request

_LARGEST_FILE = 100_000  # bytes


def refuse_unrewarded(method: Method | None, options: Mapping[str, Any] | None, request: Request) -> None:
    """Raise BadInput where a method learns from rewards and nothing gives any."""
    if method is None or options is None or "rules" not in options:
        return
    if not parse_rules(str(options["rules"])) and not request.rewards:
        raise BadInput(
            f"{method.title} needs something that rewards answers: a reward model (--reward NAME), rules "
            '(--set "rules=words<40"), or both.'
        )


def functions_in(settings: Settings) -> list[str]:
    """Names of the files in the allowed folder, for the form."""
    if settings.rewards is None or not settings.rewards.is_dir():
        return []
    return sorted(path.name for path in settings.rewards.glob("*.py") if path.is_file())


def programs_of(settings: Settings, options: Mapping[str, Any]) -> dict[str, str]:
    """The text of each file that the rules name.

    Raises Refused where no folder is allowed or a file leads out of it, NotFound with the names that there are.
    """
    names = {rule.argument for rule in parse_rules(str(options.get("rules") or "")) if rule.name == "code"}
    return {name: _read(_allowed(settings, name)) for name in sorted(names)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(f'"{path.name}" is no text in UTF-8, so it is no Python program.') from None


def _allowed(settings: Settings, name: str) -> Path:
    """The file of that name in the allowed folder, by its real path."""
    if settings.rewards is None:
        raise Refused(
            f'The rule "code:{name}" runs a program, and no folder is allowed for those; the administrator names one '
            "with RATCHET_REWARDS."
        )
    path = (settings.rewards / name).resolve()
    if path.parent != settings.rewards.resolve():
        raise Refused(
            f'"{name}" leads out of the folder that is allowed for reward functions; put the file itself there.'
        )
    if not path.is_file():
        there = ", ".join(functions_in(settings)) or "none yet"
        raise NotFound(f'There is no file "{name}" in the folder for reward functions; there are: {there}.')
    if path.stat().st_size > _LARGEST_FILE:
        raise Refused(f'"{name}" is larger than 100 kB; a reward function needs less.')
    return path
