"""Which layers an adapter's configuration names: PEFT reads most of them as regular expressions, without a deadline.

So names are kept that are plain; a pattern is matched here, within its time, and written as the names that it means.
"""

import re
import time
from collections.abc import Collection, Mapping
from typing import Any

from storage.errors import BadInput
from studio.patterns import check_pattern, short

_PLAIN = re.compile(r"[\w.-]+")
_ANCHORED = re.compile(r"\^?[\w.-]+")
_PATTERNS = ("target_modules", "exclude_modules")
_NAMES = ("layers_pattern", "modules_to_save", "target_parameters")
_BY_NAME = ("rank_pattern", "alpha_pattern")
_LONGEST_PATTERN = 1000
_MATCH_SECONDS = 2.0  # for all names of a base together


def check_modules(config: Mapping[str, Any]) -> None:
    """Raise BadInput for a configuration whose names are not plain, or that has PEFT import something else."""
    for option in (*_PATTERNS, *_NAMES):
        said = config.get(option)
        if isinstance(said, str) and option in _PATTERNS:
            _check_text(option, said)
        elif said is not None:
            _check_names(option, [said] if isinstance(said, str) else said, _PLAIN)
    for option in _BY_NAME:
        said = config.get(option)
        if said is not None:
            _check_names(option, list(said) if isinstance(said, dict) else said, _ANCHORED)
    if isinstance(config.get("trainable_token_indices"), dict):
        _check_names("trainable_token_indices", list(config["trainable_token_indices"]), _PLAIN)
    if config.get("megatron_config"):
        raise BadInput("The adapter is one for Megatron (megatron_config), which is not known here.")


def settled(config: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The configuration with names instead of patterns; `names`: of the modules that there are.

    Raises BadInput for a pattern that takes too long or means no layer.
    """
    made = dict(config)
    for option in _PATTERNS:
        said = config.get(option)
        if isinstance(said, str) and not _whole(option, said):
            made[option] = _meant(option, said, names)
    if made.get("target_modules") == []:
        raise BadInput(f'The adapter\'s target_modules "{short(str(config["target_modules"]))}" mean no layer.')
    return made


def _whole(option: str, said: str) -> bool:
    """Whether a text is no pattern but PEFT's word for every linear layer."""
    return option == "target_modules" and said == "all-linear"


def _check_text(option: str, said: str) -> None:
    if len(said) > _LONGEST_PATTERN:
        raise BadInput(f"The adapter's {option} has at most {_LONGEST_PATTERN:,} characters, not {len(said):,}.")
    check_pattern(said)


def _check_names(option: str, said: object, form: re.Pattern[str]) -> None:
    """Raise BadInput for anything but a list of names."""
    found = said if isinstance(said, list) else [said]
    for name in found:
        if not isinstance(name, str) or not form.fullmatch(name):
            raise BadInput(
                f'The adapter\'s {option} holds "{short(str(name))}", which is no plain name of a layer; write the '
                "names out in its adapter_config.json."
            )


def _meant(option: str, pattern: str, names: Collection[str]) -> list[str]:
    """The names that a pattern matches whole, as PEFT reads it."""
    import regex

    left = _MATCH_SECONDS
    found = []
    for name in sorted(names):
        began = time.monotonic()
        try:
            if left > 0 and regex.fullmatch(pattern, name, timeout=left):
                found.append(name)
        except TimeoutError:
            left = 0.0
        left -= time.monotonic() - began
        if left <= 0:
            raise BadInput(
                f'The adapter\'s {option} "{short(pattern)}" takes too long to be matched; write the names of the '
                "layers out in its adapter_config.json."
            )
    return found
