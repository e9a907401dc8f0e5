"""Rule rewards as a text: `words<40, 2*regex:^Yes, exact, code:politeness.py` is read into a list of rules.

Every rule gives an answer a number from 0 to 1 (a user's function any number), times its weight. The text is the
option `rules`; what a rule does with an answer is in `trainers/rewards.py`.
"""

import re
from typing import NamedTuple

from storage.errors import BadInput

MEASURED = ("words", "characters", "length")
"""Rules that hold a number against a bound; `length` is another word for `words`."""
PLAIN = ("exact", "contains", "json", "list", "sentence", "repetition")
PATTERNED = ("regex", "not-regex", "tags", "code")
WITH_REFERENCE = ("exact", "contains")
"""Rules that need to know the right answer."""

HELP = (
    "Rules that reward an answer, separated by commas, each with an optional weight: words<40, characters>20, "
    "regex:PATTERN, not-regex:PATTERN, exact and contains (against the row's known answer), json, list, sentence, "
    "tags:think+answer, repetition (rewards saying things once), code:FILE.py (a function in the folder that the "
    "administrator allows). Example: 2*words<40, regex:^Yes"
)

_NAMES = "|".join(sorted((*MEASURED, *PLAIN, *PATTERNED), key=len, reverse=True))
# A comma inside a pattern belongs to the pattern, unless what follows it begins a rule.
_SEPARATOR = re.compile(rf"[,;\n]\s*(?=(?:[\d.]+\s*\*\s*)?(?:{_NAMES})(?:[\s,;:<>]|$))")
_RULE = re.compile(rf"(?:(?P<weight>[\d.]+)\s*\*\s*)?(?P<name>{_NAMES})(?P<rest>.*)", re.DOTALL)
_BOUND = re.compile(r"\s*(?P<side>[<>])=?\s*(?P<bound>\d+)\s*")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.py")


class Rule(NamedTuple):
    """One rule. `argument`: a pattern, tags or a file's name; `side` and `bound`: of a measured one ("<", 40)."""

    name: str
    weight: float = 1.0
    argument: str = ""
    side: str = ""
    bound: int = 0

    @property
    def label(self) -> str:
        """What it is called in curves: letters, digits and dashes."""
        words = {"<": "under", ">": "over"}
        told = f"{self.name}-{words[self.side]}-{self.bound}" if self.side else self.name
        return f"{told}-{self.argument.removesuffix('.py')}" if self.name == "code" else told


def parse_rules(text: str) -> list[Rule]:
    """The rules of a text, in order; raises BadInput naming the first one that is not understood."""
    return [_rule(part) for part in _SEPARATOR.split(text.strip()) if part.strip()]


def _rule(text: str) -> Rule:
    found = _RULE.fullmatch(text.strip())
    if not found:
        raise _unknown(text)
    if found["name"] in (*MEASURED, *PLAIN) and "," in found["rest"]:
        raise _unknown(found["rest"].split(",", 1)[1])
    name, rest = found["name"], found["rest"]
    weight = _weight(found["weight"], text)
    if name in MEASURED:
        return _measured(name, weight, rest, text)
    if name in PLAIN:
        if rest.strip():
            raise BadInput(f'The rule "{text.strip()[:80]}" takes nothing behind "{name}".')
        return Rule(name, weight)
    return _patterned(name, weight, rest, text)


def _unknown(text: str) -> BadInput:
    return BadInput(
        f'"{text.strip()[:80]}" is no rule for rewards; there are {", ".join((*MEASURED, *PLAIN))}, and with a colon '
        f"behind them {', '.join(PATTERNED)}."
    )


def _weight(word: str | None, text: str) -> float:
    try:
        return float(word or 1.0)
    except ValueError:
        raise BadInput(f'The weight of the rule "{text.strip()[:80]}" is no number.') from None


def _measured(name: str, weight: float, rest: str, text: str) -> Rule:
    bound = _BOUND.fullmatch(rest)
    if not bound:
        raise BadInput(f'The rule "{text.strip()[:80]}" needs a bound, as in {name}<40 or {name}>5.')
    if not int(bound["bound"]):
        raise BadInput(f'The rule "{text.strip()[:80]}" needs a bound above 0.')
    return Rule("words" if name == "length" else name, weight, "", bound["side"], int(bound["bound"]))


def _patterned(name: str, weight: float, rest: str, text: str) -> Rule:
    argument = rest[1:].strip() if rest.startswith(":") else ""
    if not argument:
        raise BadInput(f'The rule "{text.strip()[:80]}" needs a colon and what it looks for, as in {name}:something.')
    if name in ("regex", "not-regex"):
        try:
            re.compile(argument)
        except re.error as error:
            raise BadInput(f'The pattern "{argument[:80]}" cannot be read: {error}.') from None
    if name == "tags" and not all(_TAG.fullmatch(tag) for tag in argument.split("+")):
        raise BadInput(f'The rule "{text.strip()[:80]}" needs names of tags with + between, as in tags:think+answer.')
    if name == "code" and not _FILE.fullmatch(argument):
        raise BadInput(
            f'"{argument[:80]}" is no file of the rewards folder: write the name of a Python file there, no path.'
        )
    return Rule(name, weight, argument)
