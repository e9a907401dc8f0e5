"""Each shape becomes the one inner form, and a row that does not fit says why."""

from typing import Any

import pytest

from studio.curation.examples import Made
from studio.curation.mapping import SHAPES, mapped_shape
from studio.curation.records import RowError
from studio.curation.shapes import recognise
from tests.studio.curation.files import chat


def _made(row: Any, kind: str | None = None) -> Made:
    found = recognise([row], SHAPES, kind)
    assert found is not None
    (made,) = found.make(row)
    return made


def _shape(row: Any) -> str | None:
    found = recognise([row], SHAPES)
    return found.shape.name if found else None


SYSTEM = {"role": "system", "content": "Be brief."}
PAIR = chat("2+2?", "4")

CONVERSATIONS: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("messages", {"messages": PAIR}, PAIR),
    ("messages", {"messages": [SYSTEM, *PAIR]}, [SYSTEM, *PAIR]),
    ("messages", {"system": "Be brief.", "messages": PAIR}, [SYSTEM, *PAIR]),
    ("messages", {"system": [{"text": "Be brief."}], "messages": PAIR}, [SYSTEM, *PAIR]),
    ("messages", {"messages": [{"role": "developer", "content": "Be brief."}, *PAIR]}, [SYSTEM, *PAIR]),
    ("messages", {"conversation": PAIR}, PAIR),
    (
        "messages",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "2+"}, {"type": "text", "text": "2?"}]},
                      {"role": "assistant", "content": "4"}]},
        PAIR,
    ),
    ("sharegpt", {"conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}]}, PAIR),
    ("messages", {"conversations": PAIR}, PAIR),
    ("sharegpt", {"system": "Be brief.", "conversation": [{"from": "User", "value": "2+2?"},
                                                          {"from": "assistant", "value": "4"}]}, [SYSTEM, *PAIR]),
    ("alpaca", {"instruction": "2+2?", "input": "", "output": "4"}, PAIR),
    ("alpaca", {"instruction": "Add.", "input": "2+2", "output": "4"}, chat("Add.\n2+2", "4")),
    ("alpaca", {"instruction": "2+2?", "output": "4", "system": "Be brief.", "history": [["1+1?", "2"]]},
     [SYSTEM, *chat("1+1?", "2", "2+2?", "4")]),
    ("prompt-completion", {"prompt": "2+2?", "completion": "4"}, PAIR),
    ("prompt-completion", {"prompt": PAIR[:1], "completion": PAIR[1:]}, PAIR),
    ("prompt-completion", {"prompt": "2+2?", "response": "4"}, PAIR),
    ("question-answer", {"question": "2+2?", "answer": "4"}, PAIR),
    ("question-answer", {"question": "How much?", "context": "2+2", "answer": "4"}, chat("2+2\nHow much?", "4")),
    ("instruction-response", {"instruction": "Add.", "context": "2+2", "response": "4", "category": "sums"},
     chat("Add.\n2+2", "4")),
    ("input-output", {"input": "2+2?", "target": "4"}, PAIR),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "row", "messages"), CONVERSATIONS)
def test_a_conversation_is_recognised_by_its_fields(
    shape: str, row: dict[str, Any], messages: list[dict[str, Any]]
) -> None:
    made = _made(row)

    assert (_shape(row), made.kind, made.content["messages"]) == (shape, "sft", messages)


PREFERENCES: list[dict[str, Any]] = [
    {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    {"question": "2+2?", "chosen": "4", "rejected": "5"},
    {"prompt": PAIR[:1], "chosen": PAIR[1:], "rejected": chat("", "5")[1:]},
    {"chosen": PAIR, "rejected": chat("2+2?", "5")},
    {"prompt": "2+2?", "chosen": PAIR, "rejected": chat("2+2?", "5")},
    {"conversations": [{"from": "human", "value": "2+2?"}], "chosen": {"from": "gpt", "value": "4"},
     "rejected": {"from": "gpt", "value": "5"}},
    {"chosen": "\n\nHuman: 2+2?\n\nAssistant: 4", "rejected": "\n\nHuman: 2+2?\n\nAssistant: 5"},
]  # fmt: skip


@pytest.mark.parametrize("row", PREFERENCES)
def test_a_preference_is_recognised_in_every_spelling(row: dict[str, Any]) -> None:
    made = _made(row)

    assert made.kind == "preference"
    assert made.content == {"prompt": PAIR[:1], "chosen": PAIR[1:], "rejected": chat("", "5")[1:]}


def test_the_common_beginning_of_two_transcripts_is_the_prompt() -> None:
    shared = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: And\n\nthen?\n\nAssistant: "

    content = _made({"chosen": f"{shared}Lunch.", "rejected": f"{shared}Nothing."}).content

    assert content["prompt"] == chat("Hi", "Hello.", "And\n\nthen?")
    assert (content["chosen"][0]["content"], content["rejected"][0]["content"]) == ("Lunch.", "Nothing.")


@pytest.mark.parametrize(
    "row",
    [{"prompt": "2+2?"}, {"prompt": PAIR[:1]}, {"instruction": "2+2?"}, {"question": "2+2?", "category": "sums"},
     {"messages": PAIR[:1]}, {"turns": ["2+2?"]}],
)  # fmt: skip
def test_a_question_without_an_answer_is_a_prompt(row: dict[str, Any]) -> None:
    made = _made(row)

    assert (made.kind, made.content["prompt"]) == ("prompts", PAIR[:1])


@pytest.mark.parametrize(
    "row",
    [{"question": "2+2?", "answer_matching_behavior": "4"}, {"text": "Hi", "role": "prompter"}, {"a": 1}, {},
     {"file_name": "a.json", "columns": {"messages": "conversations"}}, {"image": "a.png", "label": "cat"}],
)  # fmt: skip
def test_what_could_be_something_else_is_left_to_the_person(row: dict[str, Any]) -> None:
    assert _shape(row) is None


def test_what_a_record_holds_beside_is_kept_as_metadata_and_tags_as_tags() -> None:
    made = _made({"id": 7, "question": "2+2?", "answer": "4", "metadata": {"page": 3}, "tags": "sums, easy,sums",
                  "note": None})  # fmt: skip

    assert made == Made("sft", {"messages": PAIR, "metadata": {"id": 7, "page": 3}}, ("sums", "easy"))


def test_fields_of_a_message_that_have_no_place_are_kept_by_its_number() -> None:
    messages = [{**PAIR[0], "loss_weight": 0.0}, PAIR[1]]

    assert _made({"messages": messages}).content["metadata"] == {"message_fields": {"0": {"loss_weight": 0.0}}}


def test_tool_calls_of_openai_become_objects() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
    messages = [PAIR[0], {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "content": "4", "tool_call_id": "c1"}, PAIR[1]]  # fmt: skip

    made = _made({"messages": messages, "tools": '[{"name": "add"}]'}).content

    assert made["messages"][1]["tool_calls"][0]["function"] == {"name": "add", "arguments": {"a": 2}}
    assert made["messages"][2] == {"role": "tool", "content": "4", "tool_call_id": "c1"}
    assert made["tools"] == [{"name": "add"}]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": [PAIR[0], {"role": "asistant", "content": "4"}]}, "messages[1].role",
     '"asistant" is no role; use system, user, assistant or tool.'),
    ({"messages": [PAIR[0], {"role": "assistant", "content": ""}]}, "messages[1].content",
     "The assistant message is empty."),
    ({"messages": [PAIR[0], {"role": "assistant"}]}, "messages[1].content", "The message has no text."),
    ({"messages": [PAIR[0], {"role": "assistant", "content": 4}]}, "messages[1].content",
     'A text is needed here, not a number ("4").'),
    ({"messages": [PAIR[0], "4"]}, "messages[1]", 'A message is an object with role and content, not a text ("4").'),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, PAIR[1]]},
     "messages[0].content[0].type", 'Only text can be kept, and this part is "image_url".'),
    ({"messages": []}, "messages", "The list of messages is empty."),
    ({"conversations": [{"from": "human", "value": "Hi"}, {"value": "Hello"}]}, "conversations[1].role",
     "The message has no role."),
    ({"prompt": "2+2?", "completion": " "}, "completion", "The field is empty."),
    ({"prompt": "2+2?", "completion": None}, "completion", "The field is missing."),
    ({"instruction": "2+2?", "output": ["4"]}, "output[0]",
     'A message is an object with role and content, not a text ("4").'),
    ({"instruction": "2+2?", "output": "4", "history": [["a"]]}, "history[0]",
     "A pair of two texts is needed here, not \"['a']\"."),
    ({"prompt": "2+2?", "chosen": "4", "rejected": ""}, "rejected", "The answer is missing."),
    ({"messages": PAIR, "tools": "{"}, "tools", 'The tools are no JSON: "{".'),
]  # fmt: skip


@pytest.mark.parametrize(("row", "column", "message"), WRONG)
def test_a_row_that_does_not_fit_names_the_field_and_the_value(row: dict[str, Any], column: str, message: str) -> None:
    with pytest.raises(RowError) as wrong:
        _made(row)

    assert (wrong.value.column, wrong.value.message) == (column, message)


def test_the_kind_that_the_person_asks_for_is_made_of_what_is_there() -> None:
    preference = {"prompt": "2+2?", "chosen": "4", "rejected": "5"}

    assert _made(preference, "sft").content == {"messages": PAIR}
    assert _made(preference, "prompts").content == {"prompt": PAIR[:1]}
    assert _made({"messages": chat("Hi", "Hello", "2+2?", "4")}, "prompts").content == {
        "prompt": chat("Hi", "Hello", "2+2?")
    }
    with pytest.raises(RowError, match="This row is a prompt without an answer, and a conversation"):
        _made({"prompt": "2+2?"}, "sft")


@pytest.mark.parametrize(
    ("mapping", "content"),
    [
        ({"q": "prompt", "a": "answer"}, {"messages": PAIR, "metadata": {"s": "Be brief.", "w": "5"}}),
        ({"q": "prompt", "a": "completion", "s": "system"}, {"messages": [SYSTEM, *PAIR], "metadata": {"w": "5"}}),
        ({"q": "prompt", "a": "chosen", "w": "rejected", "s": "context"},
         {"prompt": chat("2+2?\nBe brief."), "chosen": PAIR[1:], "rejected": chat("", "5")[1:]}),
        ({"s": "text"}, {"text": "Be brief.", "metadata": {"q": "2+2?", "a": "4", "w": "5"}}),
        ({"q": "prompt"}, {"prompt": PAIR[:1], "metadata": {"a": "4", "s": "Be brief.", "w": "5"}}),
        ({"q": "prompt", "a": "answer", "w": "score"},
         {"prompt": PAIR[:1], "completion": PAIR[1:], "score": 5, "metadata": {"s": "Be brief."}}),
    ],
)  # fmt: skip
def test_a_mapping_says_what_the_columns_hold(mapping: dict[str, str], content: dict[str, Any]) -> None:
    row = {"q": "2+2?", "a": "4", "s": "Be brief.", "w": "5"}

    assert mapped_shape(mapping).make(row).content == content
