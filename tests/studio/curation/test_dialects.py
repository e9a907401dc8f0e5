"""The same two turns in every dialect that files speak come out as the same inner form."""

import json
from typing import Any

import pytest

from studio.curation.mapping import SHAPES
from studio.curation.nesting import unnested
from studio.curation.records import Fault, Record
from studio.curation.shapes import recognise
from tests.studio.curation.files import chat

PAIR = chat("2+2?", "4")
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 2}}}


def _contents(row: dict[str, Any], kind: str | None = None) -> list[dict[str, Any]]:
    found = recognise([row], SHAPES, kind)
    assert found is not None
    return [{key: value for key, value in made.content.items() if key != "metadata"} for made in found.make(row)]


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": ["2+2?", "4"]},
        {"id": "1", "data": ["2+2?", "4"]},
        {"conversation": [{"human": "2+2?", "assistant": "4"}]},
        {"conversation": [{"system": "", "input": "2+2?", "output": "4"}], "id": 3},
        {"items": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}]},
        {"dialogue": [{"speaker": "human", "text": "2+2?"}, {"speaker": "bot", "text": "4"}]},
        {"contents": [{"role": "user", "parts": [{"text": "2+2?"}]}, {"role": "model", "parts": [{"text": "4"}]}]},
        {"messages": [{"role": "User", "content": "2+2?"}, {"role": "Chatbot", "content": "4"}]},
        {"chat": [{"role": "USER", "message": "2+2?"}, {"role": "CHATBOT", "message": "4"}]},
        {"messages": json.dumps(PAIR)},
        {"messages": str(PAIR), "source": "a table by pandas"},
        {"messages": {"role": ["user", "assistant"], "content": ["2+2?", "4"]}},
        {"messages": [{**turn, "tool_calls": None, "name": None} for turn in PAIR]},
        {"messages": [{"role": turn["role"], "content": [{"text": turn["content"]}]} for turn in PAIR],
         "schemaVersion": "bedrock-conversation-2024"},
        {"Instruction": "2+2?", "Output": "4"},
        {"Question": "2+2?", "Answer": "4", "Page": 3},
        {"QUESTION ": "2+2?", "ANSWER": "4"},
        {"input_text": "2+2?", "output_text": "4"},
        {"inputs": "2+2?", "targets": "4", "task": "sums"},
        {"input": "2+2?", "target": "4"},
        {"input": "2+2?", "target_scores": {"4": 1, "5": 0}},
        {"question": "2+2?", "answers": {"text": ["4", "four"], "answer_start": [0, 9]}},
        {"question": "2+2?", "answers": [{"text": "4", "answer_start": 0}], "id": "x"},
        {"question": "2+2?", "answers": ["4"]},
        {"prompt": "2+2?", "category": "sums", "referenceResponse": "4"},
        {"conversationTurns": [{"referenceResponses": [{"content": [{"text": "4"}]}],
                                "prompt": {"content": [{"text": "2+2?"}]}}]},
        {"prompt": "\n\nHuman: 2+2?\n\nAssistant:", "completion": "4"},
        {"input": "2+2?", "target": ["4", "four"]},
        {"input": [{"role": "user", "content": "2+2?"}], "ideal": "4"},
        {"question": "2+2?", "answer": {"value": "4", "aliases": ["four"]}},
        {"instruction": "2+2?", "instances": [{"input": "", "output": "4"}], "is_classification": False},
    ],
)  # fmt: skip
def test_two_turns_in_every_dialect(row: dict[str, Any]) -> None:
    assert _contents(row) == [{"messages": PAIR}]


@pytest.mark.parametrize(
    "row",
    [
        {"system": [{"text": "Be brief."}], "messages": PAIR},
        {"system_prompt": "Be brief.", "prompt": "2+2?", "completion": "4"},
        {"systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
         "contents": [{"role": "user", "parts": [{"text": "2+2?"}]}, {"role": "model", "parts": [{"text": "4"}]}]},
        {"conversation": [{"system": "Be brief.", "input": "2+2?", "output": "4"}]},
        {"messages": [{"role": "developer", "content": "Be brief."}, *PAIR]},
    ],
)  # fmt: skip
def test_a_system_prompt_stands_first(row: dict[str, Any]) -> None:
    assert _contents(row) == [{"messages": [SYSTEM, *PAIR]}]


OPENAI = {"role": "assistant", "content": None,
          "tool_calls": [{"type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}]}  # fmt: skip


@pytest.mark.parametrize(
    ("called", "answered"),
    [
        (OPENAI, {"role": "tool", "content": "4"}),
        ({"role": "assistant", "function_call": {"name": "add", "arguments": '{"a": 2}'}, "content": None},
         {"role": "function", "content": "4"}),
        ({"role": "tool_call", "content": '{"name": "add", "arguments": {"a": 2}}'},
         {"role": "tool_response", "content": "4"}),
        ({"from": "function_call", "value": '{"name": "add", "arguments": {"a": 2}}'},
         {"from": "observation", "value": "4"}),
        ({"role": "assistant", "content": [{"toolUse": {"name": "add", "input": {"a": 2}}}]},
         {"role": "user", "content": [{"toolResult": {"content": [{"text": "4"}]}}]}),
        ({"role": "assistant", "content": [{"type": "tool_use", "name": "add", "input": {"a": 2}}]},
         {"role": "user", "content": [{"type": "tool_result", "content": "4"}]}),
        ({"role": "model", "parts": [{"functionCall": {"name": "add", "args": {"a": 2}}}]},
         {"role": "user", "parts": [{"functionResponse": {"response": "4"}}]}),
        ({"role": "assistant", "content": [{"type": "tool_call", "value": '{"name": "add", "arguments": {"a": 2}}'}]},
         {"role": "tool", "content": [{"type": "text", "value": "4"}]}),
    ],
)  # fmt: skip
def test_a_tool_call_and_its_result_in_every_dialect(called: dict[str, Any], answered: dict[str, Any]) -> None:
    asking = {"from": "human", "value": "2+2?"} if "from" in called else PAIR[0]
    telling = {"from": "gpt", "value": "4"} if "from" in called else PAIR[1]

    assert _contents({"messages": [asking, called, answered, telling]}) == [
        {
            "messages": [
                PAIR[0],
                {"role": "assistant", "content": "", "tool_calls": [CALL]},
                {"role": "tool", "content": "4"},
                PAIR[1],
            ]
        }
    ]


@pytest.mark.parametrize(
    "beside",
    [
        {"tools": [{"name": "add"}]},
        {"tools": '[{"name": "add"}]'},
        {"tools": ['{"name": "add"}']},
        {"functions": [{"name": "add"}]},
        {"toolConfig": {"tools": [{"toolSpec": {"name": "add"}}]}},
    ],
)
def test_tools_stand_beside_the_messages(beside: dict[str, Any]) -> None:
    assert _contents({"messages": PAIR, **beside}) == [{"messages": PAIR, "tools": [{"name": "add"}]}]


def test_thoughts_are_kept_apart_from_what_is_said() -> None:
    thinking = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Sums."}, {"type": "text", "text": "4"}],
    }

    assert _contents({"messages": [PAIR[0], thinking]})[0]["messages"][1] == {
        "role": "assistant",
        "content": "4",
        "reasoning_content": "Sums.",
    }


def test_the_right_one_of_several_options_is_the_answer() -> None:
    for right in ({"answer": 1}, {"answer": "B"}, {"answer": "5"}, {"answerKey": "B"}):
        assert _contents({"question": "2+3?", "choices": ["4", "5"], "subject": "sums", **right}) == [
            {"messages": chat("2+3?\nA. 4\nB. 5", "B. 5")}
        ]
    labelled = {"question": "2+3?", "choices": {"text": ["4", "5"], "label": ["1", "2"]}, "answerKey": "2"}
    assert _contents(labelled) == [{"messages": chat("2+3?\nA. 4\nB. 5", "B. 5")}]


def test_answers_without_their_questions_are_texts() -> None:
    row = {"question_id": 61, "model_id": "x", "choices": [{"index": 0, "turns": ["Four.", "Five."]}]}

    assert _contents(row) == [{"text": "Four."}, {"text": "Five."}]


# Trees


def _node(role: str, text: str, *replies: dict[str, Any], rank: int | None = None) -> dict[str, Any]:
    return {"role": role, "text": text, "rank": rank, "replies": list(replies)}


RANKED = _node("prompter", "Hi", _node("assistant", "Hello", rank=1), _node("assistant", "Hey", rank=0))


@pytest.mark.parametrize("row", [RANKED, {"message_tree_id": "t", "prompt": RANKED}])
def test_ranked_replies_are_preferences(row: dict[str, Any]) -> None:
    assert _contents(row) == [{"prompt": chat("Hi"), "chosen": chat("", "Hey")[1:], "rejected": chat("", "Hello")[1:]}]
    assert _contents(row, "sft") == [{"messages": chat("Hi", "Hey")}]


def test_a_tree_without_ranks_is_its_conversations() -> None:
    tree = _node("prompter", "Hi", _node("assistant", "A", _node("prompter", "And?", _node("assistant", "B"))),
                 _node("assistant", "C", _node("prompter", "Well?")))  # fmt: skip

    assert _contents(tree) == [{"messages": chat("Hi", "A", "And?", "B")}, {"messages": chat("Hi", "C")}]


def _flat(*messages: tuple[str, str | None, str]) -> list[Record]:
    """Messages by number, parent and text; a text that begins with a capital is a prompter's."""
    records = []
    for line, (number, parent, text) in enumerate(messages, start=1):
        row = {"message_id": number, "parent_id": parent, "text": text, "task_id": f"task-{number}"}
        records.append(Record(line, {**row, "role": "prompter" if text[0].isupper() else "assistant"}))
    return records


def test_messages_that_name_their_parents_are_put_together_wherever_they_stand() -> None:
    items = list(unnested(iter(_flat(("b", "a", "hello"), ("a", None, "Hi"), ("d", "c", "no"), ("c", None, "Why?")))))

    assert [(item.line, item.records) for item in items if isinstance(item, Record)] == [(2, 2), (4, 2)]
    assert [_contents(item.value) for item in items if isinstance(item, Record)] == [
        [{"messages": chat("Hi", "hello")}],
        [{"messages": chat("Why?", "no")}],
    ]


def test_a_message_whose_parent_is_not_there_is_a_fault() -> None:
    items = list(unnested(iter(_flat(("a", None, "Hi"), ("b", "a", "hello"), ("d", "gone", "no")))))

    assert items[1:] == [Fault(3, "parent_id", 'The parent "gone" of this message is not in the file.', "no")]


def test_turns_that_name_their_conversation_are_put_together() -> None:
    rows = [{"conversation_id": number, "role": turn["role"], "content": turn["content"], "at": ""}
            for number in (1, 2) for turn in PAIR]  # fmt: skip
    items = list(unnested(iter([Record(line, row) for line, row in enumerate(rows, start=2)])))

    assert [(item.line, item.records) for item in items if isinstance(item, Record)] == [(2, 2), (4, 2)]
    assert [_contents(item.value) for item in items if isinstance(item, Record)] == [[{"messages": PAIR}]] * 2


def test_a_request_of_a_batch_is_what_it_asks() -> None:
    request = {"custom_id": "1", "method": "POST", "url": "/v1", "body": {"model": "x", "messages": PAIR[:1]}}

    (item,) = unnested(iter([Record(1, request)]))

    assert isinstance(item, Record)
    assert _contents(item.value) == [{"prompt": PAIR[:1]}]


def test_each_question_of_a_paragraph_is_a_record() -> None:
    questions = [{"question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}], "id": "1"},
                 {"question": "When?", "answers": [], "id": "2"}]  # fmt: skip
    article = {"title": "Ann", "paragraphs": [{"context": "Ann came.", "qas": questions}]}

    items = [item for item in unnested(iter([Record(1, article)])) if isinstance(item, Record)]

    assert [item.value["question"] for item in items] == ["Who?", "When?"]
    assert _contents(items[0].value) == [{"messages": chat("Ann came.\nWho?", "Ann")}]
