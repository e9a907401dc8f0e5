"""Chat templates: prompts, spans of the assistant, and what ends a turn."""

from pathlib import Path
from typing import Any

import pytest

from storage.errors import BadInput
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And again: Paris."},
    {"role": "assistant", "content": "Paris."},
]
# As Qwen3 does: thoughts of earlier turns are dropped once a later turn follows.
FORGETFUL = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['role'] == 'assistant' and loop.last %}<think></think>{% endif %}"
    "{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STRICT = "{% if messages[0]['role'] != 'user' %}{{ raise_exception('A user must begin.') }}{% endif %}" + tiny.UNMARKED


def template(folder: Path, source: str) -> Any:
    from trainers.engine.template import Template

    return Template(tiny.save_tokenizer(folder, source), "tiny")


def spoken(rendered: Any) -> list[str]:
    return [rendered.text[start:end] for start, end in rendered.spans]


def test_the_templates_own_marks_are_the_spans(tmp_path: Path) -> None:
    assert spoken(template(tmp_path, tiny.TEMPLATE).render(TALK)) == ["Paris.<|im_end|>", "Paris.<|im_end|>"]


def test_without_marks_a_span_is_what_a_turn_adds(tmp_path: Path) -> None:
    rendered = template(tmp_path, tiny.UNMARKED).render(TALK)

    assert spoken(rendered) == ["Paris.<|im_end|>\n", "Paris.<|im_end|>\n"]
    assert rendered.spans[0][1] < rendered.spans[1][0]


def test_a_template_that_rewrites_earlier_turns_still_yields_each_turns_text(tmp_path: Path) -> None:
    rendered = template(tmp_path, FORGETFUL).render(TALK)

    assert spoken(rendered) == ["Paris.", "<think></think>Paris.<|im_end|>\n"]


def test_a_prompt_ends_where_the_assistant_begins(tmp_path: Path) -> None:
    made = template(tmp_path, tiny.TEMPLATE)

    assert made.text(TALK[:2], ask=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nCapital of France?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_the_turns_own_end_is_found_though_no_config_names_it(tmp_path: Path) -> None:
    tokenizer = tiny.save_tokenizer(tmp_path / "names")
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in ("<|endoftext|>", "<|im_end|>")}

    assert template(tmp_path, tiny.TEMPLATE).ends(None) == frozenset(ids.values())
    assert template(tmp_path, tiny.UNMARKED).ends([7, 9]) == frozenset({*ids.values(), 7, 9})


def test_a_conversation_that_the_template_refuses_is_told_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="refuses this conversation: A user must begin"):
        template(tmp_path, STRICT).tokens(TALK)


def test_a_template_cannot_reach_the_machine(tmp_path: Path) -> None:
    hostile = "{{ ''.__class__.__mro__[1].__subclasses__() }}"

    with pytest.raises(BadInput, match="refuses this conversation"):
        template(tmp_path, hostile).text(TALK)
