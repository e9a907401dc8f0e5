"""What is expected of an answer is checked when it is said, and told of any text without harm."""

import json
from typing import Any

import pytest

from storage.canaries import Expectation
from storage.errors import BadInput
from studio.rounds.expectations import KINDS, _found, checked, holds, says

NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}}}


def _expectation(kind: str, value: Any) -> Expectation:
    return Expectation("e", "0" * 64, kind, checked(kind, value), "me", 1.0, None, None)


@pytest.mark.parametrize(
    ("kind", "value", "met", "unmet"),
    [
        ("contains", "paris", "It is Paris.", "It is Rome."),
        ("not-contains", "as an AI", "It is Paris.", "As an AI, I know Paris."),
        ("regex", r"\b(5|five)\b", "That is 5.", "That is 15."),
        ("exact", "5", " 5\n", "5."),
        ("words", 3, "one two three", "one two three four"),
        ("characters", "5", "12345", "123456"),
        ("json-schema", NAMED, '{"name": "Ann"}', '{"name": "ann"}'),
        ("json-schema", json.dumps(NAMED), ' {"name": "Ann"} ', "her name is Ann"),
    ],
)
def test_an_answer_is_as_expected_or_not(kind: str, value: Any, met: str, unmet: str) -> None:
    expected = _expectation(kind, value)

    assert (holds(expected, met), holds(expected, unmet)) == (True, False)


def test_a_score_is_unknown_until_somebody_gave_one() -> None:
    expected = _expectation("score", "judge>=0.5")

    assert expected.value == {"model": "judge", "least": 0.5}
    assert [holds(expected, "Yes.", score) for score in (None, 0.4, 0.5)] == [None, False, True]


def test_every_kind_says_itself_in_a_few_words() -> None:
    values = {"words": 1, "characters": 20, "score": {"model": "judge", "least": 0.5}, "json-schema": {"type": "array"}}

    assert [says(_expectation(kind, values.get(kind, "a"))) for kind in KINDS] == [
        'contains "a"', 'does not contain "a"', 'matches "a"', 'is exactly "a"', 'is JSON that fits {"type": "array"}',
        "at most 1 word", "at most 20 characters", "scores at least 0.5 by judge",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("mood", "glad", "An expectation is one of contains"),
        ("contains", " ", "needs a text"),
        ("contains", "a" * 4001, "at most 4,000 characters"),
        ("contains", 5, "needs a text"),
        ("regex", "(", "cannot be read"),
        ("regex", "(?:(?:(?:a{99}){99}){99}){99}", "repeats more than 10,000 times"),
        ("regex", "a{20000}", "repeats more than 10,000 times"),
        ("regex", "a{000000000099999}", "repeats more than 10,000 times"),
        ("regex", "a{ 99 , 99999 }", "repeats more than 10,000 times"),
        ("regex", "a{99999,1}", "repeats more than 10,000 times"),
        ("regex", "(?x)a{ #\n 99}", "sets the flag x"),
        ("regex", "(?i-s)(?aix:a)", "sets the flag x"),
        ("words", "9" * 5000, "a whole number of words from 1 on"),
        ("words", "many", "a whole number of words from 1 on"),
        ("words", 0, "from 1 on"),
        ("words", True, "from 1 on"),
        ("score", "judge", "a reward model and the least score"),
        ("score", {"model": "judge", "least": "nan"}, "a reward model and the least score"),
        ("score", {"model": "judge", "least": 10**400}, "a reward model and the least score"),
        ("json-schema", "[", "is no JSON"),
        ("json-schema", "[]", "is an object"),
        ("json-schema", {"$schema": ["a"]}, "address of its dialect"),
        ("json-schema", {"type": "thing"}, "That is no JSON Schema"),
        ("json-schema", {"$ref": "http://127.0.0.1:9/schema"}, "its own parts alone"),
        ("json-schema", {"patternProperties": {"(a+)+$": {}}}, "patternProperties"),
        ("json-schema", {"pattern": "("}, "cannot be read"),
        ("json-schema", {"pattern": "(?x)a"}, "sets the flag x"),
        ("json-schema", {"items": {"unevaluatedItems": False}}, "uses unevaluatedItems, which has no deadline"),
        ("json-schema", '{"not":' * 900 + "{}" + "}" * 900, "nested too deeply"),
    ],
)
def test_what_cannot_be_expected_is_said(kind: str, value: Any, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        checked(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("regex", "^(a|aa)+$"),
        ("json-schema", {"type": "string", "pattern": "^(a|aa)+$"}),
        (
            "json-schema",
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "pattern": "^(a|aa)+$",
                "anyOf": [{"$ref": "#/definitions/again"}],
                "definitions": {"again": {"pattern": "b$"}},
            },
        ),
    ],
)
def test_a_pattern_that_would_never_end_is_not_met_and_keeps_nobody_waiting(kind: str, value: Any) -> None:
    text = "a" * 200 + "b"  # without a deadline it would be years

    assert holds(_expectation(kind, value), text if kind == "regex" else json.dumps(text)) is False


def test_a_schema_that_leads_into_itself_or_nowhere_is_not_met() -> None:
    assert holds(_expectation("json-schema", {"$ref": "#"}), "1") is False
    assert holds(_expectation("json-schema", {"$ref": "#/nowhere"}), "1") is False
    assert holds(_expectation("json-schema", {"type": "array"}), "[" * 100_000) is False
    doubling = {"allOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}
    assert holds(_expectation("json-schema", doubling), "[[1]]") is True
    assert holds(_expectation("json-schema", doubling), "[" * 60 + "]" * 60) is False  # 2^60 steps, cut short


def _doubling(depth: int) -> dict[str, Any]:
    """Every step refers twice to the next: 2^depth references, that the library follows for what is unevaluated."""
    defs: dict[str, Any] = {
        f"s{at}": {"allOf": [{"dependentSchemas": {"a": {"$ref": f"#/$defs/s{at + 1}"}}}] * 2} for at in range(depth)
    }
    return {"$ref": "#/$defs/s0", "$defs": {**defs, f"s{depth}": {}}}


def test_references_past_counting_are_refused_and_the_counted_ones_end() -> None:
    for keyword in ("unevaluatedProperties", "unevaluatedItems"):
        with pytest.raises(BadInput, match=f"uses {keyword}, which has no deadline"):
            checked("json-schema", {**_doubling(40), keyword: False})
    assert holds(_expectation("json-schema", _doubling(3)), '{"a": 1}') is True
    assert holds(_expectation("json-schema", _doubling(40)), '{"a": 1}') is False


@pytest.mark.parametrize("text", ["1" + "0" * 400, "1e400", "-1e400", "[1e400]"])
def test_a_number_without_end_is_a_multiple_of_nothing(text: str) -> None:
    schema = {"multipleOf": 0.1, "items": {"multipleOf": 0.1}}

    assert holds(_expectation("json-schema", schema), text) is False


def test_a_pattern_that_took_too_long_is_not_searched_again() -> None:
    expected = _expectation("regex", "^(x|xx)+$")
    kept = _found.cache_info().hits

    assert [holds(expected, "x" * 200 + "y") for _ in range(3)] == [False] * 3

    assert _found.cache_info().hits == kept + 2


def test_all_patterns_of_a_schema_share_one_deadline() -> None:
    expected = _expectation("json-schema", {"items": {"not": {"pattern": "^(a|aa)+$"}}})
    texts = [f"{'a' * 200}{number}" for number in range(100)]
    before = _found.cache_info().misses

    assert holds(expected, json.dumps(texts)) is False

    assert _found.cache_info().misses - before < 20
