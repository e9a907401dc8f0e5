import json
from pathlib import Path
from typing import Any

import pytest

from storage.errors import BadInput
from tests.trainers import building
from tests.trainers.engine import tiny
from trainers.data import (
    IGNORED,
    Conversation,
    prepare_conversations,
    prompts_of,
    read_conversations,
)

TALK = building.turns("Hi", "Hello!", "What is 1 plus 1?", "2.")
TOOLS = [{"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {}}}]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny.save_tokenizer(tmp_path_factory.mktemp("marked"))


@pytest.fixture(scope="module")
def unmarked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny.save_tokenizer(tmp_path_factory.mktemp("unmarked"), tiny.UNMARKED)


def learnt(tokenizer: Any, row: dict[str, list[int]]) -> str:
    """The text of the tokens that are learnt."""
    return str(tokenizer.decode([label for label in row["labels"] if label != IGNORED]))


@pytest.mark.torch
def test_a_marked_template_learns_every_answer_in_one_row(tokenizer: Any) -> None:
    (row,) = prepare_conversations(tokenizer, [Conversation("a", TALK, None)], "assistant", 512).rows

    assert learnt(tokenizer, row) == "Hello!<|im_end|>2.<|im_end|>"
    assert len(row["input_ids"]) == len(row["labels"])
    assert all(label in (IGNORED, token) for token, label in zip(row["input_ids"], row["labels"], strict=True))


@pytest.mark.torch
def test_a_template_without_marks_gives_one_row_for_each_answer(unmarked: Any) -> None:
    first, second = prepare_conversations(unmarked, [Conversation("a", TALK, None)], "assistant", 512).rows

    assert (learnt(unmarked, first), learnt(unmarked, second)) == ("Hello!<|im_end|>\n", "2.<|im_end|>\n")
    # The later answer is learnt in the light of everything before it.
    assert unmarked.decode(second["input_ids"]).startswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHel")


@pytest.mark.torch
def test_a_template_that_trl_knows_is_masked_in_one_row(tmp_path: Path) -> None:
    import trl

    template = (Path(trl.__file__).parent / "chat_templates" / "qwen2_5.jinja").read_text(encoding="utf-8")
    known = tiny.save_tokenizer(tmp_path, template)

    (row,) = prepare_conversations(known, [Conversation("a", TALK, None)], "assistant", 2048).rows

    assert learnt(known, row).replace("\n", "") == "Hello!<|im_end|>2.<|im_end|>"


@pytest.mark.torch
def test_loss_on_all_learns_every_token(tokenizer: Any) -> None:
    (row,) = prepare_conversations(tokenizer, [Conversation("a", TALK, None)], "all", 512).rows

    assert row["labels"] == row["input_ids"]


@pytest.mark.torch
def test_tools_reach_the_template_and_messages_keep_the_keys_they_have(tmp_path: Path) -> None:
    template = (
        "{% for tool in tools or [] %}[{{ tool.function.name }}]{% endfor %}"
        "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}"
        "{% if m.tool_calls is defined %}call {{ m.tool_calls[0].function.name }}{% else %}{{ m.content }}{% endif %};"
        "{% endgeneration %}{% else %}{{ m.content }}|{% endif %}{% endfor %}"
    )
    tooled = tiny.save_tokenizer(tmp_path, template)
    call = {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "add", "arguments": {}}}]}
    messages = [*building.turns("1+1?"), call, {"role": "tool", "content": "2"}, *building.answer("It is 2.")]
    rows = read_conversations([{"id": "a", "messages": json.dumps(messages), "tools": json.dumps(TOOLS)}])

    (row,) = prepare_conversations(tooled, rows, "assistant", 512).rows

    assert tooled.decode(row["input_ids"]) == "[add]1+1?|call add;2|It is 2.;"
    assert learnt(tooled, row) == "call add;It is 2.;"


@pytest.mark.torch
def test_rows_are_cut_and_left_out_by_count(tokenizer: Any) -> None:
    rows = [
        Conversation("short", building.turns("Hi", "Hello!"), None),
        Conversation("long answer", building.turns("Hi", "one two three " * 30), None),
        Conversation("long question", building.turns("one two three " * 30, "Hello!"), None),
    ]

    prepared = prepare_conversations(tokenizer, rows, "assistant", 32)

    assert (len(prepared.rows), prepared.truncated, prepared.dropped, prepared.longest) == (2, 2, 1, 32)


@pytest.mark.torch
def test_what_trl_would_make_of_a_conversation_is_the_same(tiny_base: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    rows = [Conversation("a", TALK, None), Conversation("b", building.turns("Yes?", "No. " * 40), None)]
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny_base),
        args=SFTConfig(
            output_dir=str(tmp_path),
            report_to="none",
            bf16=False,
            use_cpu=True,
            assistant_only_loss=True,
            max_length=64,
        ),
        train_dataset=Dataset.from_list([{"messages": row.messages} for row in rows]),
        processing_class=tokenizer,
        peft_config=LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"),
    )

    assert trainer.train_dataset.select_columns(["input_ids", "labels"]).to_list() == (
        prepare_conversations(tokenizer, rows, "assistant", 64).rows
    )


BAD = {
    "no JSON": ("{", 'Row "r": column "messages" is not JSON'),
    "no list": ('"hello"', 'Row "r": column "messages" holds no list of messages.'),
    "no role": ('[{"content": "x"}]', 'Row "r": a message in "messages" has no role.'),
    "no content": ('[{"role": "user"}]', 'Row "r": a message in "messages" has neither content nor tool calls.'),
    "no answer": ('[{"role": "user", "content": "x"}]', 'Row "r" has no answer of the assistant'),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_named(case: str) -> None:
    text, sentence = BAD[case]

    with pytest.raises(BadInput) as raised:
        read_conversations([{"id": "r", "messages": text}])
    assert str(raised.value).startswith(sentence)


@pytest.mark.torch
def test_a_row_that_the_template_refuses_is_named(tmp_path: Path) -> None:
    strict = tiny.save_tokenizer(tmp_path, "{{ raise_exception('no systems here') }}")

    with pytest.raises(BadInput, match='The chat template refuses row "a": no systems here'):
        prepare_conversations(strict, [Conversation("a", TALK, None)], "all", 512)


def test_prompts_are_what_comes_before_the_last_answer() -> None:
    rows = [Conversation("a", TALK, None), Conversation("b", building.answer("I begin."), None)]

    assert prompts_of(rows) == [TALK[:3]]
