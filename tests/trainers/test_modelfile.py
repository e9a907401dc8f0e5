"""Ollama's Modelfile: what a chat template writes around turns is found out, or left out where it cannot be told."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trainers.modelfile import Marks, Turn, go_template, marks_of, modelfile, written

STARTER = Path(__file__).resolve().parent.parent.parent / "static" / "starter" / "model" / "chat_template.jinja"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WITH_A_DEFAULT = "{% if messages[0].role != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{% endif %}" + CHATML
INST = (
    "<s>{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content }}</s>{% else %}{{ raise_exception('no system') }}{% endif %}"
    "{% endfor %}"
)
LLAMA_2 = (
    "{% if messages[0].role == 'system' %}{% set told = messages[0].content %}"
    "{% set messages = messages[1:] %}{% endif %}"
    "{% for m in messages %}{% if m.role == 'user' %}[INST] {% if loop.first and told %}<<{{ told }}>> {% endif %}"
    "{{ m.content }} [/INST]{% else %} {{ m.content }}</s>{% endif %}{% endfor %}"
)
NUMBERED = "{% for m in messages %}{{ loop.index }}. {{ m.role }}: {{ m.content }}\n{% endfor %}"


def render(template: str) -> Any:
    """A template as a function, as transformers renders it."""

    def refuse(sentence: str) -> None:
        raise TemplateError(sentence)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    made = environment.from_string(template)
    return lambda messages, opened: made.render(messages=messages, add_generation_prompt=opened)


def starter() -> str:
    return STARTER.read_text().replace("{% generation %}", "").replace("{% endgeneration %}", "")


def test_chatml_is_told_turn_by_turn() -> None:
    assert marks_of(render(CHATML)) == Marks(
        head="",
        plain="",
        system=Turn("<|im_start|>system\n", "<|im_end|>\n"),
        user=Turn("<|im_start|>user\n", "<|im_end|>\n"),
        assistant=Turn("<|im_start|>assistant\n", "<|im_end|>\n"),
        opening="<|im_start|>assistant\n",
    )


def test_a_default_system_prompt_stands_where_nobody_gives_another() -> None:
    marks = marks_of(render(WITH_A_DEFAULT))

    assert marks is not None
    assert (marks.head, marks.plain) == ("", "<|im_start|>system\nYou help.<|im_end|>\n")


def test_a_template_without_a_system_turn_has_none() -> None:
    assert marks_of(render(INST)) == Marks("<s>", "<s>", None, Turn("[INST] ", " [/INST]"), Turn(" ", "</s>"), "")


@pytest.mark.parametrize("template", [LLAMA_2, NUMBERED, "{{ 1 / 0 }}", "the same for all"])
def test_what_is_no_words_around_turns_is_left_out(template: str) -> None:
    assert marks_of(render(template)) is None


@pytest.mark.parametrize("template", [CHATML, WITH_A_DEFAULT, INST, "starter"])
def test_what_is_told_writes_what_the_template_writes(template: str) -> None:
    template = starter() if template == "starter" else template
    marks = marks_of(render(template))
    talk = [
        {"role": "user", "content": "Wie geht's?"},
        {"role": "assistant", "content": "Gut."},
        {"role": "user", "content": '{{ "quoted" }}'},
    ]

    assert marks is not None
    assert written(marks, talk) == render(template)(talk, True)


def test_the_go_template_holds_every_text_as_a_quoted_string() -> None:
    marks = marks_of(render(WITH_A_DEFAULT))

    answer = r'{{- "<|im_start|>assistant\n" }}{{- .Content }}{{- if not $last }}{{- "<|im_end|>\n" }}{{- end }}'
    answer = '{{- else if eq .Role "assistant" }}' + answer
    assert marks is not None
    assert go_template(marks) == "\n".join(
        [
            r'{{- if .System }}{{- else }}{{- "<|im_start|>system\nYou help.<|im_end|>\n" }}{{- end }}',
            "{{- range $i, $_ := .Messages }}",
            "{{- $last := eq (len (slice $.Messages $i)) 1 }}",
            r'{{- if eq .Role "system" }}{{- "<|im_start|>system\n" }}{{- .Content }}{{- "<|im_end|>\n" }}',
            r'{{- else if eq .Role "user" }}{{- "<|im_start|>user\n" }}{{- .Content }}{{- "<|im_end|>\n" }}',
            answer,
            "{{- end }}",
            r'{{- if and $last (ne .Role "assistant") }}{{- "<|im_start|>assistant\n" }}{{- end }}',
            "{{- end }}",
        ]
    )


def test_the_modelfile_names_weights_template_sampling_and_ends() -> None:
    text = modelfile(marks_of(render(CHATML)), ["<|im_end|>", "<|im_end|>", "\n", 'a"b'], {"temperature": 0.7}, 131072)

    lines = text.splitlines()
    assert lines[1] == "FROM ."
    assert lines[2].startswith('TEMPLATE """{{- range $i, $_ := .Messages }}')
    assert lines[-3:] == ["PARAMETER temperature 0.7", "PARAMETER num_ctx 8192", 'PARAMETER stop "<|im_end|>"']
    assert text.count('"""') == 2


def test_without_a_template_ollama_is_left_to_its_own() -> None:
    assert modelfile(None, [], {}, None) == "# ollama create NAME -f Modelfile\nFROM .\n"
