"""Rewards that need no model: rules of `storage.specs.rewards`, and a user's function from the allowed folder.

A bound falls off softly (40 words asked for: 1 up to 40, 0 from 80 on), so that there is something to climb before the
bound is met. Patterns are a stranger's program: each search has a deadline.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import regex

from storage.errors import BadInput
from storage.specs.rewards import WITH_REFERENCE, Rule
from trainers.data import Messages
from trainers.failures import RunFailed

NO_PROGRAMS: Mapping[str, str] = MappingProxyType({})

_SEARCH_SECONDS = 1.0
_PHRASE = 3  # words; a phrase of so many that comes again is repetition
_LINE = re.compile(r"\s*(?:[-*•]|\d+[.)])\s+\S")


class Judged(NamedTuple):
    """What a rule looks at. `reference`: the answer that is known to be right, if any."""

    prompt: Messages
    answer: str
    reference: str | None


Reward = Callable[[Judged], float | None]


def reward_of(rule: Rule, programs: Mapping[str, str] = NO_PROGRAMS) -> Reward:
    """What a rule does with an answer; `programs`: users' files by name. None: it does not apply."""
    if rule.name == "code":
        return _function(rule.argument, programs)
    if rule.name in ("regex", "not-regex"):
        return lambda judged: float(_found(rule.argument, judged.answer) == (rule.name == "regex"))
    if rule.name == "tags":
        return lambda judged: _tags(judged.answer, rule.argument.split("+"))
    if rule.side:
        measure = _PLAIN_MEASURES[rule.name]
        return lambda judged: _within(measure(judged.answer), rule.side, rule.bound)
    return _PLAIN_RULES[rule.name]


def check_references(rules: Sequence[Rule], references: Sequence[str | None]) -> None:
    """Raise BadInput where a rule needs to know the right answers and no row has one."""
    blind = [rule.name for rule in rules if rule.name in WITH_REFERENCE]
    if blind and not any(references):
        raise BadInput(
            f'The rule "{blind[0]}" compares with the answer that is known to be right, and no row holds one; choose a '
            "dataset whose rows have answers, or another rule."
        )


def _within(value: int, side: str, bound: int) -> float:
    """1 within the bound, falling to 0 at twice the bound, or at nothing where it is a lower one."""
    if side == "<":
        return max(0.0, min(1.0, 2.0 - value / bound))
    return min(1.0, value / bound)


def _found(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=_SEARCH_SECONDS) is not None
    except TimeoutError:
        raise RunFailed(
            "slow-pattern",
            f'The pattern "{pattern[:80]}" took more than {_SEARCH_SECONDS:g} s for one answer.',
            "Write it without nested repetitions and start the job again.",
        ) from None


def _exact(judged: Judged) -> float | None:
    return None if judged.reference is None else float(_plain(judged.answer) == _plain(judged.reference))


def _contains(judged: Judged) -> float | None:
    return None if judged.reference is None else float(_plain(judged.reference) in _plain(judged.answer))


def _plain(text: str) -> str:
    """A text without case, outer punctuation and differences of spaces."""
    return " ".join(text.casefold().split()).strip(" .!?\"'")


def _json(judged: Judged) -> float:
    try:
        json.loads(judged.answer)
    except ValueError:
        return 0.0
    return 1.0


def _list(judged: Judged) -> float:
    lines = [line for line in judged.answer.splitlines() if line.strip()]
    return sum(bool(_LINE.match(line)) for line in lines) / len(lines) if lines else 0.0


def _sentence(judged: Judged) -> float:
    text = judged.answer.strip()
    return float(bool(text) and not text[0].islower() and text[-1] in ".!?…。！？")


def _tags(answer: str, tags: Sequence[str]) -> float:
    """1 where the answer is these blocks in this order and nothing else."""
    blocks = r"\s*".join(rf"<{tag}>(?:(?!</?{tag}>).)*</{tag}>" for tag in tags)
    return float(_found(rf"(?s)\A\s*{blocks}\s*\Z", answer))


def _said_once(judged: Judged) -> float:
    """1 less the share of three-word phrases that came before; an empty answer says nothing and gets nothing."""
    words = judged.answer.casefold().split()
    if not words:
        return 0.0
    phrases = [tuple(words[at : at + _PHRASE]) for at in range(len(words) - _PHRASE + 1)]
    return len(set(phrases)) / len(phrases) if phrases else 1.0


_PLAIN_RULES: dict[str, Reward] = {
    "exact": _exact,
    "contains": _contains,
    "json": _json,
    "list": _list,
    "sentence": _sentence,
    "repetition": _said_once,
}
_PLAIN_MEASURES: dict[str, Callable[[str], int]] = {"words": lambda text: len(text.split()), "characters": len}


def _function(name: str, programs: Mapping[str, str]) -> Reward:
    """The function `reward(prompt, answer, reference)` of a user's file, whose text the run's spec holds."""
    if name not in programs:
        raise RunFailed(
            "reward-function",
            f"The run does not hold the reward function {name}: a project of others is unpacked without its programs.",
            "Read the function, put it into the folder that RATCHET_REWARDS names, and start a new training.",
        )
    module: dict[str, Any] = {"__name__": f"reward_{name.removesuffix('.py')}"}
    try:
        # An administrator allows the folder that the file came from; nothing else ever gets into a spec.
        exec(compile(programs[name], name, "exec"), module)
        function = module["reward"]
    except Exception as error:  # a user's program may raise anything
        raise _broken(name, error) from error

    def rewarded(judged: Judged) -> float | None:
        try:
            value: Any = function(judged.prompt, judged.answer, judged.reference)
            number = None if value is None else float(value)
        except Exception as error:  # likewise
            raise _broken(name, error) from error
        if number is not None and not math.isfinite(number):
            raise _broken(name, f"it returned {number}")
        return number

    return rewarded


def _broken(name: str, what: object) -> RunFailed:
    kind = f"{type(what).__name__}: " if isinstance(what, Exception) else ""
    return RunFailed(
        "reward-function",
        f"The reward function in {name} failed: {kind}{what}"[:400],
        "It needs a function reward(prompt, answer, reference) that returns a number; mend it and start the job again.",
    )
