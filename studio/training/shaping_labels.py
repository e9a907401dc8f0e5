"""The shape that classifiers learn from: a row's text, its tags and its metadata; and the text of any example."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from storage.errors import BadInput
from storage.prompts import as_messages, content_sha256
from storage.rows import Dataset
from studio.training.shaped import Examples, Shaped


def labelled(dataset: Dataset, examples: Examples) -> Shaped:
    """Texts with all that could be their label; which one is, the run's option `label` says."""
    rows: list[dict[str, Any]] = []
    prompts: set[str] = set()
    for example_id, content in examples:
        text = text_of(content)
        if text:
            told = {"tags": content.get("tags") or [], "metadata": content.get("metadata") or {}}
            rows.append({"id": example_id, "text": text, "told": json.dumps(told, ensure_ascii=True)})
            prompts.add(content_sha256(text))
    if not rows:
        raise BadInput(f'No row of dataset "{dataset.name}" holds a text; add rows first.')
    return Shaped(rows, prompts)


def text_of(content: Mapping[str, Any]) -> str:
    """What an example says, as one text: its turns with who says them, or its plain text."""
    if "text" in content:
        return str(content["text"]).strip()
    turns = content["messages"] if "messages" in content else as_messages(content["prompt"])
    answer = content.get("chosen") or content.get("completion") or []
    said = [*turns, *([{"role": "assistant", "content": answer}] if isinstance(answer, str) else answer)]
    return "\n".join(f"{turn.get('role')}: {_words(turn.get('content'))}" for turn in said).strip()


def _words(content: str | Sequence[Mapping[str, Any]] | None) -> str:
    """A turn's words; of its parts those that are text."""
    if content is None or isinstance(content, str):
        return content or ""
    return " ".join(str(part["text"]) for part in content if isinstance(part, Mapping) and part.get("text"))
