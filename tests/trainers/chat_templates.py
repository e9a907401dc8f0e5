"""Ten chat templates as the families of models have them, written down for the tests: what stands around an answer."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Known(NamedTuple):
    """A template, the special tokens that it writes, and the one that ends an answer. `system`: it takes one."""

    text: str
    special: tuple[str, ...]
    end: str
    system: bool = True
    marked: bool = False


_CHATML = ("<|im_start|>", "<|im_end|>")
_LLAMA = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
_HEADER = "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>"
_ASKS_HEADER = "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"

TEMPLATES: Mapping[str, Known] = MappingProxyType(
    {
        "chatml": Known(
            "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
            "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}<|im_end|>"
            "{% endgeneration %}"
            "{% else %}{{ message['content'] }}<|im_end|>{% endif %}\n{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
            _CHATML, "<|im_end|>", marked=True,
        ),
        "qwen2.5": Known(
            "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
            "{% endif %}"
            "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
            "{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
            _CHATML, "<|im_end|>",
        ),
        "llama3": Known(
            "<|begin_of_text|>{% for message in messages %}" + _HEADER + "{% endfor %}" + _ASKS_HEADER,
            _LLAMA, "<|eot_id|>",
        ),
        "llama3.1": Known(
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n\n"
            "{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] | trim }}"
            "{% set messages = messages[1:] %}{% endif %}<|eot_id|>"
            "{% for message in messages %}" + _HEADER + "{% endfor %}" + _ASKS_HEADER,
            _LLAMA, "<|eot_id|>",
        ),
        "llama2": Known(
            "{% if messages[0]['role'] == 'system' %}"
            "{% set before = '<<SYS>>\n' + messages[0]['content'] + '\n<</SYS>>\n\n' %}"
            "{% set messages = messages[1:] %}{% else %}{% set before = '' %}{% endif %}"
            "{% for message in messages %}{% if message['role'] == 'user' %}<s>[INST] "
            "{{ before if loop.first else '' }}{{ message['content'] }} [/INST]"
            "{% else %} {{ message['content'] }} </s>{% endif %}{% endfor %}",
            ("<s>", "</s>"), "</s>",
        ),
        "mistral": Known(
            "<s>{% for message in messages %}{% if message['role'] == 'user' %}[INST] {{ message['content'] }} [/INST]"
            "{% elif message['role'] == 'assistant' %} {{ message['content'] }}</s>"
            "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}",
            ("<s>", "</s>", "[INST]", "[/INST]"), "</s>", system=False,
        ),
        "gemma": Known(
            "<bos>{% for message in messages %}{% if message['role'] == 'system' %}"
            "{{ raise_exception('System role not supported') }}{% endif %}"
            "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
            "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
            "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
            ("<bos>", "<start_of_turn>", "<end_of_turn>"), "<end_of_turn>", system=False,
        ),
        "phi3": Known(
            "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n{% endfor %}"
            "{% if add_generation_prompt %}<|assistant|>\n{% else %}<|endoftext|>{% endif %}",
            ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|endoftext|>"), "<|end|>",
        ),
        "zephyr": Known(
            "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n{% endfor %}"
            "{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
            ("</s>",), "</s>",
        ),
        "deepseek": Known(
            "<｜begin▁of▁sentence｜>{% for message in messages %}{% if message['role'] == 'system' %}"
            "{{ message['content'] }}{% elif message['role'] == 'user' %}<｜User｜>{{ message['content'] }}"
            "{% else %}<｜Assistant｜>{{ message['content'] }}<｜end▁of▁sentence｜>{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}<｜Assistant｜>{% endif %}",
            ("<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
            "<｜end▁of▁sentence｜>",
        ),
    }
)  # fmt: skip
