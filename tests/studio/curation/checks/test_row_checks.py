"""Each check of single rows on rows that have the fault, rows that do not, and rows at the border."""

from pathlib import Path
from typing import Any

import pytest

from studio.curation.checks.check import TRASH
from studio.curation.checks.registry import checks

CHECKS = checks(Path("/nowhere"))
CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {}}}]
PROSE = "The river rises in the hills and flows for many miles through open fields, past three old mills and a"


def turn(role: str, content: str = "", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def chat(*said: str) -> dict[str, Any]:
    return {"messages": [turn(("user", "assistant")[number % 2], text) for number, text in enumerate(said)]}


def pair(chosen: str, rejected: str) -> dict[str, Any]:
    return {"prompt": [turn("user", "Hi")], "chosen": [turn("assistant", chosen)],
            "rejected": [turn("assistant", rejected)]}  # fmt: skip


def found(name: str, content: dict[str, Any]) -> list[str] | None:
    """The places that a check names, or None where it finds nothing."""
    find = CHECKS[name].find
    assert find is not None
    detail = find(content)
    assert detail is None or detail["sentence"].endswith(".")
    return None if detail is None else [place["path"] for place in detail["places"]]


def mended(name: str, content: dict[str, Any]) -> Any:
    check = CHECKS[name]
    assert check.find is not None and check.mend is not None
    detail = check.find(content)
    assert detail is not None
    return check.mend(content, detail)


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (chat("Hi", ""), ["messages[1].content"]),
        (chat(" \n", "ok"), ["messages[0].content"]),
        (chat("Hi", "\u200b\ufeff\u00a0"), ["messages[1].content"]),
        ({"text": "\t"}, ["text"]),
        (pair("x", ""), ["rejected[0].content"]),
        (chat("Hi", "."), None),
        ({"messages": [turn("system"), turn("user", "a"), turn("assistant", "b")]}, None),
        ({"messages": [turn("user", "a"), turn("assistant", tool_calls=[CALL]), turn("tool")]}, None),
    ],
)
def test_empty(content: dict[str, Any], places: list[str] | None) -> None:
    assert found("empty", content) == places


def test_blank_space_around_answers_is_trimmed_and_nothing_else() -> None:
    content = chat("  Hi ", "\n Hello  you \n")

    assert found("padding", content) == ["messages[1].content"]
    assert mended("padding", content) == chat("  Hi ", "Hello  you")
    assert found("padding", chat(" Hi", "Hello")) is None


@pytest.mark.parametrize(
    ("roles", "places"),
    [
        ("user assistant", None),
        ("system user assistant user assistant", None),
        ("user user assistant", ["messages[1]"]),
        ("user assistant assistant", ["messages[2]"]),
        ("assistant user assistant", ["messages[0]"]),
        ("system assistant", ["messages[1]"]),
        ("user system assistant", ["messages[1]"]),
        ("user narrator", ["messages[1]"]),
    ],
)
def test_role_order(roles: str, places: list[str] | None) -> None:
    assert found("role-order", {"messages": [turn(role, "x") for role in roles.split()]}) == places


def test_the_order_runs_through_prompt_and_answer() -> None:
    good = pair("a", "b")

    assert found("role-order", good) is None
    assert found("role-order", {**good, "rejected": [turn("user", "b")]}) == ["rejected[1]"]
    assert found("role-order", {"prompt": [turn("user", "a"), turn("assistant", "b")]}) == ["prompt[1]"]


def test_neighbouring_turns_are_joined_where_that_mends_it_all() -> None:
    content = {"messages": [turn("user", "a"), turn("user", "b"), turn("assistant", "c")], "metadata": {"id": 7}}

    assert mended("role-order", content) == {**chat("a\n\nb", "c"), "metadata": {"id": 7}}
    assert mended("role-order", {"messages": [turn("user", "a"), turn("system", "b"), turn("assistant", "c")]}) is None


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (chat("Hi"), ["messages"]),
        (chat("Hi", "Hello", "And?"), ["messages[2]"]),
        (chat("Hi", "Hello"), None),
        ({"prompt": [turn("user", "Hi")]}, None),
        ({"text": "x"}, None),
    ],
)
def test_no_answer(content: dict[str, Any], places: list[str] | None) -> None:
    assert found("no-answer", content) == places


def test_a_tail_that_nobody_answers_is_cut() -> None:
    assert mended("no-answer", chat("Hi", "Hello", "And?")) == chat("Hi", "Hello")
    assert mended("no-answer", chat("Hi")) is None


USER, ASKS, TOOL, SAYS = (
    turn("user", "1+1?"),
    turn("assistant", tool_calls=[CALL]),
    turn("tool", "2"),
    turn("assistant", "2"),
)


@pytest.mark.parametrize(
    ("messages", "places"),
    [
        ([USER, ASKS, TOOL, SAYS], None),
        ([USER, ASKS], None),  # what a model that calls tools learns last
        ([USER, turn("assistant", tool_calls=[CALL, CALL]), TOOL, TOOL, SAYS], None),
        ([USER, turn("assistant", tool_calls=[CALL, CALL]), TOOL, SAYS], ["messages[3]"]),
        ([USER, ASKS, SAYS], ["messages[2]"]),
        ([USER, TOOL, SAYS], ["messages[1]"]),
        ([USER, turn("assistant", tool_calls=[{"id": "1", **CALL}]), turn("tool", "2", tool_call_id="1"), SAYS], None),
        ([USER, turn("assistant", tool_calls=[{"id": "1", **CALL}]), turn("tool", "2", tool_call_id="9"), SAYS],
         ["messages[2]"]),
        ([USER, turn("assistant", tool_calls=[{"function": {"name": "add", "arguments": "{1"}}])], ["messages[1]"]),
    ],
)  # fmt: skip
def test_tool_calls(messages: list[dict[str, Any]], places: list[str] | None) -> None:
    assert found("tool-calls", {"messages": messages, "tools": TOOLS}) == places


def test_a_call_of_a_tool_that_the_row_does_not_offer() -> None:
    other = [{"type": "function", "function": {"name": "subtract"}}]

    assert found("tool-calls", {"messages": [USER, ASKS, TOOL, SAYS], "tools": other}) == ["messages[1]"]
    assert found("tool-calls", {"messages": [USER, ASKS, TOOL, SAYS]}) is None


@pytest.mark.parametrize(
    ("answer", "cut"),
    [
        (PROSE, True),
        (PROSE + " bridge.", False),
        (PROSE + " bridge,", True),
        ("Paris", False),
        ("Like this:\n```python\nprint(1)", True),
        ("Like this:\n```python\nprint(1)\n```", False),
        ("Two things:\n- " + PROSE, False),
        ("See https://example.org/" + "a" * 60, False),
        ("The result is 42 for all of the numbers that were asked about in the question: 1234567", False),
        ("我认为这条河从山上流下来，穿过许多田野，经过三座古老的磨坊，然后又", True),
        ("我认为这条河从山上流下来，穿过许多田野，经过三座古老的磨坊。", False),
        (PROSE + " bridge. #rivers #OldMills", False),
        ("3x7=21 | 4x7=28 | 5x7=35  | 6x7=42  | 7x7=49 | 8x7=56  | 9x7=63 | x", False),
        ('"' + PROSE + ' bridge." - Ann Lee', False),
        (PROSE + ' bridge "as old as the hills"', False),
    ],
)
def test_truncated(answer: str, cut: bool) -> None:
    assert found("truncated", chat("Tell me.", answer)) == (["messages[1].content"] if cut else None)


@pytest.mark.parametrize(
    ("answer", "refuses"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I’m sorry, but as an AI I cannot provide medical advice.", True),
        ("Sorry, I cannot assist with this request.", True),
        ("As an AI language model, I can't predict the future.", True),
        ("I cannot comply.", True),
        ("Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.", True),
        ("很抱歉，我无法回答这个问题。", True),
        ("I'm sorry to hear that you feel unwell. Try to rest.", False),
        ("You cannot divide by zero, so there is no answer.", False),
        ("The report says: I can't help it.", False),
    ],
)
def test_refusal(answer: str, refuses: bool) -> None:
    assert found("refusal", chat("?", answer)) == (["messages[1].content"] if refuses else None)


def test_a_refusal_of_the_user_is_none() -> None:
    assert found("refusal", chat("I'm sorry, but I can't do that.", "That is fine.")) is None


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        ("As an AI language model, i think so.", "I think so."),
        ("Well. As an AI assistant, you may like it.", "Well. You may like it."),
        ("I'm an AI language model and have no taste.", None),
        ("As of my last knowledge update in 2021, yes.", None),
        ("I was developed by OpenAI.", None),
    ],
)
def test_boilerplate_goes_where_a_sentence_opens_with_it(answer: str, after: str | None) -> None:
    assert found("boilerplate", chat("?", answer)) is not None
    assert mended("boilerplate", chat("?", answer)) == (chat("?", after) if after else None)


@pytest.mark.parametrize("answer", ["AI is a field of study.", "OpenAI was founded in 2015.", "I am a teacher."])
def test_talk_about_ai_is_no_boilerplate(answer: str) -> None:
    assert found("boilerplate", chat("?", answer)) is None


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to ann.lee+x@mail.example.org now", "Write to [EMAIL] now"),
        ("Call +49 30 901820 today", "Call [PHONE] today"),
        ("Call 0049 30 901820 today", "Call [PHONE] today"),
        ("Call (212) 555-2368 or so", "Call [PHONE] or so"),
        ("Call +1 (650) 253-0000 now", "Call [PHONE] now"),
        ("Card 4111 1111 1111 1111.", "Card [CARD]."),
        ("Card 5500-0000-0000-0004", "Card [CARD]"),
        ("Pay to DE89 3704 0044 0532 0130 00 please", "Pay to [IBAN] please"),
        ("Pay to GB82WEST12345698765432", "Pay to [IBAN]"),
        ("Host 93.184.216.34 is up", "Host [IP] is up"),
        ("Host 2606:2800:220:1:248:1893:25c8:1946 is up", "Host [IP] is up"),
        ("key AKIAIOSFODNN7EXAMPLE end", "key [KEY] end"),
        ("token ghp_" + "a" * 36, "token [KEY]"),
        ("git clone https://bob:hunter2@example.org/x", "git clone https://[KEY]@example.org/x"),
        ("a@b.de and c@d.fr", "[EMAIL] and [EMAIL]"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mended("personal-data", chat(text, "ok")) == chat(masked, "ok")


@pytest.mark.parametrize(
    "text",
    [
        "Write to ann at example dot org",
        "@ann said so",
        "Card 4111 1111 1111 1112",  # Luhn does not hold
        "DE89 3704 0044 0532 0130 01",  # nor does the checksum
        "localhost is 127.0.0.1, the router 192.168.0.1",
        "version 93.184.216.34",
        "999.1.1.1",
        "3.14159265358979323846",
        "12345678901234567890 + 1",
        "2024-01-15 12:30:45",
        "It costs 1,234,567 in 2024",
        "ISBN 978-3-16-148410-0",
        "a::b in C++",
        "The sum 1234 + 5678 = 6912",
        "sk-learn",
    ],
)
def test_what_only_looks_like_personal_data(text: str) -> None:
    assert found("personal-data", chat(text, "ok")) is None


def test_personal_data_is_found_in_tool_calls_and_metadata_and_never_repeated_in_the_finding() -> None:
    call = {"type": "function", "function": {"name": "send", "arguments": {"to": ["a@b.de"]}}}
    content = {"messages": [USER, turn("assistant", tool_calls=[call])], "metadata": {"by": "c@d.fr"}}
    find = CHECKS["personal-data"].find
    assert find is not None

    assert find(content) == {
        "sentence": "Found: e-mail address.",
        "places": [
            {"path": "messages[1].tool_calls[0].function.arguments.to[0]", "start": 0, "end": 6, "what": "EMAIL"},
            {"path": "metadata.by", "start": 0, "end": 6, "what": "EMAIL"},
        ],
    }
    after = mended("personal-data", content)
    assert after["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"to": ["[EMAIL]"]}
    assert after["metadata"] == {"by": "[EMAIL]"}
    assert content["metadata"] == {"by": "c@d.fr"}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Ein schÃ¶ner Tag im CafÃ©", "Ein schöner Tag im Café"),
        ("itâ€™s fine", "it’s fine"),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚, как дела", None),
        ("a\x00b\x07", "ab"),
        ("half \ud83d sign", "half  sign"),
    ],
)
def test_damaged_text_is_repaired(text: str, after: str | None) -> None:
    assert found("encoding", chat("?", text)) == ["messages[1].content"]
    if after is not None:
        assert mended("encoding", chat("?", text)) == chat("?", after)


def test_a_repair_never_empties_a_text() -> None:
    assert found("encoding", {"text": "\x01\x02 "}) == ["text"]
    assert mended("encoding", {"text": "\x01\x02 "}) is None


def test_lost_characters_are_found_and_stay_lost() -> None:
    assert found("encoding", chat("?", "caf\ufffd")) == ["messages[1].content"]
    assert mended("encoding", chat("?", "caf\ufffd")) is None


@pytest.mark.parametrize(
    "text", ["Café, naïve, Ünal", "SÃO PAULO, À LA CARTE", "数学 и русский", "1 × 2 ÷ 3 ≠ √4", "👍🏽"]
)
def test_sound_text_is_left_alone(text: str) -> None:
    assert found("encoding", chat("?", text)) is None


def test_answers_in_another_language() -> None:
    german = "Die Hauptstadt von Frankreich ist Paris, eine Stadt an der Seine."
    english = "The capital of France is Paris, a city on the river Seine."

    assert found("answer-language", chat("What is the capital of France, and where does it lie?", german)) == [
        "messages"
    ]
    assert found("answer-language", chat("What is the capital of France, and where does it lie?", english)) is None
    assert found("answer-language", chat("What is the capital of France?", "Paris")) is None


def test_pairs_of_the_same_answer_go_into_the_trash() -> None:
    assert found("same-answers", pair("Yes.  Sure", "Yes. Sure ")) == ["chosen", "rejected"]
    assert mended("same-answers", pair("Yes", "Yes")) == TRASH
    assert found("same-answers", pair("Yes", "yes")) is None
    assert found("same-answers", chat("Hi", "Hi")) is None


def test_toxicity_runs_by_the_words_of_the_project_and_not_without(tmp_path: Path) -> None:
    assert checks(tmp_path)["toxicity"].find is None
    (tmp_path / "toxic-words.txt").write_text("# ours\ndarn\nheck of a\n", encoding="utf-8")

    check = checks(tmp_path)["toxicity"]

    assert check.find is not None
    assert check.find(chat("DARN it", "what a heck of a day, darned")) == {
        "sentence": "Language that your judge calls toxic.",
        "places": [{"path": "messages[0].content", "start": 0, "end": 4},
                   {"path": "messages[1].content", "start": 7, "end": 16}],
    }  # fmt: skip
    assert check.version != checks(tmp_path.parent)["toxicity"].version


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if check.find])
@pytest.mark.parametrize(
    "content",
    [{}, {"text": ""}, {"messages": []}, {"prompt": [], "chosen": [], "rejected": []}, {"messages": [{"role": "user"}]},
     {"prompt": [turn("user", "x")], "completion": [turn("assistant", "\ud800\x00")], "label": True},
     {"prompt": [turn("user", "x")], "answers": [{"messages": [turn("assistant", "y")]}, {"text": "z"}]}],
)  # fmt: skip
def test_no_check_falls_over_odd_rows(name: str, content: dict[str, Any]) -> None:
    find = CHECKS[name].find
    assert find is not None

    detail = find(content)

    assert detail is None or detail["sentence"]
