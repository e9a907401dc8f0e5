"""What an answer to a canary prompt can be expected to be like, and whether a text is like that.

    contains, not-contains   a text, whatever its case
    regex                    a pattern that is found somewhere in it
    exact                    the whole answer, outer spaces aside
    json-schema              the answer is JSON that a JSON Schema allows
    words, characters        at most so many
    score                    a reward model gives it so much at least

Patterns are strangers' programs: each search has a deadline, those within a schema too, and a schema may refer to
nothing outside itself, so that checking never asks a network.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from storage.canaries import Expectation
from storage.errors import BadInput
from studio.patterns import check_pattern, short

MEASURES: Mapping[str, Callable[[str], int]] = {"words": lambda text: len(text.split()), "characters": len}
KINDS = ("contains", "not-contains", "regex", "exact", "json-schema", *MEASURES, "score")

_SEARCH_SECONDS = 0.2
_SCHEMA_SECONDS = 1.0  # for all patterns of a schema together: an answer may hold a thousand texts
_MOST_REFERENCES = 2000  # that are followed within a schema: nested ones multiply
# The library follows references within the last two by itself, past our count.
_UNBOUNDED = ("patternProperties", "$dynamicRef", "$recursiveRef", "$schema", "unevaluatedProperties",
              "unevaluatedItems")  # fmt: skip
_LONGEST_TEXT, _LONGEST_PATTERN, _LONGEST_SCHEMA = 4000, 500, 20_000


def checked(kind: str, value: Any) -> Any:
    """The value of an expectation as it is kept; raises BadInput with what is wrong with it."""
    if kind not in KINDS:
        raise BadInput(f'An expectation is one of {", ".join(KINDS)}, not "{kind}".')
    if kind in MEASURES:
        return _bound(kind, value)
    if kind == "score":
        return _score(value)
    if kind == "json-schema":
        return _schema(value)
    text = _text(kind, value)
    if kind == "regex":
        check_pattern(text)
    return text


def says(expectation: Expectation) -> str:
    """The expectation in a few words, such as `contains "Paris"`."""
    kind, value = expectation.kind, expectation.value
    if kind in MEASURES:
        return f"at most {value} {kind if value != 1 else kind.removesuffix('s')}"
    if kind == "score":
        return f"scores at least {value['least']:g} by {value['model']}"
    if kind == "json-schema":
        return f"is JSON that fits {short(json.dumps(value, ensure_ascii=False))}"
    words = {"contains": "contains", "not-contains": "does not contain", "regex": "matches", "exact": "is exactly"}
    return f'{words[kind]} "{short(value)}"'


def holds(expectation: Expectation, text: str, score: float | None = None) -> bool | None:
    """Whether an answer is as expected; None where that takes a score that nobody has asked for yet."""
    kind, value = expectation.kind, expectation.value
    if kind == "score":
        return None if score is None else bool(score >= value["least"])
    if kind in MEASURES:
        return MEASURES[kind](text) <= int(value)
    if kind == "json-schema":
        return _fits(value, text)
    if kind == "regex":
        return _found(value, text)
    if kind == "exact":
        return bool(text.strip() == value.strip())
    return (str(value).casefold() in text.casefold()) == (kind == "contains")


def _text(kind: str, value: Any) -> str:
    most = _LONGEST_PATTERN if kind == "regex" else _LONGEST_TEXT
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"The expectation {kind} needs a text.")
    if len(value) > most:
        raise BadInput(f"The text of the expectation {kind} has at most {most:,} characters, not {len(value):,}.")
    return value


def _bound(kind: str, value: Any) -> int:
    # Python turns no text of thousands of digits into a number.
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20 else value
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 1_000_000:
        raise BadInput(f'The expectation {kind} needs a whole number of {kind} from 1 on, not "{short(str(value))}".')
    return number


def _score(value: Any) -> dict[str, Any]:
    """Which reward model, by name, and the least score; also as a text such as `judge>=0.5`."""
    said = value
    if isinstance(value, str):
        name, _, least = value.rpartition(">=")
        said = {"model": name.strip(), "least": least}
    try:
        found: dict[str, Any] = {"model": str(said["model"]), "least": float(said["least"])}
    except (KeyError, TypeError, ValueError, OverflowError):
        found = {"model": "", "least": 0.0}
    if not found["model"] or not abs(found["least"]) < 1e9:  # infinities and nan are no bounds either
        raise BadInput('The expectation score needs a reward model and the least score, as in "judge>=0.5".')
    return found


@lru_cache(maxsize=1024)  # the gate looks every few seconds, at what took too long as well
def _found(pattern: str, text: str) -> bool:
    """Whether a pattern is found within its time; one that takes longer counts as not found."""
    import regex

    try:
        return regex.search(pattern, text, timeout=_SEARCH_SECONDS) is not None
    except (TimeoutError, regex.error):
        return False


# ---- JSON Schema -----------------------------------------------------------------------------------------------------


def _schema(value: Any) -> Any:
    """A schema from its object or from its text; raises BadInput."""
    from jsonschema.exceptions import SchemaError

    try:
        schema = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The JSON Schema is no JSON: {error}.") from None
    if not isinstance(schema, dict):
        raise BadInput('A JSON Schema is an object, such as {"type": "object", "required": ["name"]}.')
    if not isinstance(schema.get("$schema", ""), str):
        raise BadInput("The $schema of a JSON Schema is the address of its dialect, as a text.")
    if len(json.dumps(schema)) > _LONGEST_SCHEMA:
        raise BadInput(f"A JSON Schema has at most {_LONGEST_SCHEMA:,} characters here.")
    for key, inner in _keys({name: value for name, value in schema.items() if name != "$schema"}):
        if key == "$ref" and not str(inner).startswith("#"):
            raise BadInput(f'The JSON Schema refers to "{str(inner)[:80]}"; here it may refer to its own parts alone.')
        if key in _UNBOUNDED:
            raise BadInput(f"The JSON Schema uses {key}, which has no deadline here; write it without.")
        if key == "pattern" and isinstance(inner, str):
            check_pattern(inner)
    try:
        _dialect(schema).check_schema(schema)
    except SchemaError as error:
        raise BadInput(f"That is no JSON Schema: {error.message[:200]}.") from None
    except RecursionError:
        raise BadInput("The JSON Schema is nested too deeply to be checked; write it flatter.") from None
    return schema


def _keys(node: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from one.items()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _dialect(schema: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    return validator_for(schema, default=Draft202012Validator)


def _fits(schema: Mapping[str, Any], text: str) -> bool:
    return _fitting(json.dumps(schema), text)


@lru_cache(maxsize=1024)  # the gate looks every few seconds, and making the class takes milliseconds
def _fitting(schema_text: str, text: str) -> bool:
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    schema = json.loads(schema_text)
    bounded = _bounded(_dialect(schema))
    schema.pop("$schema", None)  # where a reference leads back to the root, it would bring the library's own class
    try:
        # A registry of its own, which knows no way to fetch anything.
        return bool(bounded(schema, registry=Registry()).is_valid(json.loads(text)))
    except (ValueError, ArithmeticError, RecursionError, Unresolvable):  # such as a multiple of an endless number
        return False


def _bounded(dialect: Any) -> Any:
    """A dialect whose patterns have a deadline, each and together, and which follows so many references and no more."""
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    seconds = [_SCHEMA_SECONDS]
    left = [_MOST_REFERENCES]
    follow = dialect.VALIDATORS["$ref"]

    def reference(validator: Any, target: Any, instance: Any, schema: Any) -> Iterator[Any]:
        left[0] -= 1
        if left[0] < 0:
            raise RecursionError
        yield from follow(validator, target, instance, schema) or ()

    def pattern(validator: Any, wanted: str, instance: Any, schema: Any) -> Iterator[Any]:
        if validator.is_type(instance, "string"):
            began = time.monotonic()
            met = _found(wanted, instance)
            seconds[0] -= time.monotonic() - began
            if seconds[0] < 0:
                raise RecursionError
            if not met:
                yield ValidationError(f"{instance[:80]!r} does not match {wanted!r}")

    return extend(dialect, {"pattern": pattern, "$ref": reference})
