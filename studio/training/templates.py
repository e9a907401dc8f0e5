"""Chat templates for bases that bring none: two that are offered, or a person's own file.

- chatml: for tokenizers that know the marks `<|im_start|>` and `<|im_end|>`.
- plain: "User: …", "Assistant: …"; for any tokenizer with an end mark.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from storage.home import read_json
from studio.training import template_trial

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
LONGEST = 100_000
_MOST_SECONDS = 20  # on a machine that is busy with other things
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
    """Raise BadInput for a template that does not parse, that takes too much, or that loses what is asked."""
    if len(template) > LONGEST:
        raise BadInput(f"A chat template has at most {LONGEST:,} characters, not {len(template):,}.")
    if "{{" not in template:
        raise BadInput(f'"{template[:80]}" is no chat template; name {", ".join(BUILT_IN)}, or a file with one.')
    marks = {name: str(config.get(name) or "") for name in ("bos_token", "eos_token", "pad_token", "unk_token")}
    said = _tried(template, marks)
    if "error" in said:
        raise BadInput(f"The chat template cannot be used: {said['error']}.")
    if not said["kept"]:
        raise BadInput("The chat template leaves out what the user says.")


def _tried(template: str, marks: dict[str, str]) -> dict[str, Any]:
    """What a process with little memory and time says of the template; see `template_trial`."""
    argv = [sys.executable, "-I", str(Path(template_trial.__file__))]
    asked = json.dumps({"template": template, "marks": marks})
    try:
        done = subprocess.run(argv, input=asked, capture_output=True, text=True, timeout=_MOST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"it was not done after {_MOST_SECONDS} seconds"}
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"error": f"it takes more than {template_trial.SECONDS} seconds"}
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:  # it was too much even for saying so
        return {"error": "trying it out ended without a word"}
    return said
