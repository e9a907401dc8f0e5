"""Prompts by content: their hash, and whether votes on them may train or only measure."""

import hashlib
import json
from typing import Any

Messages = list[dict[str, Any]]

# One prompt in five is kept for measuring: votes on it never train, so that they can judge honestly.
_MEASURE_ONE_IN = 5


def content_sha256(content: Any) -> str:
    """The hash of JSON content: sorted keys, no spaces, UTF-8."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # Lone surrogates come in through JSON escapes; they are kept, so the hash must bear them.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def example_sha256(content: dict[str, Any]) -> str:
    """The hash of an example: of what is said in it, whatever metadata (source, ids) came along."""
    return content_sha256({key: value for key, value in content.items() if key != "metadata"})


def text_sha256(text: str) -> str:
    """The hash of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def as_messages(prompt: str | Messages) -> Messages:
    """A prompt as messages: a text becomes one user message."""
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt


def split_of(prompt_sha256: str) -> str:
    """`measure` for one prompt in five, by its hash; `train` for the others."""
    return "measure" if int(prompt_sha256[:8], 16) % _MEASURE_ONE_IN == 0 else "train"
