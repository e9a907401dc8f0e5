"""What each rule does with an answer; no torch."""

import pytest

from storage.errors import BadInput
from storage.specs.rewards import Rule, parse_rules
from trainers.failures import RunFailed
from trainers.rewards import Judged, check_references, reward_of


def given(rule: str, answer: str, reference: str | None = None, program: str = "") -> float | None:
    return reward_of(parse_rules(rule)[0], {"mine.py": program})(
        Judged([{"role": "user", "content": "?"}], answer, reference)
    )


@pytest.mark.parametrize(
    ("rule", "answer", "reward"),
    [
        ("words<4", "one two three", 1.0),
        ("words<4", "one two three four five six", 0.5),
        ("words<4", "a b c d e f g h i", 0.0),
        ("length<4", "one two", 1.0),
        ("words>4", "one two", 0.5),
        ("words>4", "", 0.0),
        ("characters<10", "0123456789", 1.0),
        ("characters<=10", "0123456789abcde", 0.5),
        ("regex:^Yes", "Yes, it is.", 1.0),
        ("regex:^Yes", "No.", 0.0),
        ("not-regex:sorry", "I am sorry.", 0.0),
        ("json", '{"a": 1}', 1.0),
        ("json", "{a: 1}", 0.0),
        ("list", "- one\n- two\n", 1.0),
        ("list", "First:\n1. one", 0.5),
        ("list", "", 0.0),
        ("sentence", "It is so.", 1.0),
        ("sentence", "it is so", 0.0),
        ("repetition", "a b c d e", 1.0),
        ("repetition", "a b c a b c", 0.75),
        ("repetition", "", 0.0),
        ("tags:think+answer", "<think>so</think>\n<answer>4</answer>", 1.0),
        ("tags:think+answer", "<answer>4</answer><think>so</think>", 0.0),
        ("tags:think", "<think>a</think> and more", 0.0),
    ],
)
def test_a_rule_gives_an_answer(rule: str, answer: str, reward: float) -> None:
    assert given(rule, answer) == pytest.approx(reward)


@pytest.mark.parametrize(
    ("rule", "answer", "reward"),
    [("exact", " paris. ", 1.0), ("exact", "It is Paris.", 0.0), ("contains", "It is Paris, I think.", 1.0)],
)
def test_a_rule_compares_with_the_answer_that_is_right(rule: str, answer: str, reward: float) -> None:
    assert given(rule, answer, "Paris") == reward
    assert given(rule, answer, None) is None  # it does not apply


def test_rules_that_compare_need_an_answer_to_compare_with() -> None:
    check_references(parse_rules("exact, words<4"), [None, "Paris"])
    check_references(parse_rules("words<4"), [None])
    with pytest.raises(BadInput, match='The rule "exact" compares with the answer'):
        check_references(parse_rules("words<4, exact"), [None, None])


def test_a_pattern_that_never_ends_is_given_up() -> None:
    with pytest.raises(RunFailed, match="took more than 1 s for one answer"):
        given("regex:^(a|aa)+$", "a" * 60 + "b")


def test_a_users_function_sees_prompt_answer_and_reference() -> None:
    program = (
        "def reward(prompt, answer, reference):\n"
        "    return len(answer) + (prompt[0]['content'] == '?') + (reference == 'x')\n"
    )

    assert given("code:mine.py", "four", "x", program) == 6.0


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("def reward(", "SyntaxError"),
        ("x = 1", "KeyError"),
        ("def reward(*_):\n    return 1 / 0", "ZeroDivisionError: division by zero"),
        ("def reward(*_):\n    return float('nan')", "it returned nan"),
        ("def reward(*_):\n    return 'much'", "ValueError"),
    ],
)
def test_a_users_function_that_fails_says_how(program: str, sentence: str) -> None:
    with pytest.raises(RunFailed, match=sentence) as error:
        given("code:mine.py", "four", None, program)
    assert error.value.failure.kind == "reward-function"


def test_commas_in_a_pattern_belong_to_it() -> None:
    assert parse_rules("length<40, 0.5*regex:a{1,3}, b; 2 * exact,code:my_file.py") == [
        Rule("words", 1.0, "", "<", 40),
        Rule("regex", 0.5, "a{1,3}, b"),
        Rule("exact", 2.0),
        Rule("code", 1.0, "my_file.py"),
    ]
    assert parse_rules("  ") == []


def test_rules_have_names_for_curves() -> None:
    rules = parse_rules("words<40, characters>5, json, code:polite.py")

    assert [rule.label for rule in rules] == ["words-under-40", "characters-over-5", "json", "code-polite"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shortness", '"shortness" is no rule for rewards'),
        ("words", "needs a bound, as in words<40"),
        ("words<0", "needs a bound above 0"),
        ("regex:", "needs a colon and what it looks for"),
        ("regex:(", "cannot be read"),
        ("tags:a b", "needs names of tags"),
        ("json please", 'takes nothing behind "json"'),
        ("1.2.3*json", "is no number"),
        ("code:../evil.py", "is no file of the rewards folder"),
        ("code:/etc/evil.py", "is no file of the rewards folder"),
        ("code:evil", "is no file of the rewards folder"),
    ],
)
def test_a_rule_that_is_not_understood_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        parse_rules(f"words<3, {text}" if "*" not in text else text)
