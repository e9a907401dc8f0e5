"""Chat templates for bases that bring none: two that are offered, or a person's own file.

- chatml: for tokenizers that know the marks `<|im_start|>` and `<|im_end|>`.
- plain: "User: …", "Assistant: …"; for any tokenizer with an end mark.
"""

import re
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from storage.home import read_json

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PLAIN = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
BUILT_IN = ("chatml", "plain")
_LONGEST = 100_000
_MARKS = ("<|im_start|>", "<|im_end|>")


def template_for(folder: Path, wish: str) -> str:
    """The template that a person wishes for a base's folder: the name of one that is offered, or its text.

    Raises BadInput for one that the tokenizer has no marks for, or that writes no conversation.
    """
    config = read_json(folder / "tokenizer_config.json") or {}
    if wish == "chatml":
        _refuse_unknown_marks(folder)
        return CHATML
    if wish == "plain":
        if not config.get("eos_token"):
            raise BadInput(f"The tokenizer in {folder} names no end mark (eos_token), so answers would never end.")
        return PLAIN
    _check(wish, config)
    return wish


def offer(folder: Path) -> str:
    """Which of the templates that are offered fits a folder."""
    known = _known_marks(folder)
    return "chatml" if all(mark in known for mark in _MARKS) else "plain"


def _refuse_unknown_marks(folder: Path) -> None:
    known = _known_marks(folder)
    missing = [mark for mark in _MARKS if mark not in known]
    if missing:
        raise BadInput(
            f"The tokenizer in {folder} does not know {' and '.join(missing)}, which chatml writes; take plain, or a "
            "template of your own."
        )


def _known_marks(folder: Path) -> set[str]:
    added = (read_json(folder / "tokenizer.json") or {}).get("added_tokens") or []
    return {str(mark.get("content")) for mark in added if isinstance(mark, dict)}


def _check(template: str, config: dict[str, Any]) -> None:
    """Raise BadInput for a template that does not parse, or that loses what is asked."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if len(template) > _LONGEST:
        raise BadInput(f"A chat template has at most {_LONGEST:,} characters, not {len(template):,}.")
    if "{{" not in template:
        raise BadInput(f'"{template[:80]}" is no chat template; name {", ".join(BUILT_IN)}, or a file with one.')

    def refuse(sentence: str) -> None:
        raise TemplateError(sentence)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    marks = {name: str(config.get(name) or "") for name in ("bos_token", "eos_token", "pad_token", "unk_token")}
    unmarked = re.sub(r"{%-?\s*(end)?generation\s*-?%}", "", template)  # a tag that transformers adds
    try:
        text = environment.from_string(unmarked).render(
            messages=[{"role": "user", "content": "QUESTION"}], add_generation_prompt=True, **marks
        )
    except (TemplateError, TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"The chat template cannot be used: {error}.") from error
    if "QUESTION" not in text:
        raise BadInput("The chat template leaves out what the user says.")
