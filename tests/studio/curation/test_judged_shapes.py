"""What says which answer is better becomes preferences, whatever the file calls it; ties and silence make none."""

from typing import Any

import pytest

from studio.curation.mapping import SHAPES
from studio.curation.records import RowError
from studio.curation.shapes import recognise
from tests.studio.curation.files import chat

ASKED = chat("2+2?")
FOUR, FIVE = chat("", "4")[1:], chat("", "5")[1:]
BETTER = {"prompt": ASKED, "chosen": FOUR, "rejected": FIVE}


def _made(row: dict[str, Any], kind: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    found = recognise([row], SHAPES, kind)
    assert found is not None
    contents = [(made.kind, {key: value for key, value in made.content.items() if key != "metadata"})
                for made in found.make(row)]  # fmt: skip
    assert all(kind == found.kind for kind, _ in contents)
    return contents


NAMED_APART: list[dict[str, Any]] = [
    {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    {"rejected": "5", "chosen": "4", "instruction": "2+2?", "input": ""},
    {"prompt": "2+2?", "chosen_response": "4", "rejected_response": "5", "chosen_score": 5, "rejected_score": 1},
    {"question": "2+2?", "preferred_answer": "4", "rejected_answer": "5"},
    {"input": {"messages": ASKED}, "preferred_output": FOUR, "non_preferred_output": FIVE},
    {"question": "2+2?", "answer_matching_behavior": "4", "answer_not_matching_behavior": "5", "statement": "x"},
    {"query": "2+2?", "better_reply": "4", "worse_reply": "5"},
    {"question": "2+2?", "answer_matching_behavior": "4", "answer_not_matching_behavior": ["5"]},
    {"instruction": "2+2?", "input": "", "output": ["4", "5"]},
    {"prompt": "\n\nHuman: 2+2?\n\nAssistant:", "response": "4", "chosen": "4", "rejected": "5"},
    {"question": "2+2?", "correct_answers": ["4"], "incorrect_answers": ["5"]},
    {"chosen_messages": [*ASKED, *FOUR], "rejected_messages": [*ASKED, *FIVE]},
    {"prompt": "2+2?", "chosen": [*ASKED, *FOUR], "rejected": [*ASKED, *FIVE], "score_chosen": 9.0},
    {"messages": ASKED, "chosen": {"role": "assistant", "content": "4"}, "rejected": FIVE[0]},
    {"conversations": [{"from": "human", "value": "2+2?"}], "chosen": {"from": "gpt", "value": "4"},
     "rejected": {"from": "gpt", "value": "5"}},
    {"chosen_x": "### The instruction to evaluate:\n2+2?\n\n### Response to evaluate:\n4\n\n### Score Rubrics:\nx",
     "rejected_x": "### The instruction to evaluate:\n2+2?\n\n### Response to evaluate:\n5\n\n### Score Rubrics:\nx"},
    {"prompt": '[{"role": "user", "content": "2+2?"}]', "chosen": '[{"role": "assistant", "content": "4"}]',
     "rejected": "[{'role': 'assistant', 'content': '5'}]"},
]  # fmt: skip

JUDGED: list[dict[str, Any]] = [
    {"input": "2+2?", "output_1": "4", "output_2": "5", "label": 1},
    {"label": 2, "output_2": "4", "output_1": "5", "input": "2+2?"},
    {"instruction": "2+2?", "input": "", "response1": "5", "response2": "4", "annotator1": 2, "annotator2": 2,
     "annotator3": 1},
    {"prompt": "2+2?", "response_a": "4", "response_b": "5", "winner": "model_a"},
    {"prompt": '["2+2?"]', "response_a": '["5"]', "response_b": '["4"]', "winner_model_a": 0, "winner_model_b": 1,
     "winner_tie": 0},
    {"conversation_a": [*ASKED, *FIVE], "conversation_b": [*ASKED, *FOUR], "winner": "model_b", "model_a": "x"},
    {"prompt": "2+2?", "response_0": "5", "response_1": "4", "better_response_id": 1, "safer_response_id": 0},
    {"question": "2+2?", "answer_A": "5", "answer_B": "4", "preference": "B"},
    {"question": "2+2?", "Answer A": "5", "Answer B": "4", "choice": "Answer B"},
    {"question": "2+2?", "left": "4", "right": "5", "selected": "left"},
    {"prompt": "2+2?", "model_A": "big", "model_B": "small", "answer_A": "4", "answer_B": "5", "winner": "big"},
    {"instruction": "2+2?", "output_1": "5", "output_2": "4", "preference": 2.0},
    {"instruction": "2+2?", "output_1": "5", "output_2": "4", "preference": 1.9},
    {"history": [], "prompt": "2+2?", "human_ref_A": "4", "human_ref_B": "5", "labels": 1},
]  # fmt: skip

WITH_MARGIN: list[dict[str, Any]] = [
    {"prompt": "2+2?", "response_1": "5", "response_2": "4", "preference_strength": 2},
    {"prompt": "2+2?", "response_1": "4", "response_2": "5", "preference_strength": -2},
    {"question": {"full_text": "2+2?", "id": "x"}, "answer_0": "4", "answer_1": "5", "score_0": 1.0, "score_1": -1.0},
    {"instruction": "2+2?",
     "completions": [{"response": "5", "overall_score": 1}, {"response": "4", "overall_score": 3}]},
    {"prompt": "2+2?", "responses": ["4", "5"], "scores": [3, 1]},
    {"query": "2+2?", "answers": [{"text": "4", "pm_score": "3"}, {"text": "5", "pm_score": "1"}]},
]  # fmt: skip


@pytest.mark.parametrize("row", [*NAMED_APART, *JUDGED])
def test_the_better_answer_is_chosen(row: dict[str, Any]) -> None:
    assert _made(row) == [("preference", BETTER)]


@pytest.mark.parametrize("row", WITH_MARGIN)
def test_a_difference_of_scores_is_the_margin(row: dict[str, Any]) -> None:
    assert _made(row) == [("preference", {**BETTER, "margin": 2})]


def test_of_many_answers_each_better_one_is_preferred_to_each_worse_one() -> None:
    row = {
        "prompt": "2+2?",
        "answers": [{"answer": text, "rank": rank} for text, rank in (("5", 2), ("4", 1), ("6", 2))],
    }

    assert [(made["chosen"][0]["content"], made["rejected"][0]["content"]) for _, made in _made(row)] == [
        ("4", "5"),
        ("4", "6"),
    ]
    assert _made(row, "sft") == [("sft", {"messages": [*ASKED, *FOUR]})]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "2+2?", "answer_A": "4", "answer_B": "5", "model_A": "x", "model_B": "y"},
        {"prompt": "2+2?", "responses": ["4", "5"], "models": ["x", "y"]},
        {"prompt": "2+2?", "completions": [{"text": "4", "model": "x"}, {"text": "5", "model": "y"}]},
    ],
)
def test_answers_of_which_nothing_is_said_wait_with_their_prompt(row: dict[str, Any]) -> None:
    ((kind, content),) = _made(row)

    assert (kind, content["prompt"]) == ("prompts", ASKED)
    assert [answer["messages"] for answer in content["answers"]] == [FOUR, FIVE]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"input": "2+2?", "output_1": "4", "output_2": "5", "label": 0}, "label"),
        ({"prompt": "2+2?", "response_a": "4", "response_b": "5", "winner": "tie (bothbad)"}, "winner"),
        ({"prompt": "2+2?", "responses": ["4", "5"], "scores": [1, 1]}, "responses"),
    ],
)
def test_a_tie_makes_no_pair_and_says_so(row: dict[str, Any], column: str) -> None:
    found = recognise([row], SHAPES, "preference")
    assert found is not None

    with pytest.raises(RowError) as wrong:
        found.make(row)

    assert wrong.value.column == column
    assert "no pair" in wrong.value.message


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "2+2?", "completion": "4", "label": True},
        {"prompt": "2+2?", "completion": "4", "label": "True"},
        {"prompt": ASKED, "completion": FOUR, "label": True},
        {"instruction": "2+2?", "input": "", "output": "4", "kto_tag": True},
        {"messages": [*ASKED, *FOUR], "label": True},
        {"conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}], "kto_tag": True},
    ],
)
def test_an_answer_that_was_called_good_keeps_its_label(row: dict[str, Any]) -> None:
    assert _made(row) == [("preference", {"prompt": ASKED, "completion": FOUR, "label": True})]
    assert _made(row, "sft") == [("sft", {"messages": [*ASKED, *FOUR]})]


def test_a_score_beside_prompt_and_completion_is_a_reward_and_beside_other_fields_metadata() -> None:
    assert _made({"prompt": "2+2?", "completion": "4", "score": 0.5}) == [
        ("preference", {"prompt": ASKED, "completion": FOUR, "score": 0.5})
    ]
    assert _made({"instruction": "2+2?", "output": "4", "score": 0.5})[0][0] == "sft"
    assert _made({"messages": [*ASKED, *FOUR], "score": 0.5})[0][0] == "sft"


# Annotation tools


def _task(data: dict[str, Any], *results: dict[str, Any], **annotation: Any) -> dict[str, Any]:
    return {"id": 1, "data": data, "annotations": [{"id": 7, "result": [result], **annotation} for result in results]}


TWO = {"prompt": "2+2?", "answer1": "4", "answer2": "5"}


@pytest.mark.parametrize(
    "row",
    [
        _task(TWO, {"type": "pairwise", "value": {"selected": "left"}, "from_name": "pw", "to_name": "a,b"}),
        _task(TWO, {"type": "pairwise", "value": {"selected": "answer1"}, "from_name": "comparison"}),
        _task(TWO, {"type": "choices", "value": {"choices": ["answer1"]}, "from_name": "better"}),
        _task({"prompt": "2+2?", "items": [{"id": "x", "body": "5"}, {"id": "y", "body": "4"}]},
              {"type": "ranker", "value": {"ranker": {"_": ["y", "x"]}}}),
        {**TWO, "id": 1, "annotator": 3, "annotation_id": 7, "comparison": {"selected": "left"}},
        {"text": "2+2?", "options": [{"id": 0, "text": "5"}, {"id": 1, "text": "4"}], "accept": [1],
         "answer": "accept", "_input_hash": 1, "_task_hash": 2},
        {"input": {"text": "2+2?"}, "options": [{"id": "A", "text": "4"}, {"id": "B", "text": "5"}], "accept": ["A"]},
        {"fields": {"prompt": "2+2?", "response-1": "5", "response-2": "4"}, "metadata": {},
         "responses": {"preference": [{"value": "response-2", "user_id": "u"}]}},
        {"fields": {"instruction": "2+2?", "response_a": "5", "response_b": "4"},
         "responses": [{"values": {"choice": {"value": "response_b"}}, "status": "submitted"}]},
    ],
)  # fmt: skip
def test_what_annotators_chose_is_a_preference(row: dict[str, Any]) -> None:
    assert _made(row) == [("preference", BETTER)]


def test_each_annotation_counts_and_cancelled_ones_do_not() -> None:
    chosen = {"type": "pairwise", "value": {"selected": "right"}}

    assert len(_made(_task(TWO, chosen, chosen))) == 2
    assert _made(_task(TWO, chosen, was_cancelled=True))[0][0] == "prompts"


def test_a_conversation_that_an_annotator_had_is_a_conversation() -> None:
    said = [{"type": "chatmessage", "value": {"chatmessage": {**turn, "createdAt": 1, "tool_calls": None}}}
            for turn in (*ASKED, *FOUR)]  # fmt: skip
    row = {"data": {"scenario_prompt": "x", "chat": []}, "annotations": [{"result": said}]}

    assert _made(row) == [("sft", {"messages": [*ASKED, *FOUR]})]


def test_a_text_that_an_annotator_wrote_is_the_answer() -> None:
    written = {"type": "textarea", "value": {"text": ["4"]}, "from_name": "response", "to_name": "prompt"}

    assert _made(_task({"prompt": "2+2?"}, written)) == [("sft", {"messages": [*ASKED, *FOUR]})]


@pytest.mark.parametrize(
    "row",
    [
        _task({"image": "a.png"}, {"type": "rectanglelabels", "value": {"rectanglelabels": ["Car"]}}),
        {"id": 1, "completions": [{"result": [{"type": "choices", "value": {"choices": ["Neutral"]}}]}]},
        _task({"title": "Tan Bai", "writers": []}, {"type": "choices", "value": {"choices": ["Yes"]}}),
    ],
)
def test_labels_on_pictures_teach_a_language_model_nothing(row: dict[str, Any]) -> None:
    assert recognise([row], SHAPES) is None
